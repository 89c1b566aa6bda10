#include "bench/native_wire.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "pando/v1/lock.pb.h"
#include "pando/v1/session.pb.h"

namespace pando::load {
namespace {

// The most that a server grants: a load beats for nobody.
constexpr int64_t kSessionTimeoutMs = 600'000;
// So that a server can begin with the first of what is asked while the rest is still coming.
constexpr int kOperationsPerMessageMax = 256;

void Fill(const Operation& in, v1::PipelineOperation* out) {
  const auto set = [&](const std::string& path, v1::SetRequest* request) {
    request->set_path(path);
    request->set_data(in.data.data(), in.data.size());
  };
  switch (in.kind) {
    case Operation::Kind::kCreate:
      out->mutable_create()->set_path(in.path());
      out->mutable_create()->set_data(in.data.data(), in.data.size());
      return;
    case Operation::Kind::kSet:
      set(in.path(), out->mutable_set());
      return;
    case Operation::Kind::kGet:
      out->mutable_get()->set_path(in.path());
      return;
    case Operation::Kind::kList:
      out->mutable_list()->set_path(in.path());
      return;
    case Operation::Kind::kMulti:
      out->mutable_transact()->clear_then_operations();
      for (const std::string& path : in.paths) {
        set(path, out->mutable_transact()->add_then_operations()->mutable_set());
      }
      return;
    default:
      CHECK(false);
  }
}

bool IsOnNodes(Operation::Kind kind) {
  switch (kind) {
    case Operation::Kind::kCreate:
    case Operation::Kind::kSet:
    case Operation::Kind::kGet:
    case Operation::Kind::kList:
    case Operation::Kind::kMulti:
      return true;
    default:
      return false;
  }
}

Outcome OutcomeOf(absl::StatusCode code) {
  if (code == absl::StatusCode::kOk) return Outcome::kDone;
  return code == absl::StatusCode::kAlreadyExists ? Outcome::kExists : Outcome::kFailed;
}

std::string Text(const absl::Status& status) { return status.ok() ? "" : status.ToString(); }

}  // namespace

NativeWire::NativeWire(Listener* listener, Options options)
    : Wire(listener), options_(options), channel_(this) {
  if (options_.linearizable) {
    pending_.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  }
}

void NativeWire::Open() {
  if (options_.pipeline) {
    pipeline_ = channel_.StartStream("/pando.v1.TreeService/Pipeline",
                                     Stage{Step::kPipeline, Tag{}}.cookie());
  }
  if (options_.needs_session) {
    OpenSession({Step::kGreet, Tag{}});
  } else {
    listener().OnReady();
  }
}

void NativeWire::Write(std::string* out) {
  if (pending_count_ > 0) {
    while (pending_.operations_size() > pending_count_) {
      pending_.mutable_operations()->RemoveLast();
    }
    pending_.SerializeToString(&bytes_);
    channel_.Send(pipeline_, bytes_);
    pending_count_ = 0;
  }
  channel_.Write(out);
}

absl::Status NativeWire::Read(std::string_view bytes) {
  PANDO_RETURN_IF_ERROR(channel_.Read(bytes));
  return failure_;
}

void NativeWire::Ask(const Operation& operation, Tag tag) {
  if (IsOnNodes(operation.kind)) {
    if (options_.pipeline) {
      AskOverPipeline(operation, tag);
    } else {
      AskAlone(operation, tag);
    }
    return;
  }
  switch (operation.kind) {
    case Operation::Kind::kSession:
      SessionOf(tag).path = operation.path();
      OpenSession({Step::kOpen, tag});
      return;
    case Operation::Kind::kLock: {
      v1::LockRequest request;
      request.set_name(operation.path());
      request.mutable_header()->set_session_id(own_.id);
      Call("/pando.v1.LockService/Lock", request, {Step::kLock, tag}, &own_);
      return;
    }
    case Operation::Kind::kUnlock: {
      v1::UnlockRequest request;
      request.set_ownership_path(held_);
      request.mutable_header()->set_session_id(own_.id);
      Call("/pando.v1.LockService/Unlock", request, {Step::kOperation, tag}, &own_);
      return;
    }
    case Operation::Kind::kSync:
      return Call("/pando.v1.TreeService/Sync", v1::SyncRequest(), {Step::kOperation, tag});
    case Operation::Kind::kWatch: {
      v1::WatchRequest request;
      v1::WatchTarget* const target = request.add_targets();
      target->set_path(operation.path());
      target->set_kind(v1::WATCH_KIND_NODE);
      Call("/pando.v1.TreeService/Watch", request, {Step::kWatch, tag});
      return;
    }
    case Operation::Kind::kLeave:
      if (own_.id == 0) {
        listener().OnAnswer(tag, Outcome::kDone, "");
      } else {
        CloseSession(own_, {Step::kOperation, tag});
      }
      return;
    default:
      CHECK(false);
  }
}

void NativeWire::AskOverPipeline(const Operation& operation, Tag tag) {
  if (pending_count_ == kOperationsPerMessageMax) {
    pending_.SerializeToString(&bytes_);
    channel_.Send(pipeline_, bytes_);
    pending_count_ = 0;
  }
  const bool used = pending_count_ < pending_.operations_size();
  v1::PipelineOperation* const next =
      used ? pending_.mutable_operations(pending_count_) : pending_.add_operations();
  ++pending_count_;
  next->set_request_id(static_cast<int64_t>(tag));
  Fill(operation, next);
}

void NativeWire::AskAlone(const Operation& operation, Tag tag) {
  Fill(operation, &alone_);
  const Stage stage{Step::kOperation, tag};
  const auto read = [&](auto* request) {
    if (options_.linearizable) {
      request->mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
    }
    return request;
  };
  switch (operation.kind) {
    case Operation::Kind::kCreate:
      return Call("/pando.v1.TreeService/Create", alone_.create(), stage);
    case Operation::Kind::kSet:
      return Call("/pando.v1.TreeService/Set", alone_.set(), stage);
    case Operation::Kind::kGet:
      return Call("/pando.v1.TreeService/Get", *read(alone_.mutable_get()), stage);
    case Operation::Kind::kList:
      return Call("/pando.v1.TreeService/List", *read(alone_.mutable_list()), stage);
    default:
      return Call("/pando.v1.TreeService/Transact", alone_.transact(), stage);
  }
}

void NativeWire::Call(std::string_view method, const google::protobuf::MessageLite& request,
                      Stage stage, const Session* session) {
  request.SerializeToString(&bytes_);
  GrpcChannel::Metadata metadata;
  if (session != nullptr) {
    metadata.emplace_back("pando-session-token-bin", absl::Base64Escape(session->token));
  }
  channel_.Start(method, bytes_, stage.cookie(), metadata);
}

void NativeWire::OpenSession(Stage stage) {
  v1::OpenRequest request;
  request.set_timeout_ms(kSessionTimeoutMs);
  Call("/pando.v1.SessionService/Open", request, stage);
}

void NativeWire::MakeEphemeral(Tag tag) {
  const Session& session = SessionOf(tag);
  v1::CreateRequest request;
  request.mutable_header()->set_session_id(session.id);
  request.set_path(session.path);
  request.set_kind(v1::NODE_KIND_EPHEMERAL);
  Call("/pando.v1.TreeService/Create", request, {Step::kEphemeral, tag}, &session);
}

void NativeWire::CloseSession(const Session& session, Stage stage) {
  v1::CloseRequest request;
  request.mutable_header()->set_session_id(session.id);
  Call("/pando.v1.SessionService/Close", request, stage, &session);
}

NativeWire::Session& NativeWire::SessionOf(Tag tag) {
  const auto index = static_cast<size_t>(tag);
  if (sessions_.size() <= index) sessions_.resize(index + 1);
  return sessions_[index];
}

void NativeWire::OnMessage(uint64_t cookie, std::string_view message) {
  const Stage stage = Stage::Of(cookie);
  const auto parse = [&](google::protobuf::MessageLite* response) {
    // What a server sends that is no such message shows as what it then lacks.
    (void)response->ParseFromArray(message.data(), static_cast<int>(message.size()));
  };
  switch (stage.step) {
    case Step::kPipeline:
      return OnResults(message);
    case Step::kGreet:
    case Step::kOpen: {
      v1::OpenResponse response;
      parse(&response);
      Session& session = stage.step == Step::kGreet ? own_ : SessionOf(stage.tag);
      session.id = response.session_id();
      session.token = response.token();
      return;
    }
    case Step::kLock: {
      v1::LockResponse response;
      parse(&response);
      held_ = response.ownership_path();
      return;
    }
    case Step::kWatch: {
      v1::WatchResponse response;
      parse(&response);
      if (response.events_size() > 0) {
        listener().OnEvents(stage.tag, static_cast<size_t>(response.events_size()));
      } else if (watched_.insert(stage.tag).second) {
        listener().OnAnswer(stage.tag, Outcome::kDone, "");
      }
      return;
    }
    case Step::kOperation:
    case Step::kEphemeral:
    case Step::kClose:
      return;  // nothing that the load needs to know; the status follows
  }
}

void NativeWire::OnEnd(uint64_t cookie, const absl::Status& status) {
  const Stage stage = Stage::Of(cookie);
  switch (stage.step) {
    case Step::kPipeline:
      failure_ = status.ok() ? absl::UnavailableError("the server ended the Pipeline") : status;
      return;
    case Step::kGreet:
      if (status.ok()) {
        listener().OnReady();
      } else {
        failure_ = status;
      }
      return;
    case Step::kOpen:
      if (status.ok()) return MakeEphemeral(stage.tag);
      break;
    case Step::kEphemeral:
      if (status.ok()) return CloseSession(SessionOf(stage.tag), {Step::kClose, stage.tag});
      break;
    case Step::kWatch:
      failure_ = status.ok() ? absl::UnavailableError("the server ended a watch") : status;
      return;
    case Step::kOperation:
    case Step::kClose:
    case Step::kLock:
      break;
  }
  listener().OnAnswer(stage.tag, OutcomeOf(status.code()), Text(status));
}

void NativeWire::OnResults(std::string_view message) {
  (void)results_.ParseFromArray(message.data(), static_cast<int>(message.size()));
  for (const v1::PipelineResult& result : results_.results()) {
    const Tag tag{static_cast<uint32_t>(result.request_id())};
    if (result.has_error()) {
      listener().OnAnswer(tag, OutcomeOf(static_cast<absl::StatusCode>(result.error().code())),
                          result.error().message());
    } else {
      listener().OnAnswer(tag, Outcome::kDone, "");
    }
  }
}

}  // namespace pando::load
