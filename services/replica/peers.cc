// The other servers: who may speak, and what is heard of them besides Raft.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/command.h"
#include "model/limits.h"
#include "model/mutant.h"
#include "replica/replica.h"

namespace pando::replica {
namespace {

constexpr base::Duration kReportInterval = std::chrono::milliseconds(250);
// The same refusal of the same peer is told again after so long.
constexpr base::Duration kTellRefusalInterval = std::chrono::minutes(1);

uint64_t Nanoseconds(base::Duration duration) { return static_cast<uint64_t>(duration.count()); }

// Whether a message of somebody who is no member here may count all the same: whoever asks may know
// a newer membership. Answers count by the membership of who gets them, so a stranger's do not.
bool IsQuestion(const raft::Message& message) {
  return std::holds_alternative<raft::VoteRequest>(message) ||
         std::holds_alternative<raft::AppendRequest>(message) ||
         std::holds_alternative<raft::Heartbeat>(message) ||
         std::holds_alternative<raft::StandNow>(message);
}

}  // namespace

// --- Speaking ---------------------------------------------------------------------------------

void Replica::Mail(model::ServerId to, io::PeerMessage message) {
  mail_[to].push_back(std::move(message));
}

void Replica::SendMail() {
  for (auto& [to, messages] : mail_) {
    if (adapters_.peers != nullptr) adapters_.peers->Send(to, std::move(messages));
  }
  mail_.clear();
}

// A channel to every member; to whoever speaks and is none here, for it may be one by a newer
// membership; and before there is a membership, to whoever could let this server in.
void Replica::UpdatePeers() {
  if (adapters_.peers == nullptr || !std::exchange(update_peers_, false)) return;
  io::PeerHello hello;
  hello.id = options_.id;
  hello.storage = options_.storage;
  hello.start = options_.start;
  hello.cluster = machine_->cluster();
  hello.origin = machine_->origin();
  hello.term = recovered_term_;
  hello.last = recovered_last_;
  hello.joins = options_.initial_membership.members.empty() && raft_.membership().members.empty();
  hello.self = options_.self;

  std::vector<io::PeerAddress> peers;
  const model::Membership& members = forming_ ? forming_->state().members : raft_.membership();
  for (const model::Member& member : members.members) {
    if (member.id != options_.id) peers.push_back({member.id, member.peer_address});
  }
  for (const auto& [id, channel] : channels_.all()) {
    const std::string& address = channel.hello.self.peer_address;
    if (members.Find(id) == nullptr && !address.empty()) peers.push_back({id, address});
  }
  if (members.members.empty()) {
    for (const std::string& address : options_.join_addresses) peers.push_back({{}, address});
  }
  auto told = std::make_pair(std::move(hello), std::move(peers));
  if (told == told_peers_) return;
  told_peers_ = std::move(told);
  adapters_.peers->SetPeers(told_peers_.first, told_peers_.second);
}

// --- Channels ---------------------------------------------------------------------------------

bool Replica::IsMember(const io::PeerHello& hello) const {
  const model::Member* member = raft_.membership().Find(hello.id);
  return member != nullptr &&
         (member->storage == hello.storage || Is(model::Mutant::kWipedMemberVotes));
}

// Only a leader turns somebody away for the membership's sake: a follower's may be old. But nobody
// takes the place of a member that is here: its messages would not be listened to any more.
std::optional<Replica::Objection> Replica::Judge(const io::PeerHello& hello) {
  if (hello.cluster && machine_->cluster() && hello.cluster != machine_->cluster()) {
    return Objection{io::Refusal::kWrongCluster,
                     absl::StrCat("server ", hello.id.value(), " is of cluster ",
                                  absl::Hex(hello.cluster.value()), ", and this is cluster ",
                                  absl::Hex(machine_->cluster().value()))};
  }
  // Until a restored ensemble has a name, its servers know each other by what they begin with:
  // those of the old one, and those that were restored from elsewhere, are not listened to.
  const bool unnamed = machine_->origin() != 0 && !machine_->cluster();
  if (unnamed && hello.origin != machine_->origin()) {
    return Objection{io::Refusal::kWrongCluster,
                     absl::StrCat("server ", hello.id.value(),
                                  " does not begin with the backup that this one was restored "
                                  "from: restore the same one to all servers of a new ensemble")};
  }
  const model::Member* member = raft_.membership().Find(hello.id);
  if (IsLeader() && member == nullptr && !hello.joins) {
    return Objection{io::Refusal::kNotAMember,
                     absl::StrCat("server ", hello.id.value(), " is not a member")};
  }
  // Whoever was removed need not keep up with the others: that is the leader's to say, above.
  const bool takes_part = member != nullptr || hello.joins;
  if (takes_part && hello.self.version_max < machine_->version()) {
    return Objection{io::Refusal::kTooOld,
                     absl::StrCat("the ensemble runs version ", machine_->version(),
                                  " of the machine, and server ", hello.id.value(),
                                  " supports up to ", hello.self.version_max)};
  }
  if (IsLeader() && member != nullptr && member->storage && member->storage != hello.storage) {
    return Objection{io::Refusal::kWrongStorage,
                     absl::StrCat("the data of server ", hello.id.value(),
                                  " is gone: remove it and add it again")};
  }
  const io::PeerHello* here = channels_.Of(hello.id);
  if (here != nullptr && here->storage != hello.storage && IsMember(*here)) {
    return Objection{io::Refusal::kWrongStorage,
                     absl::StrCat("another server ", hello.id.value(), " is a member and is here")};
  }
  if (IsMember(hello) && !raft_.PeerStarted(now_, hello.id, hello.start, hello.term, hello.last)) {
    return Objection{io::Refusal::kLogLost,
                     absl::StrCat("server ", hello.id.value(),
                                  " has acknowledged more than its log "
                                  "holds now: remove it and add it again with an empty data dir")};
  }
  return std::nullopt;
}

void Replica::OnPeerOpened(io::PeerOpened opened) {
  if (opened.hello.id == options_.id) return;
  if (std::optional<Objection> objection = Judge(opened.hello)) {
    adapters_.peers->Refuse(opened.channel, objection->refusal, std::move(objection->detail));
    return;
  }
  const model::ServerId peer = opened.hello.id;
  // Let in already, it may not know yet; should it be removed, it has not asked again.
  if (IsMember(opened.hello)) opened.hello.joins = false;
  const io::PeerHello* before = channels_.Of(peer);
  const bool restarted = before != nullptr && before->start < opened.hello.start;
  if (!channels_.Open(opened.channel, std::move(opened.hello))) return;
  // The life that it led in is over, though nobody has seen its channel break.
  if (restarted) raft_.PeerLost(now_, peer);
  // A new life may have another clock.
  if (const auto told = reports_.find(peer); told != reports_.end()) {
    told->second.report.sent_ns = 0;
  }
  update_peers_ = true;
  next_tend_ = now_;
}

void Replica::OnPeerClosed(const io::PeerClosed& closed) {
  const model::ServerId peer = channels_.Close(closed.channel);
  if (!peer) return;
  update_peers_ = true;
  raft_.PeerLost(now_, peer);
}

void Replica::OnPeerReady(const io::PeerReady& ready) {
  if (!ready.peer) return;
  raft_.PeerReady(now_, ready.peer);
  if (forming_) Announce(ready.peer);
  if (ready.peer == raft_.leader()) {
    pending_.SendAgain();
    SendOrdersAgain();
  }
  next_report_ = now_;
}

void Replica::OnPeerRefused(const io::PeerRefused& refused) {
  const std::string what =
      absl::StrCat("server ", refused.peer.value(),
                   " refuses this one: ", io::RefusalName(refused.refusal), ": ", refused.detail);
  if (refused.refusal == io::Refusal::kLogLost || refused.refusal == io::Refusal::kTooOld) {
    Stop(what);
    return;
  }
  // It is asked again every few seconds, for as long as this goes on.
  ToldRefusal& told = told_refusals_[refused.peer];
  if (told.what == what && now_ < told.at + kTellRefusalInterval) return;
  told = {what, now_};
  Tell(what);
}

void Replica::OnPeerMessages(io::PeerMessages messages) {
  for (io::PeerMessage& message : messages.messages) {
    // What came before may have ended it.
    const io::PeerHello* from = channels_.Find(messages.channel);
    if (from == nullptr || stopped_) return;
    const io::PeerHello hello = *from;
    std::visit([&](auto& m) { On(hello, m); }, message);
  }
}

void Replica::On(const io::PeerHello& from, raft::Message& message) {
  if (forming_) {
    // Somebody leads: the others have formed the ensemble. This one may never be complete, because
    // a member that has not recorded it may be gone for good; it learns the membership from the log
    // and stands only if that holds it with its storage id.
    const bool led = std::holds_alternative<raft::AppendRequest>(message) ||
                     std::holds_alternative<raft::Heartbeat>(message);
    if (!led) return;
    forming_.reset();
    update_peers_ = true;
  }
  const model::Revision before = raft_.membership_index();
  if (IsMember(from) || IsQuestion(message)) raft_.Receive(now_, from.id, std::move(message));
  if (raft_.membership_index() != before) CheckOwnPlace();
}

// A founding member whose data is gone meets its former self: it must neither stand nor vote.
void Replica::CheckOwnPlace() {
  const model::Member* self = raft_.membership().Find(options_.id);
  const bool founder = !options_.initial_membership.members.empty();
  if (!founder || self == nullptr || !self->storage || self->storage == options_.storage) return;
  Stop(absl::StrCat("the ensemble knows another server ", options_.id.value(),
                    ": the data of this one is gone; remove it and add it again"));
}

// --- Formation --------------------------------------------------------------------------------

void Replica::Announce(model::ServerId to) { Mail(to, forming_->Announcement()); }

void Replica::On(const io::PeerHello& from, io::Announce& announce) {
  if (!forming_) {
    // A joiner without a membership knows nobody.
    if (raft_.membership().members.empty()) return;
    Mail(from.id, io::AnnounceReply{.storage = announce.storage, .recorded = IsMember(from)});
    return;
  }
  raft::AppendId after;
  if (forming_->HearAnnounce(from.id, announce)) after = raft_.Remember(now_, forming_->state());
  const io::AnnounceReply reply = forming_->AnswerTo(from.id, announce);
  if (after || !answering_.empty()) {
    answering_.push_back({after ? after : answering_.back().after, from.id, reply});
  } else {
    Mail(from.id, reply);
  }
  FormIfComplete();
}

void Replica::On(const io::PeerHello& from, io::AnnounceReply& reply) {
  if (!forming_ || reply.storage != options_.storage) return;
  if (!reply.recorded) {
    Stop(absl::StrCat("server ", from.id.value(), " has recorded another server ",
                      options_.id.value(),
                      ", or another list of initial members: the data of this "
                      "one is gone, or --initial-cluster differs; remove it and add it again"));
    return;
  }
  forming_->HearRecorded(from.id);
  FormIfComplete();
}

void Replica::FormIfComplete() {
  if (!forming_ || !forming_->Complete()) return;
  forming_->SetComplete();
  raft_.Remember(now_, forming_->state());
  raft_.SetInitialMembership(now_, forming_->state().members);
  forming_.reset();
  update_peers_ = true;
  Tell("the ensemble is formed: every member has recorded every other");
}

// --- Commands of followers --------------------------------------------------------------------

// In the order of their numbers and without gaps; what was taken is not taken twice. The machine
// checks it again: this only saves the log from repetition.
void Replica::On(const io::PeerHello& from, io::Forward& forward) {
  if (!IsLeader() || !IsMember(from)) return;
  auto& [start, next] = taken_[from.storage];
  if (start > from.start) return;
  if (start < from.start) {
    start = from.start;
    next = forward.first;
  }
  model::SourceNumber number = forward.first;
  for (const std::string& bytes : forward.commands) {
    if (number > next) return;  // a gap: the sender will send again
    if (number == next) {
      model::Command command;
      if (!codec::DecodeCommand(bytes, &command)) return;
      const bool own = command.source == model::Source{from.storage, from.start};
      if (!own || command.number != number) return;
      // Its number is taken, whatever it asks.
      if (raft_.leader_overloaded()) command.body = model::Refuse{model::Reason::kOverloaded};
      if (raft_.leader_no_space()) command.body = model::Refuse{model::Reason::kNoSpace};
      if (!Propose(&command)) return;
      ++next;
    }
    ++number;
  }
}

// --- Sessions ---------------------------------------------------------------------------------

void Replica::On(const io::PeerHello& from, io::RenewRequest& request) {
  io::RenewReply reply{.id = request.id};
  if (IsLeader() && IsMember(from)) {
    for (const model::SessionId session : request.sessions) {
      leases_.Renew(session, now_);
      if (!Settled()) continue;
      reply.time_left_ms.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(leases_.TimeLeft(session, now_))
              .count());
    }
  }
  Mail(from.id, std::move(reply));
}

void Replica::On(const io::PeerHello& from, io::RenewReply& reply) {
  if (from.id != raft_.leader()) return;
  for (Renewals::Answered& answered : renewals_.TakeAnswered(reply)) {
    if (answered.time_left_ms == 0) {
      FailRenewals({std::move(answered.waiting)});
    } else {
      AnswerKeepAlive(answered.waiting.responder, answered.waiting.session,
                      std::chrono::milliseconds(answered.time_left_ms));
    }
  }
}

void Replica::SendRenewals() {
  FailRenewals(renewals_.TakeExpired(now_));
  const model::ServerId leader = raft_.leader();
  if (!leader || leader == options_.id) {
    FailRenewals(renewals_.TakeAll());
    return;
  }
  if (std::optional<io::RenewRequest> request = renewals_.TakeRequest(now_)) {
    Mail(leader, *std::move(request));
  }
}

void Replica::FailRenewals(std::vector<Renewals::Waiting> waiting) {
  for (Renewals::Waiting& one : waiting) {
    const bool gone = machine_->FindSession(one.session) == nullptr;
    Refuse(one.responder,
           {.reason = gone ? model::Reason::kSessionExpired : model::Reason::kNoLeader,
            .detail = gone ? "the session is closed or has expired"
                           : "no leader has renewed the session"});
  }
}

// --- How everybody is doing -------------------------------------------------------------------

void Replica::SendReports() {
  if (now_ < next_report_) return;
  next_report_ = now_ + kReportInterval;
  TellPeers();
  if (raft_.membership().members.size() < 2) return;
  io::Report report{.role = raft_.role(),
                    .term = raft_.term(),
                    .applied = machine_->applied(),
                    .disk_bytes = adapters_.disk_bytes ? adapters_.disk_bytes() : 0,
                    .version = options_.version,
                    .sent_ns = Nanoseconds(now_.since_start)};
  for (const model::Member& member : raft_.membership().members) {
    if (member.id == options_.id) continue;
    const auto told = reports_.find(member.id);
    const bool heard = told != reports_.end();
    report.heard_ns = heard ? told->second.report.sent_ns : 0;
    report.held_ns = heard ? Nanoseconds(now_ - told->second.at) : 0;
    Mail(member.id, report);
  }
}

void Replica::TellPeers() const {
  if (!observer_.on_peers) return;
  std::vector<PeerGauges> peers;
  for (const model::Member& member : raft_.membership().members) {
    if (member.id == options_.id) continue;
    PeerGauges& peer = peers.emplace_back(PeerGauges{.id = member.id});
    const raft::Progress* progress = raft_.FindProgress(member.id);
    if (progress != nullptr) peer.lag_entries = raft_.last_index() - progress->match();
  }
  observer_.on_peers(peers);
}

void Replica::On(const io::PeerHello& from, io::Report& report) {
  const uint64_t now_ns = Nanoseconds(now_.since_start);
  const uint64_t away_ns = now_ns - std::min(report.heard_ns, now_ns);
  if (observer_.on_round_trip && report.heard_ns != 0 && report.held_ns <= away_ns) {
    observer_.on_round_trip(from.id, std::chrono::nanoseconds(away_ns - report.held_ns));
  }
  if (IsMember(from)) reports_[from.id] = {std::move(report), now_};
}

void Replica::TellDigest(model::Revision revision) {
  const io::DigestReport report{revision, machine_->digest()};
  digests_.AddOwn(revision, report.digest);
  if (IsLeader()) {
    CountDigest(options_.id, report);
  } else if (raft_.leader()) {
    Mail(raft_.leader(), report);
  }
}

void Replica::On(const io::PeerHello& from, io::DigestReport& report) {
  if (IsLeader() && IsMember(from)) CountDigest(from.id, report);
}

void Replica::CountDigest(model::ServerId from, const io::DigestReport& report) {
  digest_mismatches_ += digests_.Contradicts({report.revision, report.digest});
  std::vector<model::ServerId> voters;
  for (const model::Member& member : raft_.membership().members) {
    if (member.role == model::Member::Role::kVoter) voters.push_back(member.id);
  }
  const std::optional<io::DigestVerdict> verdict = digests_.Add(from, report, voters);
  if (!verdict) return;
  for (const model::Member& member : raft_.membership().members) {
    if (member.id != options_.id) Mail(member.id, *verdict);
  }
  if (digests_.Contradicts(*verdict)) Stop("a majority has another state than this server");
}

void Replica::On(const io::PeerHello& from, io::DigestVerdict& verdict) {
  if (from.id != raft_.leader() || !digests_.Contradicts(verdict)) return;
  Stop(absl::StrCat("a majority has another state at revision ", verdict.revision.value(),
                    " than this server: remove it and add it again with an empty data dir"));
}

}  // namespace pando::replica
