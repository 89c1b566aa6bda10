#include "zookeeper/translate.h"

#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/overloaded.h"
#include "model/zookeeper.h"

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;
using jute::Opcode;
using model::NodeKind;

// -1 is any. No node has any other negative version, nor the one that stands in for them.
std::optional<int64_t> ExpectedVersion(int32_t version) {
  if (version == -1) return std::nullopt;
  return version < 0 ? std::numeric_limits<int64_t>::max() : version;
}

// ZooKeeper has them from the start: they cannot be deleted.
bool IsFixed(std::string_view path) {
  return path == "/" || path == model::kZooKeeperPath || path == model::kQuotaPath ||
         path == model::kConfigPath;
}

// Children, data, any, persistent, persistent and recursive.
ErrorCode CheckWatchType(int32_t type) {
  return type >= 1 && type <= 5 ? ErrorCode::kOk : ErrorCode::kMarshallingError;
}

// Of a create: 0 to 3 are persistent and ephemeral, sequential or not.
constexpr int32_t kContainer = 4;
constexpr int32_t kTtl = 5;
constexpr int32_t kTtlSequential = 6;

// kOk, and the operation in `*out`; or why there is none.
ErrorCode ToOperation(jute::Create&& in, model::Operation* out) {
  if (in.flags < 0 || in.flags > kTtlSequential) return ErrorCode::kBadArguments;
  if ((in.flags >= kTtl) != (in.type == Opcode::kCreateTtl)) return ErrorCode::kBadArguments;
  model::Create create;
  create.path = std::move(in.path);
  create.data = std::move(in.data);
  create.acl = std::move(in.acl);
  // To the machine no list is the open one. This one names nobody: it is refused there, where the
  // list has its place among the checks.
  if (create.acl.empty()) create.acl.emplace_back();
  if (in.flags == kContainer || in.type == Opcode::kCreateContainer) {
    create.kind = NodeKind::kContainer;
    create.sequential = in.flags == 2 || in.flags == 3;
  } else if (in.flags >= kTtl) {
    create.kind = NodeKind::kTtl;
    create.sequential = in.flags == kTtlSequential;
  } else {
    create.kind = (in.flags & 1) != 0 ? NodeKind::kEphemeral : NodeKind::kPersistent;
    create.sequential = (in.flags & 2) != 0;
  }
  create.sequence_is_int32 = create.sequential;
  create.ttl_ms = in.ttl_ms;
  create.if_not_exists = in.type == Opcode::kCreateIfNotExists;
  *out = std::move(create);
  return ErrorCode::kOk;
}

ErrorCode ToOperation(jute::Delete&& in, model::Operation* out) {
  if (IsFixed(in.path)) return ErrorCode::kBadArguments;
  *out = model::Delete{std::move(in.path), ExpectedVersion(in.version)};
  return ErrorCode::kOk;
}

ErrorCode ToOperation(jute::SetData&& in, model::Operation* out) {
  *out = model::Set{std::move(in.path), std::move(in.data), ExpectedVersion(in.version)};
  return ErrorCode::kOk;
}

ErrorCode ToOperation(jute::Check&& in, model::Operation* out) {
  *out = model::Check{std::move(in.path), ExpectedVersion(in.version)};
  return ErrorCode::kOk;
}

ErrorCode ToOperation(jute::CheckNotExists&& in, model::Operation* out) {
  *out = model::CheckAbsent{std::move(in.path), ExpectedVersion(in.version)};
  return ErrorCode::kOk;
}

ErrorCode ToOperation(jute::RemoveRecursive&& in, model::Operation* out) {
  if (IsFixed(in.path) || in.nodes_max == 0) return ErrorCode::kBadArguments;
  *out = model::Delete{.path = std::move(in.path), .recursive = true, .nodes_max = in.nodes_max};
  return ErrorCode::kOk;
}

model::CommandBody ToCommand(model::Operation operation) {
  return std::visit(
      base::Overloaded{
          [](model::Create& create) -> model::CommandBody { return std::move(create); },
          [](model::Set& set) -> model::CommandBody { return std::move(set); },
          [](model::Delete& del) -> model::CommandBody { return std::move(del); },
          [](model::SetAcl& set) -> model::CommandBody { return std::move(set); },
          [](auto& other) -> model::CommandBody {
            model::Transaction transaction;
            transaction.then_operations.emplace_back(std::move(other));
            return transaction;
          },
      },
      operation);
}

model::QueryBody ToQuery(jute::Read&& in) {
  switch (in.type) {
    case Opcode::kGetChildren:
    case Opcode::kGetChildren2:
    case Opcode::kFilteredList:
      return model::ListNames{std::move(in.path), static_cast<model::ListNames::Only>(in.filter)};
    default:
      return model::Get{std::move(in.path), in.type == Opcode::kExists};
  }
}

// Of one type of request after the other.
class Translator {
 public:
  Translator(Expected* expected, model::SessionId session, std::vector<Question>* questions)
      : expected_(expected), session_(session), questions_(questions) {}

  void operator()(jute::Create& in) {
    expected_->type = in.type;
    Alone(std::move(in));
  }
  void operator()(jute::Delete& in) {
    expected_->type = Opcode::kDelete;
    Alone(std::move(in));
  }
  void operator()(jute::SetData& in) {
    expected_->type = Opcode::kSetData;
    Alone(std::move(in));
  }
  void operator()(jute::CheckNotExists& in) {
    expected_->type = Opcode::kCheckNotExists;
    Alone(std::move(in));
  }
  void operator()(jute::RemoveRecursive& in) {
    expected_->type = Opcode::kRemoveRecursive;
    Alone(std::move(in));
  }
  void operator()(jute::Check&) {
    expected_->type = Opcode::kCheck;  // ZooKeeper has it inside a multi only
    expected_->refused = ErrorCode::kUnimplemented;
    expected_->ends_connection = true;
  }
  void operator()(jute::SetAcl& in) {
    expected_->type = Opcode::kSetAcl;
    Ask(model::CommandBody(
        model::SetAcl{std::move(in.path), std::move(in.acl), ExpectedVersion(in.version)}));
  }
  void operator()(jute::Read& in) {
    expected_->type = in.type;
    expected_->watch = in.watch;
    if (in.watch) expected_->path = in.path;
    if (in.filter > static_cast<uint8_t>(model::ListNames::Only::kEphemeral)) {
      expected_->refused = ErrorCode::kBadArguments;
      return;
    }
    Ask(ToQuery(std::move(in)));
  }
  void operator()(jute::GetAcl& in) {
    expected_->type = Opcode::kGetAcl;
    Ask(model::GetAcl{std::move(in.path)});
  }
  void operator()(jute::Sync& in) {
    expected_->type = Opcode::kSync;
    expected_->path = std::move(in.path);
    Ask(model::Touch{}, true);
  }
  void operator()(jute::Ping&) {
    expected_->type = Opcode::kPing;
    Ask(model::Touch{});
  }
  void operator()(jute::CloseSession&) {
    expected_->type = Opcode::kCloseSession;
    expected_->ends_connection = true;
    Ask(model::CommandBody(model::CloseSession{session_}));
  }
  void operator()(jute::Multi& in);
  void operator()(jute::MultiRead& in) {
    expected_->type = Opcode::kMultiRead;
    expected_->parts = std::make_unique<Expected::Parts>();
    for (jute::Read& read : in.parts) {
      expected_->parts->types.push_back(read.type);
      Ask(ToQuery(std::move(read)));
    }
  }
  void operator()(jute::Reconfig&) { expected_->type = Opcode::kReconfig; }  // reconfiguration.h
  void operator()(jute::CheckWatches& in) {
    expected_->type = Opcode::kCheckWatches;
    expected_->path = std::move(in.path);
    expected_->number = in.type;
    expected_->refused = CheckWatchType(in.type);
  }
  void operator()(jute::RemoveWatches& in) {
    expected_->type = Opcode::kRemoveWatches;
    expected_->path = std::move(in.path);
    expected_->number = in.type;
    expected_->refused = CheckWatchType(in.type);
  }
  void operator()(jute::AddWatch& in) {
    expected_->type = Opcode::kAddWatch;
    expected_->path = std::move(in.path);
    expected_->number = in.mode;
  }
  void operator()(jute::SetWatches& in);
  void operator()(jute::GetEphemerals& in) {
    expected_->type = Opcode::kGetEphemerals;
    Ask(model::ListEphemerals{session_, std::move(in.prefix)});
  }
  void operator()(jute::GetAllChildrenNumber& in) {
    expected_->type = Opcode::kGetAllChildrenNumber;
    Ask(model::CountDescendants{std::move(in.path)});
  }
  void operator()(jute::WhoAmI&) { expected_->type = Opcode::kWhoAmI; }
  // These two are answered out of turn, by the connection itself.
  void operator()(jute::Auth&) { expected_->type = Opcode::kAuth; }
  void operator()(jute::Sasl&) { expected_->type = Opcode::kSasl; }

 private:
  void Ask(model::CommandBody body) {
    questions_->push_back({std::move(body)});
    ++expected_->answers;
  }
  void Ask(model::QueryBody body, bool linearizable = false) {
    questions_->push_back({std::move(body), linearizable});
    ++expected_->answers;
  }
  template <class Request>
  void Alone(Request&& request) {
    model::Operation operation;
    expected_->refused = ToOperation(std::forward<Request>(request), &operation);
    if (expected_->refused == ErrorCode::kOk) Ask(ToCommand(std::move(operation)));
  }

  Expected* const expected_;
  const model::SessionId session_;
  std::vector<Question>* const questions_;
};

// In a multi the flags say what a create is, whatever opcode it came under.
void TakeFlagsAtTheirWord(jute::Create* create) {
  if (create->type == Opcode::kCreateIfNotExists) return;  // it knows no such thing
  if (create->flags == kContainer) {
    create->type = Opcode::kCreateContainer;
  } else if (create->flags >= 0 && create->flags < kContainer &&
             create->type == Opcode::kCreateTtl) {
    create->type = Opcode::kCreate;
  }
  if (create->type != Opcode::kCreateTtl) create->ttl_ms = 0;
}

// A part that is refused here becomes one that the machine refuses for certain, so that those
// before it are tried as ever.
void Translator::operator()(jute::Multi& in) {
  expected_->type = Opcode::kMulti;
  expected_->parts = std::make_unique<Expected::Parts>();
  Expected::Parts& parts = *expected_->parts;
  model::Transaction transaction;
  for (jute::Multi::Part& part : in.parts) {
    if (auto* create = std::get_if<jute::Create>(&part)) TakeFlagsAtTheirWord(create);
    parts.types.push_back(std::visit(
        base::Overloaded{[](const jute::Create& create) { return create.type; },
                         [](const jute::Delete&) { return Opcode::kDelete; },
                         [](const jute::SetData&) { return Opcode::kSetData; },
                         [](const jute::Check&) { return Opcode::kCheck; },
                         [](const jute::CheckNotExists&) { return Opcode::kCheckNotExists; },
                         [](const jute::RemoveRecursive&) { return Opcode::kRemoveRecursive; }},
        part));
    if (parts.refused != ErrorCode::kOk) continue;
    model::Operation operation;
    parts.refused =
        std::visit([&](auto& one) { return ToOperation(std::move(one), &operation); }, part);
    if (parts.refused != ErrorCode::kOk) {
      parts.refused_at = static_cast<uint32_t>(transaction.then_operations.size());
      operation = model::Check{};  // of no path
    }
    transaction.then_operations.push_back(std::move(operation));
  }
  Ask(model::CommandBody(std::move(transaction)));
}

void Translator::operator()(jute::SetWatches& in) {
  expected_->type = Opcode::kSetWatches;
  expected_->parts = std::make_unique<Expected::Parts>();
  model::Probe probe;
  for (const std::vector<std::string>* paths : {&in.data, &in.exist, &in.child}) {
    probe.paths.insert(probe.paths.end(), paths->begin(), paths->end());
  }
  expected_->parts->watches = std::move(in);
  Ask(std::move(probe));
}

}  // namespace

Expected Translate(jute::Request request, model::SessionId session,
                   std::vector<Question>* questions) {
  Expected expected;
  std::visit(Translator(&expected, session, questions), request);
  return expected;
}

}  // namespace pando::zookeeper
