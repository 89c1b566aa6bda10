#include "peer/listener.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "protocol/wire.h"

namespace pando::peer {

using internal::v1::ChannelRequest;
using internal::v1::ChannelResponse;
using internal::v1::InstallRequest;

namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace

// One incoming channel. In the listener's table until OnDone; gRPC's calls are made under the lock,
// as in Link.
class Listener::Incoming : public grpc::ServerBidiReactor<ChannelRequest, ChannelResponse> {
 public:
  Incoming(Listener* listener, io::ChannelId id, grpc::CallbackServerContext* context)
      : listener_(listener), id_(id), context_(context) {}

  void Start() PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    StartRead(&request_);
  }
  void Refuse(io::Refusal refusal, std::string detail) PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    EndRefused(refusal, std::move(detail));
  }
  void GoAway() PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    End({grpc::UNAVAILABLE, "the server is going away"});
  }

  // It is open, and this server's.
  bool IsOf(const io::PeerHello& hello) PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    return opened_ && !finished_ && caller_ == std::make_pair(hello.id, hello.storage);
  }

  void OnReadDone(bool ok) override PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    if (finished_) return;
    if (!ok) return End(grpc::Status::OK);
    listener_->counters_->received_bytes += request_.frame().size();
    if (!opened_) {
      Greet();
    } else {
      TakeFrame();
    }
    if (!finished_) StartRead(&request_);
  }
  void OnCancel() override PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    End(grpc::Status::CANCELLED);
  }
  void OnDone() override { listener_->Remove(id_); }

 private:
  void Greet() PANDO_REQUIRES(mutex_) {
    protocol::Greeting greeting;
    if (!protocol::DecodeGreeting(request_.frame(), &greeting)) return EndUnread("its Hello");
    if (greeting.protocol != protocol::kProtocol) {
      return EndRefused(io::Refusal::kWrongVersion,
                        absl::StrCat("this server speaks protocol ", protocol::kProtocol,
                                     ", the caller ", greeting.protocol));
    }
    const model::ServerId self = listener_->options_.id;
    if (greeting.to && greeting.to != self) {
      return EndRefused(io::Refusal::kWrongServer,
                        absl::StrCat("this is server ", self.value(), ", and the caller wants ",
                                     greeting.to.value()));
    }
    opened_ = true;
    caller_ = {greeting.hello.id, greeting.hello.storage};
    listener_->inbox_->Post(io::PeerOpened{id_, std::move(greeting.hello)});
    context_->AddInitialMetadata(protocol::kListens, "1");
    StartSendInitialMetadata();
  }
  void TakeFrame() PANDO_REQUIRES(mutex_) {
    io::PeerMessages event{id_, {}};
    if (!protocol::DecodeFrame(request_.frame(), &event.messages)) return EndUnread("a frame");
    listener_->counters_->received_messages += event.messages.size();
    listener_->inbox_->Post(std::move(event));
  }
  void EndUnread(std::string_view what) PANDO_REQUIRES(mutex_) {
    base::Log(base::Severity::kWarning, "a peer cannot be read",
              {{"caller", context_->peer()}, {"what", what}, {"bytes", request_.frame().size()}});
    End({grpc::INVALID_ARGUMENT, absl::StrCat(base::View(what), " cannot be read")});
  }
  void EndRefused(io::Refusal refusal, std::string detail) PANDO_REQUIRES(mutex_) {
    if (finished_) return;
    finished_ = true;
    response_.set_refusal(static_cast<uint32_t>(refusal));
    response_.set_detail(std::move(detail));
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
    TellClosed();
  }
  void End(const grpc::Status& status) PANDO_REQUIRES(mutex_) {
    if (finished_) return;
    finished_ = true;
    Finish(status);
    TellClosed();
  }
  void TellClosed() PANDO_REQUIRES(mutex_) {
    if (opened_) listener_->inbox_->Post(io::PeerClosed{id_});
  }

  Listener* const listener_;
  const io::ChannelId id_;
  grpc::CallbackServerContext* const context_;  // gRPC's, until OnDone

  base::Mutex mutex_;
  bool opened_ PANDO_GUARDED_BY(mutex_) = false;
  std::pair<model::ServerId, model::StorageId> caller_ PANDO_GUARDED_BY(mutex_);
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;
  ChannelRequest request_;  // gRPC's while it reads
  ChannelResponse response_;
};

Listener::Listener(const Options& options, io::Inbox* inbox, Counters* counters)
    : options_(options), inbox_(inbox), counters_(counters) {}

grpc::ServerBidiReactor<ChannelRequest, ChannelResponse>* Listener::Channel(
    grpc::CallbackServerContext* context) {
  std::shared_ptr<Incoming> incoming;
  bool going_away = false;
  {
    base::MutexLock lock(&mutex_);
    incoming = std::make_shared<Incoming>(this, ++last_id_, context);
    channels_.emplace(last_id_, incoming);
    going_away = going_away_;
  }
  if (going_away) {
    incoming->GoAway();
  } else {
    incoming->Start();
  }
  return incoming.get();
}

// --- Snapshots --------------------------------------------------------------------------------

bool Listener::HasChannelOf(const io::PeerHello& hello) {
  std::vector<std::shared_ptr<Incoming>> all;
  {
    base::MutexLock lock(&mutex_);
    for (const auto& [id, incoming] : channels_) all.push_back(incoming);
  }
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& incoming) { return incoming->IsOf(hello); });
}

// Only from one whose channel is open, and was not refused: a stranger's state must not get here.
grpc::Status Listener::Install(grpc::ServerContext*, grpc::ServerReader<InstallRequest>* reader,
                               internal::v1::InstallResponse*) {
  InstallRequest part;
  protocol::Greeting greeting;
  if (!reader->Read(&part) || !protocol::DecodeGreeting(part.greeting(), &greeting) ||
      greeting.protocol != protocol::kProtocol || greeting.to != options_.id) {
    return {grpc::INVALID_ARGUMENT, "the snapshot is not for this server"};
  }
  if (!HasChannelOf(greeting.hello)) {
    return {grpc::PERMISSION_DENIED, "the caller has no channel to this server"};
  }
  if (!options_.receive_snapshot) return {grpc::UNIMPLEMENTED, "this server takes no snapshots"};
  absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> receiver = options_.receive_snapshot(
      {model::Revision(part.revision()), model::Term(part.term()), part.digest()});
  if (!receiver.ok()) return ToGrpc(receiver.status());

  std::vector<model::RecordWrite> records;
  do {
    records.clear();
    for (internal::v1::Record& record : *part.mutable_records()) {
      records.push_back({std::move(*record.mutable_key()), std::move(*record.mutable_value())});
    }
    if (records.empty()) continue;
    if (const absl::Status taken = (*receiver)->Take(records); !taken.ok()) return ToGrpc(taken);
  } while (!part.last() && reader->Read(&part));
  if (!part.last()) return {grpc::CANCELLED, "the snapshot broke off"};
  return ToGrpc((*receiver)->Finish());
}

// --- The end ----------------------------------------------------------------------------------

void Listener::Refuse(io::ChannelId id, io::Refusal refusal, std::string detail) {
  std::shared_ptr<Incoming> incoming;
  {
    base::MutexLock lock(&mutex_);
    const auto found = channels_.find(id);
    if (found == channels_.end()) return;
    incoming = found->second;
  }
  incoming->Refuse(refusal, std::move(detail));
}

void Listener::GoAway() {
  std::vector<std::shared_ptr<Incoming>> all;
  {
    base::MutexLock lock(&mutex_);
    going_away_ = true;
    for (const auto& [id, incoming] : channels_) all.push_back(incoming);
  }
  for (const std::shared_ptr<Incoming>& incoming : all) incoming->GoAway();
}

// The reactor is destroyed after the lock is released, by whoever holds it last.
void Listener::Remove(io::ChannelId id) {
  std::shared_ptr<Incoming> last;
  base::MutexLock lock(&mutex_);
  const auto found = channels_.find(id);
  last = std::move(found->second);
  channels_.erase(found);
}

}  // namespace pando::peer
