// Apply is total: whatever commands stand in the log, in whatever order, the machine answers each,
// and the records of its deltas, loaded into another machine, are the same state.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/command.h"
#include "codec/reply.h"
#include "fuzz.h"
#include "machine/machine.h"

namespace pando::machine {
namespace {

constexpr size_t kCommandsMax = 200;

class Log {
 public:
  explicit Log(std::string_view bytes) : choices_(bytes) {}

  void Run() {
    for (size_t i = 0; i < kCommandsMax && choices_.more(); ++i) Step();
    Machine loaded;
    for (const auto& [key, value] : records_) CHECK(loaded.Load(key, value).ok());
    CHECK(loaded.FinishLoad(machine_.applied(), machine_.digest()).ok());
    CHECK(loaded.counts().nodes == machine_.counts().nodes);
    CHECK(loaded.counts().data_bytes == machine_.counts().data_bytes);
    CHECK(loaded.counts().ephemerals == machine_.counts().ephemerals);
    CHECK(loaded.counts().sessions == machine_.counts().sessions);
  }

 private:
  void Step() {
    switch (choices_.Below(16)) {
      case 0:
        machine_.Query({.session = SessionId(), .body = Query()});
        return;
      case 1:
        machine_.DueForReap(Wall(), 1 + choices_.Below(8));
        return;
      case 2:
        Keep(machine_.ApplyNoop(NextRevision()));
        return;
      case 3:
        Keep(machine_.ApplyMembership(NextRevision(), Membership()));
        return;
      default:
        ApplyCommand();
        return;
    }
  }

  void ApplyCommand() {
    const model::Command command = Command();
    // What the log carries is what was proposed.
    model::Command decoded;
    const std::string bytes = codec::EncodeCommand(command);
    CHECK(codec::DecodeCommand(bytes, &decoded));
    CHECK(codec::EncodeCommand(decoded) == bytes);
    const Applied applied = machine_.Apply(NextRevision(), decoded);
    if (applied.effective) {
      model::Reply reply;
      CHECK(codec::DecodeReply(codec::EncodeReply(applied.reply), &reply));
    } else {
      CHECK(applied.delta.writes.empty());
      CHECK(applied.changes == nullptr);
    }
    Keep(applied);
  }

  void Keep(const Applied& applied) {
    for (const model::RecordWrite& write : applied.delta.writes) {
      if (write.value) {
        records_[write.key] = *write.value;
      } else {
        records_.erase(write.key);
      }
    }
    if (applied.changes != nullptr) CHECK(applied.changes->revision == machine_.applied());
  }

  // --- Choices --------------------------------------------------------------------------------

  model::Revision NextRevision() { return machine_.applied() + 1; }
  base::WallTime Wall() { return {choices_.Signed()}; }
  // An old revision: so an id that a session may have.
  model::SessionId SessionId() { return model::SessionId(choices_.Number()); }

  std::string Path() {
    static constexpr const char* kPaths[] = {"/",
                                             "/a",
                                             "/b",
                                             "/a/b",
                                             "/a/c",
                                             "/a/b/c",
                                             "/ttl",
                                             "/ttl/x",
                                             "/a-",
                                             "/a/",
                                             "",
                                             "/pando",
                                             "//",
                                             "/a/./b",
                                             "/a/..",
                                             "relative",
                                             "/zookeeper/config",
                                             "/zookeeper/quota/a/zookeeper_limits",
                                             "/zookeeper/quota/a/b/zookeeper_limits",
                                             "/zookeeper/quota/a/zookeeper_stats"};
    constexpr size_t count = sizeof(kPaths) / sizeof(kPaths[0]);
    const size_t choice = choices_.Below(count + 1);
    return choice < count ? std::string(kPaths[choice]) : std::string(choices_.Bytes());
  }
  model::NodeBytes Data() {
    const size_t choice = choices_.Below(5);
    if (choice == 0) return std::nullopt;
    if (choice == 1) return "countHardLimit=3;byteHardLimit=9";
    return std::string(choices_.Bytes());
  }
  std::optional<int64_t> Version() {
    if (choices_.Yes()) return std::nullopt;
    return choices_.Signed();
  }
  model::Acl Acl() {
    model::Acl acl;
    for (size_t count = choices_.Below(3); count > 0; --count) {
      acl.push_back({choices_.Byte(), Identity()});  // some are no permissions
    }
    return acl;
  }
  model::Identity Identity() {
    return {choices_.Yes() ? "world" : std::string(choices_.Bytes()),
            choices_.Yes() ? "anyone" : "ann"};
  }

  model::Create Create() {
    return {.path = Path(),
            .data = Data(),
            .kind = static_cast<model::NodeKind>(choices_.Below(4)),
            .sequential = choices_.Yes(),
            .ttl_ms = choices_.Signed(),
            .acl = Acl(),
            .create_parents = choices_.Yes(),
            .if_not_exists = choices_.Yes()};
  }
  model::Set Set() { return {Path(), Data(), Version()}; }
  model::Delete Delete() { return {Path(), Version(), choices_.Yes(), choices_.Byte()}; }
  model::SetAcl SetAcl() { return {Path(), Acl(), Version(), choices_.Yes()}; }
  model::Get Get() { return {Path(), choices_.Yes()}; }

  model::Operation Operation() {
    switch (choices_.Below(7)) {
      case 0:
        return Create();
      case 1:
        return Set();
      case 2:
        return Delete();
      case 3:
        return SetAcl();
      case 4:
        return model::Check{Path(), Version()};
      case 5:
        return model::CheckAbsent{Path(), Version()};
      default:
        return Get();
    }
  }
  std::vector<model::Operation> Operations() {
    std::vector<model::Operation> operations;
    for (size_t count = choices_.Below(6); count > 0; --count) operations.push_back(Operation());
    return operations;
  }
  model::Transaction Transaction() {
    model::Transaction transaction;
    for (size_t count = choices_.Below(3); count > 0; --count) {
      transaction.compares.push_back(
          {.path = Path(),
           .subject = static_cast<model::Compare::Subject>(1 + choices_.Below(7)),
           .relation = static_cast<model::Compare::Relation>(1 + choices_.Below(4)),
           .number = choices_.Signed(),
           .bytes = Data()});
    }
    transaction.then_operations = Operations();
    transaction.else_operations = Operations();
    return transaction;
  }
  model::ExpireSessions Expire() {
    model::ExpireSessions expire;
    for (size_t count = choices_.Below(4); count > 0; --count) {
      expire.sessions.push_back(SessionId());
    }
    return expire;
  }
  model::Reap Reap() {
    model::Reap reap;
    if (choices_.Yes()) reap.nodes = machine_.DueForReap(Wall(), 4);
    if (choices_.Yes()) reap.nodes.push_back({Path(), model::Revision(choices_.Number()), Wall()});
    return reap;
  }

  model::CommandBody Body() {
    switch (choices_.Below(20)) {
      case 0:
        return model::Nothing{};
      case 1:
        return model::Refuse{model::Reason::kOverloaded};
      case 2:
        return model::Found{model::ClusterId(choices_.Number())};
      case 3:
        return model::SetMachineVersion{static_cast<uint32_t>(choices_.Number())};
      case 4:
      case 5:
        return model::OpenSession{choices_.Signed(), std::string(choices_.Bytes())};
      case 6:
        return model::AttachSession{SessionId()};
      case 7:
        return model::CloseSession{SessionId()};
      case 8:
        return Expire();
      case 9:
        return Reap();
      case 10:
      case 11:
        return Set();
      case 12:
        return Delete();
      case 13:
        return SetAcl();
      case 14:
      case 15:
        return Transaction();
      default:
        return Create();
    }
  }

  model::Command Command() {
    model::Command command;
    if (choices_.Below(4) == 0) {
      command.source = {model::StorageId(choices_.Number()), model::StartCount(choices_.Number())};
      command.number = model::SourceNumber(choices_.Number());
    }
    command.stamp = Wall();
    if (choices_.Yes()) {
      command.session = SessionId();
      command.attachment = model::Attachment(choices_.Number());
      command.request = model::RequestId(choices_.Number());
      command.first_outstanding = model::RequestId(choices_.Number());
      command.request_hash = choices_.Number();
    }
    if (choices_.Yes()) command.identities.push_back(Identity());
    command.body = Body();
    return command;
  }

  model::Membership Membership() {
    model::Membership membership;
    const size_t count = choices_.Below(4);
    for (uint64_t id = 1; id <= count; ++id) {
      membership.members.push_back(
          {.id = model::ServerId(id), .storage = model::StorageId(choices_.Number())});
    }
    return membership;
  }

  model::QueryBody Query() {
    switch (choices_.Below(6)) {
      case 0:
        return Get();
      case 1:
        return model::List{.path = Path(),
                           .page_size = choices_.Byte(),
                           .after = std::string(choices_.Bytes()),
                           .prefix = std::string(choices_.Bytes()),
                           .with_stat = choices_.Yes(),
                           .with_data = choices_.Yes()};
      case 2:
        return model::GetAcl{Path()};
      case 3:
        return model::Walk{Path(), choices_.Byte(), choices_.Yes()};
      case 4:
        return model::ListSessions{};
      default:
        return model::Touch{};
    }
  }

  fuzz::Choices choices_;
  Machine machine_;
  std::map<std::string, std::string> records_;
};

}  // namespace
}  // namespace pando::machine

FUZZ(bytes) { pando::machine::Log(bytes).Run(); }
