// The vocabulary of the tests of Machine.
#ifndef PANDO_MACHINE_TESTING_MACHINE_FIXTURE_H_
#define PANDO_MACHINE_TESTING_MACHINE_FIXTURE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec/command.h"
#include "gtest/gtest.h"
#include "machine/machine.h"

namespace pando::machine {

// Each call is one entry of the log; after each, what the store would hold is loaded into a second
// machine, which must be the same.
class MachineFixture : public testing::Test {
 protected:
  using Changes = std::vector<std::string>;
  using Records = std::map<std::string, std::string>;

  MachineFixture() {
    stamp_ = 1'000;
    Do(model::Found{model::ClusterId(5)});
  }

  Applied Apply(const model::Command& command) {
    return Check(machine_.Apply(model::Revision(++revision_), command));
  }
  Applied Check(Applied applied) {
    for (const model::RecordWrite& write : applied.delta.writes) {
      if (write.value) {
        records_[write.key] = *write.value;
      } else {
        records_.erase(write.key);
      }
    }
    Machine loaded;
    for (const auto& [key, value] : records_) EXPECT_TRUE(loaded.Load(key, value).ok()) << key;
    EXPECT_EQ(loaded.FinishLoad(machine_.applied(), machine_.digest()), absl::OkStatus());
    EXPECT_EQ(loaded.counts().nodes, machine_.counts().nodes);
    EXPECT_EQ(loaded.counts().data_bytes, machine_.counts().data_bytes);
    EXPECT_EQ(loaded.counts().ephemerals, machine_.counts().ephemerals);
    changes_.clear();
    if (applied.changes) {
      for (const model::Change& change : applied.changes->changes) {
        changes_.push_back(Name(change.kind) + " " + change.path);
      }
    }
    return applied;
  }

  model::Reply Do(model::CommandBody body) {
    model::Command command;
    command.stamp.ms = stamp_;
    command.identities = identities_;
    command.session = session_;
    command.attachment = attachment_;
    command.request = request_;
    command.first_outstanding = first_outstanding_;
    command.request_hash = codec::HashBody(body);
    command.body = std::move(body);
    return Apply(command).reply;
  }

  model::Reason Create(std::string path, model::NodeBytes data = "", model::Create with = {}) {
    with.path = std::move(path);
    with.data = std::move(data);
    const model::Reply reply = Do(with);
    if (reply.ok()) created_ = std::get<model::OperationResult>(reply.result).path;
    return reply.error.reason;
  }
  model::Reason Set(std::string path, model::NodeBytes data, std::optional<int64_t> version = {}) {
    return Do(model::Set{std::move(path), std::move(data), version}).error.reason;
  }
  model::Reason Delete(std::string path, std::optional<int64_t> version = {},
                       bool recursive = false) {
    return Do(model::Delete{std::move(path), version, recursive}).error.reason;
  }
  model::Reply Ask(model::QueryBody body) const {
    return machine_.Query({.identities = identities_, .body = std::move(body)});
  }
  model::NodeBytes Data(const std::string& path) const {
    return std::get<model::OperationResult>(Ask(model::Get{path}).result).data;
  }
  bool Exists(const std::string& path) const { return Ask(model::Get{path}).ok(); }
  model::Stat StatOf(const std::string& path) const {
    return std::get<model::OperationResult>(Ask(model::Get{path}).result).stat;
  }
  model::SessionId Open(int64_t timeout_ms = 10'000) {
    const model::Reply reply = Do(model::OpenSession{timeout_ms, std::string(32, 't')});
    EXPECT_TRUE(reply.ok());
    return std::get<model::SessionResult>(reply.result).session;
  }

  static std::string Name(model::ChangeKind kind) {
    switch (kind) {
      case model::ChangeKind::kCreated:
        return "created";
      case model::ChangeKind::kDeleted:
        return "deleted";
      case model::ChangeKind::kDataChanged:
        return "data";
      case model::ChangeKind::kAclChanged:
        return "acl";
    }
    return "?";
  }

  Machine machine_;
  Records records_;
  uint64_t revision_ = 0;
  // Who may do everything: permissions are permission_test's.
  const std::vector<model::Identity> identities_ = {{"super", ""}};
  int64_t stamp_ = 0;
  model::SessionId session_;
  model::Attachment attachment_;
  model::RequestId request_;
  model::RequestId first_outstanding_;
  std::string created_;
  Changes changes_;  // of the last command
};

}  // namespace pando::machine

#endif  // PANDO_MACHINE_TESTING_MACHINE_FIXTURE_H_
