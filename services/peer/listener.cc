#include "peer/listener.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "base/status.h"
#include "model/limits.h"
#include "protocol/wire.h"

namespace pando::peer {

using internal::v1::ChannelRequest;
using internal::v1::ChannelResponse;
using internal::v1::InstallRequest;

namespace {

// An honest caller says it with the first packet.
constexpr base::Duration kHelloPatience = std::chrono::seconds(5);

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace

// One incoming channel. In the listener's table until OnDone; gRPC's calls are made under the lock,
// as in Link. The listener's lock may be taken under it, and never the other way round.
class Listener::Incoming : public grpc::ServerBidiReactor<ChannelRequest, ChannelResponse>,
                           public std::enable_shared_from_this<Incoming> {
 public:
  Incoming(Listener* listener, io::ChannelId id, grpc::CallbackServerContext* context)
      : listener_(listener), id_(id), context_(context) {}

  void Start() PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    ReadOn();
  }
  void Refuse(io::Refusal refusal, std::string detail) PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    EndRefused(refusal, std::move(detail));
  }
  // Unless it has said who it is meanwhile.
  void EndSilent(Refusals::Reason reason, std::string_view why) PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    if (!opened_) EndTurnedAway(reason, grpc::RESOURCE_EXHAUSTED, why);
  }
  void GiveWay() PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    EndTurnedAway(Refusals::Reason::kCrowded, grpc::RESOURCE_EXHAUSTED,
                  "its server has newer channels");
  }
  void GoAway() PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    End({grpc::UNAVAILABLE, "the server is going away"});
  }

  void OnReadDone(bool ok) override PANDO_EXCLUDES(mutex_) {
    std::shared_ptr<Incoming> older;
    {
      base::MutexLock lock(&mutex_);
      reading_ = false;
      if (finished_) return;
      if (!ok) return EndRead();
      if (!opened_) {
        older = Greet();
      } else {
        TakeFrame();
      }
    }
    if (older != nullptr) older->GiveWay();
    // Before gRPC is asked for more, which makes it write to the caller that there is room.
    listener_->inbox_->Lend();
    base::MutexLock lock(&mutex_);
    ReadOn();
  }
  void OnCancel() override PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    EndRead();
  }
  void OnDone() override { listener_->Remove(id_); }

 private:
  // What was read and is not handled by the core.
  class Held {
   public:
    Held(std::shared_ptr<Incoming> incoming, size_t bytes)
        : incoming_(std::move(incoming)), bytes_(bytes) {}
    ~Held() { incoming_->Handled(bytes_); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    const std::shared_ptr<Incoming> incoming_;
    const size_t bytes_;
  };

  void ReadOn() PANDO_REQUIRES(mutex_) {
    if (reading_ || finished_ || held_bytes_ >= model::kPeerHeldBytesMax) return;
    reading_ = true;
    StartRead(&request_);
  }
  // In a turn of the core, which must not wait while a frame is decoded: the lock is taken only if
  // nothing is read.
  void Handled(size_t bytes) PANDO_EXCLUDES(mutex_) {
    const size_t before = held_bytes_.fetch_sub(bytes);
    CHECK(before >= bytes);
    const bool paused = before >= model::kPeerHeldBytesMax;
    if (!paused || before - bytes >= model::kPeerHeldBytesMax) return;
    base::MutexLock lock(&mutex_);
    ReadOn();
  }
  std::shared_ptr<Incoming> Greet() PANDO_REQUIRES(mutex_) {
    protocol::Greeting greeting;
    if (!protocol::DecodeGreeting(request_.frame(), &greeting)) return EndUnread("its Hello");
    if (greeting.protocol != protocol::kProtocol) {
      EndRefused(io::Refusal::kWrongVersion,
                 absl::StrCat("this server speaks protocol ", protocol::kProtocol, ", the caller ",
                              greeting.protocol));
      return nullptr;
    }
    const model::ServerId self = listener_->options_.id;
    if (greeting.to && greeting.to != self) {
      EndRefused(io::Refusal::kWrongServer,
                 absl::StrCat("this is server ", self.value(), ", and the caller wants ",
                              greeting.to.value()));
      return nullptr;
    }
    if (const std::string why = listener_->WhyNotTheOne(*context_->auth_context(), greeting.hello);
        !why.empty()) {
      EndTurnedAway(Refusals::Reason::kWrongName, grpc::PERMISSION_DENIED, why);
      return nullptr;
    }
    opened_ = true;
    caller_ = greeting.hello.id;
    Count(0);
    auto older = listener_->Greeted(id_, {greeting.hello.id, greeting.hello.storage});
    listener_->inbox_->Post(io::PeerOpened{id_, std::move(greeting.hello)});
    context_->AddInitialMetadata(protocol::kListens, "1");
    StartSendInitialMetadata();
    return older;
  }
  void TakeFrame() PANDO_REQUIRES(mutex_) {
    io::PeerMessages event{id_, {}, nullptr};
    if (!protocol::DecodeFrame(request_.frame(), &event.messages)) {
      EndUnread("a frame");
      return;
    }
    Count(event.messages.size());
    const size_t bytes = request_.frame().size();
    held_bytes_ += bytes;
    event.held = std::make_shared<Held>(shared_from_this(), bytes);
    listener_->inbox_->Post(std::move(event), bytes <= io::Inbox::kLentBytesMax
                                                  ? io::Inbox::By::kCaller
                                                  : io::Inbox::By::kCore);
  }
  void Count(size_t messages) PANDO_REQUIRES(mutex_) {
    const std::shared_ptr<Counters> counters = listener_->counters_->Of(caller_);
    counters->received_bytes += request_.frame().size();
    counters->received_messages += messages;
  }

  // Nothing more comes: the caller has ended it, it broke, or gRPC has cut it off.
  void EndRead() PANDO_REQUIRES(mutex_) {
    if (finished_) return;
    if (!opened_) {
      return EndTurnedAway(Refusals::Reason::kSilent, grpc::INVALID_ARGUMENT,
                           "it ended without a Hello, or with one that is too large");
    }
    base::Log(base::Severity::kInfo, "the channel of a server has ended",
              {{"server", caller_}, {"caller", context_->peer()}});
    End(grpc::Status::CANCELLED);
  }
  std::shared_ptr<Incoming> EndUnread(std::string_view what) PANDO_REQUIRES(mutex_) {
    EndTurnedAway(
        Refusals::Reason::kUnreadable, grpc::INVALID_ARGUMENT,
        absl::StrCat(base::View(what), " of ", request_.frame().size(), " bytes cannot be read"));
    return nullptr;
  }
  void EndTurnedAway(Refusals::Reason reason, grpc::StatusCode code, std::string_view why)
      PANDO_REQUIRES(mutex_) {
    if (finished_) return;
    listener_->refusals_.Tell(reason, context_->peer(), why);
    End({code, std::string(why)});
  }
  void EndRefused(io::Refusal refusal, std::string detail) PANDO_REQUIRES(mutex_) {
    if (finished_) return;
    listener_->refusals_.Tell(Refusals::ReasonOf(refusal), context_->peer(), detail);
    TellClosed();
    response_.set_refusal(static_cast<uint32_t>(refusal));
    response_.set_detail(std::move(detail));
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void End(const grpc::Status& status) PANDO_REQUIRES(mutex_) {
    if (finished_) return;
    TellClosed();
    Finish(status);
  }
  // Before gRPC is told, which may call OnDone at once.
  void TellClosed() PANDO_REQUIRES(mutex_) {
    finished_ = true;
    listener_->Ended(id_);
    if (opened_) listener_->inbox_->Post(io::PeerClosed{id_});
  }

  Listener* const listener_;
  const io::ChannelId id_;
  grpc::CallbackServerContext* const context_;  // gRPC's, until OnDone

  base::Mutex mutex_;
  bool opened_ PANDO_GUARDED_BY(mutex_) = false;
  model::ServerId caller_ PANDO_GUARDED_BY(mutex_);  // once it is open
  bool reading_ PANDO_GUARDED_BY(mutex_) = false;
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;
  std::atomic<size_t> held_bytes_{0};
  ChannelRequest request_;  // gRPC's while it reads
  ChannelResponse response_;
};

Listener::Listener(const Options& options, io::Inbox* inbox, CountersByPeer* counters,
                   std::function<void()> wake)
    : options_(options),
      inbox_(inbox),
      counters_(counters),
      wake_(std::move(wake)),
      refusals_(options.now) {}

grpc::ServerBidiReactor<ChannelRequest, ChannelResponse>* Listener::Channel(
    grpc::CallbackServerContext* context) {
  std::shared_ptr<Incoming> incoming;
  std::shared_ptr<Incoming> crowded_out;
  bool going_away = false;
  {
    base::MutexLock lock(&mutex_);
    crowded_out = OldestSilent();
    incoming = std::make_shared<Incoming>(this, ++last_id_, context);
    channels_[last_id_] = {incoming, options_.now() + kHelloPatience, {}};
    going_away = going_away_;
  }
  if (crowded_out != nullptr) {
    crowded_out->EndSilent(Refusals::Reason::kCrowded, "too many say no Hello");
  }
  if (going_away) {
    incoming->GoAway();
  } else {
    incoming->Start();
    wake_();
  }
  return incoming.get();
}

// Whom one more would be too many for; null: there is room. Who speaks at once is not kept out by
// those who do not.
std::shared_ptr<Listener::Incoming> Listener::OldestSilent() const {
  std::shared_ptr<Incoming> oldest;
  size_t silent = 0;
  for (const auto& [id, known] : channels_) {
    if (known.hello_by == base::kNever) continue;
    if (silent++ == 0) oldest = known.incoming;
  }
  return silent < model::kPeerSilentMax ? nullptr : oldest;
}

std::shared_ptr<Listener::Incoming> Listener::Greeted(io::ChannelId id, Caller caller) {
  base::MutexLock lock(&mutex_);
  Known& known = channels_.at(id);
  known.hello_by = base::kNever;
  known.caller = caller;
  std::shared_ptr<Incoming> oldest;
  size_t of_caller = 0;
  for (const auto& [other_id, other] : channels_) {
    if (other.caller != caller) continue;
    if (of_caller++ == 0) oldest = other.incoming;
  }
  return of_caller > model::kPeerChannelsMax ? oldest : nullptr;
}

std::string Listener::WhyNotTheOne(const grpc::AuthContext& connection,
                                   const io::PeerHello& hello) const {
  return options_.tls != nullptr ? names_.WhyNot(connection, hello) : std::string();
}

void Listener::Ended(io::ChannelId id) {
  base::MutexLock lock(&mutex_);
  Known& known = channels_.at(id);
  known.hello_by = base::kNever;
  known.caller.reset();
}

// --- Snapshots --------------------------------------------------------------------------------

bool Listener::HasChannelOf(const io::PeerHello& hello) const {
  base::MutexLock lock(&mutex_);
  return std::any_of(channels_.begin(), channels_.end(), [&](const auto& channel) {
    return channel.second.caller == Caller(hello.id, hello.storage);
  });
}

// A call that may be cancelled until something of it was read: it holds a thread.
class Listener::Installing {
 public:
  Installing(Listener* listener, grpc::ServerContext* context) : listener_(listener) {
    base::MutexLock lock(&listener_->mutex_);
    if (listener_->unread_.size() >= model::kPeerSilentMax) return;
    listener_->unread_.push_back({context, listener_->options_.now() + kHelloPatience});
    place_ = std::prev(listener_->unread_.end());
  }
  ~Installing() { Read(); }
  Installing(const Installing&) = delete;
  Installing& operator=(const Installing&) = delete;

  bool admitted() const { return place_.has_value(); }
  void Read() {
    base::MutexLock lock(&listener_->mutex_);
    if (place_) listener_->unread_.erase(*place_);
    place_.reset();
  }

 private:
  Listener* const listener_;
  std::optional<std::list<Unread>::iterator> place_;
};

// Only from one whose channel is open, and was not refused: a stranger's state must not get here.
grpc::Status Listener::Install(grpc::ServerContext* context,
                               grpc::ServerReader<InstallRequest>* reader,
                               internal::v1::InstallResponse*) {
  Installing installing(this, context);
  if (!installing.admitted()) {
    refusals_.Tell(Refusals::Reason::kCrowded, context->peer(), "too many snapshots do not begin");
    return {grpc::RESOURCE_EXHAUSTED, "too many snapshots do not begin"};
  }
  wake_();
  InstallRequest part;
  protocol::Greeting greeting;
  const bool read = reader->Read(&part);
  installing.Read();
  if (!read || !protocol::DecodeGreeting(part.greeting(), &greeting) ||
      greeting.protocol != protocol::kProtocol || greeting.to != options_.id) {
    refusals_.Tell(Refusals::Reason::kUnreadable, context->peer(),
                   "no snapshot for this server begins like that");
    return {grpc::INVALID_ARGUMENT, "the snapshot is not for this server"};
  }
  if (const std::string why = WhyNotTheOne(*context->auth_context(), greeting.hello);
      !why.empty()) {
    refusals_.Tell(Refusals::Reason::kWrongName, context->peer(), why);
    return {grpc::PERMISSION_DENIED, why};
  }
  if (!HasChannelOf(greeting.hello)) {
    refusals_.Tell(Refusals::Reason::kNotAMember, context->peer(),
                   "it sends a snapshot, and has no channel");
    return {grpc::PERMISSION_DENIED, "the caller has no channel to this server"};
  }
  if (!options_.receive_snapshot) return {grpc::UNIMPLEMENTED, "this server takes no snapshots"};
  Options::SnapshotEnd end;
  const base::Instant began = options_.now();
  const grpc::Status status = Receive(reader, &part, &end.bytes);
  end.good = status.ok();
  end.taken = options_.now() - began;
  if (options_.on_snapshot) options_.on_snapshot(end);
  return status;
}

grpc::Status Listener::Receive(grpc::ServerReader<InstallRequest>* reader, InstallRequest* part,
                               uint64_t* bytes) {
  absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> receiver = options_.receive_snapshot(
      {model::Revision(part->revision()), model::Term(part->term()), part->digest()});
  if (!receiver.ok()) return ToGrpc(receiver.status());
  std::vector<model::RecordWrite> records;
  do {
    records.clear();
    for (internal::v1::Record& record : *part->mutable_records()) {
      *bytes += record.key().size() + record.value().size();
      records.push_back({std::move(*record.mutable_key()), std::move(*record.mutable_value())});
    }
    if (records.empty()) continue;
    if (const absl::Status taken = (*receiver)->Take(records); !taken.ok()) return ToGrpc(taken);
  } while (!part->last() && reader->Read(part));
  if (!part->last()) return {grpc::CANCELLED, "the snapshot broke off"};
  return ToGrpc((*receiver)->Finish());
}

// --- The end ----------------------------------------------------------------------------------

void Listener::Refuse(io::ChannelId id, io::Refusal refusal, std::string detail) {
  std::shared_ptr<Incoming> incoming;
  {
    base::MutexLock lock(&mutex_);
    const auto found = channels_.find(id);
    if (found == channels_.end()) return;
    incoming = found->second.incoming;
  }
  incoming->Refuse(refusal, std::move(detail));
}

base::Instant Listener::Tend(base::Instant now) {
  std::vector<std::shared_ptr<Incoming>> silent;
  base::Instant next = base::kNever;
  {
    base::MutexLock lock(&mutex_);
    for (const auto& [id, known] : channels_) {
      if (known.hello_by > now) {
        next = std::min(next, known.hello_by);
      } else {
        silent.push_back(known.incoming);
      }
    }
    for (Unread& unread : unread_) {
      if (unread.hello_by <= now) {
        unread.context->TryCancel();
        unread.hello_by = base::kNever;
      }
      next = std::min(next, unread.hello_by);
    }
  }
  for (const std::shared_ptr<Incoming>& incoming : silent) {
    incoming->EndSilent(Refusals::Reason::kSilent, "it said no Hello in time");
  }
  return next;
}

void Listener::GoAway() {
  std::vector<std::shared_ptr<Incoming>> all;
  {
    base::MutexLock lock(&mutex_);
    going_away_ = true;
    for (const auto& [id, known] : channels_) all.push_back(known.incoming);
  }
  for (const std::shared_ptr<Incoming>& incoming : all) incoming->GoAway();
}

// The reactor is destroyed after the lock is released, by whoever holds it last.
void Listener::Remove(io::ChannelId id) {
  std::shared_ptr<Incoming> last;
  base::MutexLock lock(&mutex_);
  const auto found = channels_.find(id);
  last = std::move(found->second.incoming);
  channels_.erase(found);
}

}  // namespace pando::peer
