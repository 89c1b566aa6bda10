#include "bench/etcd_wire.h"

#include "base/check.h"
#include "base/status.h"
#include "bench/etcd.pb.h"

namespace pando::load {
namespace {

// Longer than a load, which keeps no lease alive.
constexpr int64_t kLeaseSeconds = 3'600;
constexpr char kRange[] = "/etcdserverpb.KV/Range";
constexpr char kPut[] = "/etcdserverpb.KV/Put";
constexpr char kTxn[] = "/etcdserverpb.KV/Txn";

// What follows '/' in ASCII: the first key after all of "DIRECTORY/…".
constexpr char kAfterSlash = '/' + 1;

void FillPut(const std::string& path, std::string_view data, etcd::PutRequest* request) {
  request->set_key(path);
  request->set_value(data.data(), data.size());
}

}  // namespace

void EtcdWire::Open() {
  if (options_.needs_session) {
    Grant({Step::kGreet, Tag{}});
  } else {
    listener().OnReady();
  }
}

absl::Status EtcdWire::Read(std::string_view bytes) {
  PANDO_RETURN_IF_ERROR(channel_.Read(bytes));
  return failure_;
}

void EtcdWire::Ask(const Operation& operation, Tag tag) {
  ProgressOf(tag) = {};
  switch (operation.kind) {
    case Operation::Kind::kCreate:
      return Create(operation, tag);
    case Operation::Kind::kSet: {
      etcd::PutRequest request;
      FillPut(operation.path(), operation.data, &request);
      return Call(kPut, request, {Step::kOperation, tag});
    }
    case Operation::Kind::kGet:
    case Operation::Kind::kList:
      return Range(operation, tag);
    case Operation::Kind::kMulti:
      return Multi(operation, tag);
    case Operation::Kind::kSession:
      ProgressOf(tag).path = operation.path();
      return Grant({Step::kGrant, tag});
    case Operation::Kind::kLock: {
      etcd::LockRequest request;
      request.set_name(operation.path());
      request.set_lease(own_lease_);
      return Call("/v3lockpb.Lock/Lock", request, {Step::kLock, tag});
    }
    case Operation::Kind::kUnlock: {
      etcd::UnlockRequest request;
      request.set_key(held_);
      return Call("/v3lockpb.Lock/Unlock", request, {Step::kOperation, tag});
    }
    case Operation::Kind::kSync: {
      etcd::RangeRequest request;  // linearizable, which is all that it is for
      request.set_key(operation.path());
      return Call(kRange, request, {Step::kOperation, tag});
    }
    case Operation::Kind::kWatch:
      return Watch(operation, tag);
    case Operation::Kind::kLeave:
      if (own_lease_ == 0) return listener().OnAnswer(tag, Outcome::kDone, "");
      return Revoke(own_lease_, {Step::kOperation, tag});
  }
}

void EtcdWire::Create(const Operation& operation, Tag tag) {
  etcd::TxnRequest request;
  etcd::Compare* const missing = request.add_compare();
  missing->set_target(etcd::Compare::CREATE);
  missing->set_key(operation.path());
  missing->set_create_revision(0);
  FillPut(operation.path(), operation.data, request.add_success()->mutable_request_put());
  Call(kTxn, request, {Step::kCreate, tag});
}

void EtcdWire::Range(const Operation& operation, Tag tag) {
  etcd::RangeRequest request;
  request.set_serializable(!options_.linearizable);
  if (operation.kind == Operation::Kind::kGet) {
    request.set_key(operation.path());
  } else {
    request.set_key(operation.path() + '/');
    request.set_range_end(operation.path() + kAfterSlash);
    request.set_keys_only(true);
  }
  Call(kRange, request, {Step::kGet, tag});
}

void EtcdWire::Multi(const Operation& operation, Tag tag) {
  etcd::TxnRequest request;
  for (const std::string& path : operation.paths) {
    FillPut(path, operation.data, request.add_success()->mutable_request_put());
  }
  Call(kTxn, request, {Step::kOperation, tag});
}

void EtcdWire::Watch(const Operation& operation, Tag tag) {
  if (watches_ == nullptr) {
    watches_ =
        channel_.StartStream("/etcdserverpb.Watch/Watch", Stage{Step::kWatches, Tag{}}.cookie());
  }
  etcd::WatchRequest request;
  request.mutable_create_request()->set_key(operation.path());
  // 0 would ask for an id of etcd's own.
  request.mutable_create_request()->set_watch_id(static_cast<int64_t>(tag) + 1);
  request.SerializeToString(&bytes_);
  channel_.Send(watches_, bytes_);
}

void EtcdWire::Grant(Stage stage) {
  etcd::LeaseGrantRequest request;
  request.set_ttl(kLeaseSeconds);
  Call("/etcdserverpb.Lease/LeaseGrant", request, stage);
}

void EtcdWire::Revoke(int64_t lease, Stage stage) {
  etcd::LeaseRevokeRequest request;
  request.set_id(lease);
  Call("/etcdserverpb.Lease/LeaseRevoke", request, stage);
}

void EtcdWire::Call(std::string_view method, const google::protobuf::MessageLite& request,
                    Stage stage) {
  request.SerializeToString(&bytes_);
  channel_.Start(method, bytes_, stage.cookie());
}

EtcdWire::Progress& EtcdWire::ProgressOf(Tag tag) {
  const auto index = static_cast<size_t>(tag);
  if (progress_.size() <= index) progress_.resize(index + 1);
  return progress_[index];
}

void EtcdWire::OnMessage(uint64_t cookie, std::string_view message) {
  const Stage stage = Stage::Of(cookie);
  const auto parsed = [&]<class Response>(Response response) {
    // What a server sends that is no such message shows as what it then lacks.
    (void)response.ParseFromArray(message.data(), static_cast<int>(message.size()));
    return response;
  };
  switch (stage.step) {
    case Step::kGreet:
      own_lease_ = parsed(etcd::LeaseGrantResponse()).id();
      return;
    case Step::kGrant:
      ProgressOf(stage.tag).lease = parsed(etcd::LeaseGrantResponse()).id();
      return;
    case Step::kCreate:
      if (!parsed(etcd::TxnResponse()).succeeded()) ProgressOf(stage.tag).lacks = "the key exists";
      return;
    case Step::kGet:
      if (parsed(etcd::RangeResponse()).count() == 0) ProgressOf(stage.tag).lacks = "no such key";
      return;
    case Step::kLock:
      held_ = parsed(etcd::LockResponse()).key();
      return;
    case Step::kWatches:
      return OnWatchResponse(message);
    case Step::kOperation:
    case Step::kPutLeased:
    case Step::kRevoke:
      return;  // nothing that the load needs to know; the status follows
  }
}

void EtcdWire::OnWatchResponse(std::string_view message) {
  etcd::WatchResponse response;
  (void)response.ParseFromArray(message.data(), static_cast<int>(message.size()));
  const Tag tag{static_cast<uint32_t>(response.watch_id() - 1)};
  if (response.canceled()) {
    failure_ = absl::UnavailableError("the server ended a watch");
  } else if (response.created()) {
    listener().OnAnswer(tag, Outcome::kDone, "");
  } else if (response.events_size() > 0) {
    listener().OnEvents(tag, static_cast<size_t>(response.events_size()));
  }
}

void EtcdWire::OnEnd(uint64_t cookie, const absl::Status& status) {
  const Stage stage = Stage::Of(cookie);
  const auto failed = [&](const absl::Status& why) {
    listener().OnAnswer(stage.tag, Outcome::kFailed, why.ToString());
  };
  switch (stage.step) {
    case Step::kGreet:
      if (status.ok()) return listener().OnReady();
      failure_ = status;
      return;
    case Step::kWatches:
      failure_ = status.ok() ? absl::UnavailableError("the server ended the watches") : status;
      return;
    default:
      break;
  }
  if (!status.ok()) return failed(status);
  Progress& progress = ProgressOf(stage.tag);
  if (progress.lacks != nullptr) {
    const Outcome outcome = stage.step == Step::kCreate ? Outcome::kExists : Outcome::kFailed;
    return listener().OnAnswer(stage.tag, outcome, progress.lacks);
  }
  if (stage.step == Step::kGrant) {
    etcd::PutRequest request;
    request.set_key(progress.path);
    request.set_lease(progress.lease);
    return Call(kPut, request, {Step::kPutLeased, stage.tag});
  }
  if (stage.step == Step::kPutLeased) return Revoke(progress.lease, {Step::kRevoke, stage.tag});
  listener().OnAnswer(stage.tag, Outcome::kDone, "");
}

}  // namespace pando::load
