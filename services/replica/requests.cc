// What clients ask: checks, numbering, reads. The way back is apply.cc.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/command.h"
#include "codec/record.h"
#include "model/limits.h"
#include "model/mutant.h"
#include "model/usage.h"
#include "replica/initial_state.h"
#include "replica/replica.h"

namespace pando::replica {
namespace {

using model::Error;
using model::Reason;

model::SessionId SessionOf(const io::Request& request) {
  if (const auto* command = std::get_if<model::Command>(&request.body)) return command->session;
  if (const auto* query = std::get_if<model::Query>(&request.body)) return query->session;
  if (const auto* keep_alive = std::get_if<io::KeepAlive>(&request.body)) {
    return keep_alive->session;
  }
  return {};
}

// The most data that one operation of `body` wants to put into a node.
size_t LargestValue(const model::CommandBody& body) {
  if (const auto* create = std::get_if<model::Create>(&body)) return model::DataBytes(create->data);
  if (const auto* set = std::get_if<model::Set>(&body)) return model::DataBytes(set->data);
  const auto* transaction = std::get_if<model::Transaction>(&body);
  if (transaction == nullptr) return 0;
  size_t largest = 0;
  for (const auto* operations : {&transaction->then_operations, &transaction->else_operations}) {
    for (const model::Operation& operation : *operations) {
      if (const auto* create = std::get_if<model::Create>(&operation)) {
        largest = std::max(largest, model::DataBytes(create->data));
      } else if (const auto* set = std::get_if<model::Set>(&operation)) {
        largest = std::max(largest, model::DataBytes(set->data));
      }
    }
  }
  return largest;
}

// A member that was not heard for so long is told to be unreachable.
constexpr base::Duration kReportPatience = std::chrono::seconds(1);

bool IsWalkTooLarge(const model::Reply& reply) { return reply.error.reason == Reason::kTooLarge; }

}  // namespace

void Replica::OnRequests(io::RequestBatch batch) {
  (void)TakeReleased();  // they come first
  for (io::Request& request : batch.requests) {
    Responder responder = lanes_.Expect(batch.sink, request.tag, batch.lane);
    OnRequest(std::move(request), std::move(responder), batch.bytes);
  }
}

void Replica::OnRequest(io::Request request, Responder responder, size_t batch_bytes) {
  if (shutting_down_) {
    Refuse(responder, {.reason = Reason::kNoLeader, .detail = "the server is stopping"});
    return;
  }
  if (Error error = CheckSession(request); !error.ok()) {
    Refuse(responder, std::move(error));
    return;
  }
  if (const model::SessionId session = SessionOf(request)) {
    if (IsLeader()) {
      leases_.Renew(session, now_);
    } else {
      renewals_.Touch(session);
    }
  }
  if (auto* command = std::get_if<model::Command>(&request.body)) {
    if (lanes_.HoldsBack(responder.lane)) {
      lanes_.Hold({std::move(*command), request.deadline, std::move(responder), batch_bytes});
      return;
    }
    OnCommand(std::move(*command), request.deadline, std::move(responder), batch_bytes);
  } else if (auto* administer = std::get_if<io::Administer>(&request.body)) {
    OnAdminister(std::move(*administer), request.deadline, std::move(responder));
  } else {
    OnRead(std::move(request), std::move(responder));
  }
}

// The token is checked here and not in the machine: it is a secret of this edge, and only its hash
// is replicated. A session this server has not heard of yet may only be ahead of it.
Error Replica::CheckSession(const io::Request& request) const {
  const model::SessionId id = SessionOf(request);
  if (!id) return {};
  const session::Session* session = machine_->FindSession(id);
  if (session == nullptr) {
    if (id.value() > machine_->applied().value()) {
      return {.reason = Reason::kBehind, .detail = "this server has not applied the session yet"};
    }
    return {.reason = Reason::kSessionExpired, .detail = "the session is closed or has expired"};
  }
  if (session->record.token_hash != request.token_hash) {
    return {.reason = Reason::kUnauthenticated, .detail = "the session token is wrong or missing"};
  }
  return {};
}

// --- Commands ---------------------------------------------------------------------------------

// Everything that this server's own limits refuse is refused here, before the command has a number:
// also what could be committed, but neither taken nor applied here, so that nobody would answer.
Error Replica::CheckCommand(const model::Command& command, size_t batch_bytes) const {
  if (raft_.leader_no_space() || no_space_) {
    return {.reason = Reason::kNoSpace,
            .detail = "the disk is full: writes resume once there is room"};
  }
  if (raft_.leader_overloaded() || Stalled()) {
    return {.reason = Reason::kOverloaded, .detail = "the store lags behind: try again later"};
  }
  const size_t largest = LargestValue(command.body);
  if (largest > options_.value_bytes_max) {
    return {.reason = Reason::kTooLarge,
            .detail = absl::StrCat("data of ", largest, " bytes is over the limit of ",
                                   options_.value_bytes_max)};
  }
  // What came in a small batch is a small command: only a large one is measured.
  if (batch_bytes > model::kCommandBytesMax / 4 &&
      codec::EncodeCommand(command).size() > model::kCommandBytesMax) {
    return {.reason = Reason::kTooLarge,
            .detail = absl::StrCat("the request is over the limit of ", model::kCommandBytesMax,
                                   " bytes")};
  }
  return {};
}

void Replica::OnCommand(model::Command command, base::Instant deadline, Responder responder,
                        size_t batch_bytes) {
  if (Error error = CheckCommand(command, batch_bytes); !error.ok()) {
    Refuse(responder, std::move(error));
    return;
  }
  // It is sent with the Flush, together with all that came with it.
  pending_.Add({.command = std::move(command),
                .responder = std::move(responder),
                .arrived = now_,
                .deadline = deadline});
}

// Whether there were any.
bool Replica::TakeReleased() {
  std::vector<Lanes::Held> released = lanes_.TakeReleased();
  for (Lanes::Held& held : released) {
    if (shutting_down_) {
      Refuse(held.responder, {.reason = Reason::kNoLeader, .detail = "the server is stopping"});
    } else if (held.deadline <= now_) {
      Refuse(held.responder, {.reason = Reason::kTimeout,
                              .detail = "the read before it was not answered within the deadline"});
    } else {
      OnCommand(std::move(held.command), held.deadline, std::move(held.responder),
                held.batch_bytes);
    }
  }
  return !released.empty();
}

// --- Reads ------------------------------------------------------------------------------------

void Replica::OnRead(io::Request request, Responder responder) {
  Read read;
  read.at_front = lanes_.AtFront(responder);
  // A leader that has no such revision must be confirmed before it says that there is none.
  const bool doubtful = IsLeader() && request.min_revision > LastKnown();
  read.granted = request.consistency != io::Consistency::kLinearizable && !doubtful;
  if (!Is(model::Mutant::kMinRevisionIgnored)) read.needs = request.min_revision;
  read.deadline =
      std::min(request.deadline, now_ + std::chrono::milliseconds(model::kMinRevisionWaitMsMax));
  read.responder = std::move(responder);
  read.request = std::move(request);
  if (Reads::Ready(read, machine_->applied())) {
    RunRead(std::move(read));
    return;
  }
  if (read.granted && read.needs <= machine_->applied()) {
    // It only waits for its place in the lane, and has no deadline: the writes before it do.
    read.deadline = base::kNever;
  } else {
    lanes_.HoldBack(read.responder);
  }
  const bool in_line = !read.at_front;
  const Responder place = read.responder;
  const Reads::Key key = reads_.Add(std::move(read));
  if (in_line) lanes_.RunAtFront(place, key);
}

void Replica::RunReads() {
  for (;;) {
    for (const Reads::Key key : lanes_.TakeFronts()) reads_.ReachedFront(key);
    std::vector<Read> ready = reads_.TakeReady(machine_->applied());
    if (ready.empty()) return;
    for (Read& read : ready) RunRead(std::move(read));
  }
}

void Replica::RunRead(Read read) {
  if (const auto* query = std::get_if<model::Query>(&read.request.body)) {
    Answer(read.responder, query->session, machine_->Query(*query));
  } else if (const auto* keep_alive = std::get_if<io::KeepAlive>(&read.request.body)) {
    if (!IsLeader()) return renewals_.Ask(keep_alive->session, std::move(read.responder));
    if (!Settled()) {
      return Refuse(read.responder, {.reason = Reason::kNoLeader,
                                     .detail = "the leader is new: it may promise nothing yet"});
    }
    AnswerKeepAlive(read.responder, keep_alive->session,
                    leases_.TimeLeft(keep_alive->session, now_));
  } else if (std::holds_alternative<io::GetStatus>(read.request.body)) {
    Answer(read.responder, {}, Status());
  } else if (std::holds_alternative<io::GetMembers>(read.request.body)) {
    Answer(read.responder, {}, {.revision = machine_->applied(), .result = raft_.membership()});
  } else if (std::holds_alternative<io::GetDigest>(read.request.body)) {
    Answer(read.responder, {},
           {.revision = machine_->applied(),
            .result = model::DigestResult{machine_->applied(), machine_->digest()}});
  } else if (std::holds_alternative<io::TakeBackup>(read.request.body)) {
    RunBackup(std::move(read));
  } else {
    RunLargeWalk(std::move(read));
  }
}

void Replica::AnswerKeepAlive(const Responder& responder, model::SessionId id,
                              base::Duration time_left) {
  const session::Session* session = machine_->FindSession(id);
  if (session == nullptr) {
    return Refuse(responder, {.reason = Reason::kSessionExpired,
                              .detail = "the session is closed or has expired"});
  }
  model::SessionResult result;
  result.session = id;
  result.attachment = session->record.attachment;
  result.timeout_ms = session->record.timeout_ms;
  result.time_left_ms = std::chrono::duration_cast<std::chrono::milliseconds>(time_left).count();
  Answer(responder, id, {.revision = machine_->applied(), .result = result});
}

void Replica::RunLargeWalk(Read read) {
  const auto& large = std::get<io::LargeWalk>(read.request.body);
  model::Reply reply = machine_->Query({.identities = large.identities, .body = large.walk});
  if (IsWalkTooLarge(reply)) {
    // The store answers; this completion says that nothing stands against it.
    reply = {.revision = machine_->applied()};
    // The sink has to know the ACLs before it meets nodes.
    codec::KeyRange acls = codec::AclRange();
    std::vector<io::Scan::Range> ranges = {{std::move(acls.begin), std::move(acls.end)}};
    for (codec::KeyRange& range : codec::SubtreeRanges(large.walk.path)) {
      ranges.push_back({std::move(range.begin), std::move(range.end)});
    }
    adapters_.store->StartScan({.ranges = std::move(ranges), .sink = large.sink});
  }
  Answer(read.responder, {}, std::move(reply));
}

void Replica::RunBackup(Read read) {
  if (!machine_->cluster()) {
    return Refuse(read.responder, {.reason = Reason::kNoLeader,
                                   .detail = "the ensemble is not formed: there is no state yet"});
  }
  adapters_.store->StartScan(
      {.ranges = {}, .sink = std::get<io::TakeBackup>(read.request.body).sink});
  Answer(read.responder, {}, {.revision = machine_->applied()});
}

// What is small goes out of memory in this turn; the rest is read by the scan thread at one
// revision. Either way the stream goes on with the first change after that revision.
void Replica::SendInitial(const io::WatchOpen& open) {
  const InitialState initial(open.targets, open.identities);
  if (std::optional<model::WalkResult> all = initial.FromMemory(*machine_)) {
    open.outbox->WriteInitialDone(machine_->applied(), *std::move(all));
    streams_.InitialDone(open.stream, machine_->applied());
    return;
  }
  adapters_.store->StartScan(
      {.ranges = initial.Ranges(),
       .sink = initial.MakeScanSink(open.stream, open.outbox, adapters_.post)});
}

model::Reply Replica::Status() const {
  model::EnsembleStatus status;
  status.cluster = machine_->cluster();
  status.leader = raft_.leader();
  status.term = raft_.term();
  for (const model::Member& member : raft_.membership().members) {
    model::EnsembleStatus::Member row;
    row.id = member.id;
    row.client_address = member.client_address;
    row.peer_address = member.peer_address;
    row.http_address = member.http_address;
    row.zookeeper_address = member.zookeeper_address;
    if (member.id == options_.id) {
      row.role = raft_.role();
      row.term = raft_.term();
      row.applied = machine_->applied();
      row.lag = raft_.committed() - machine_->applied();
      row.disk_bytes = adapters_.disk_bytes ? adapters_.disk_bytes() : 0;
      row.version = options_.version;
      row.reachable = true;
    } else {
      const bool learner = member.role == model::Member::Role::kLearner;
      row.role = learner ? raft::Role::kLearner : raft::Role::kFollower;
      row.reachable = channels_.Of(member.id) != nullptr;
      if (const auto told = reports_.find(member.id); told != reports_.end()) {
        const io::Report& report = told->second.report;
        row.reachable = row.reachable && now_ - told->second.at < kReportPatience;
        if (row.reachable) row.role = report.role;
        row.term = report.term;
        row.applied = report.applied;
        row.lag = raft_.committed() - std::min(report.applied, raft_.committed());
        row.disk_bytes = report.disk_bytes;
        row.version = report.version;
      }
      if (member.id == raft_.leader()) row.role = raft::Role::kLeader;
    }
    status.members.push_back(std::move(row));
  }
  return {.revision = machine_->applied(), .result = std::move(status)};
}

// --- Answers ----------------------------------------------------------------------------------

void Replica::Answer(const Responder& responder, model::SessionId session, model::Reply reply) {
  const model::Revision due = session ? streams_.DueRevision(session) : model::Revision();
  lanes_.Answer(responder, std::move(reply), due);
}

void Replica::Refuse(const Responder& responder, Error error) {
  CHECK(!error.ok());
  model::Reply reply = model::Reply::Failure(std::move(error));
  reply.revision = machine_->applied();
  lanes_.Answer(responder, std::move(reply), {});
}

}  // namespace pando::replica
