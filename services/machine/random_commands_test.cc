// Random commands against a model that is as plain as can be: a map from path to node. What they
// agree on: every reply's success, every node, and that a rolled back transaction never was.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "model/path.h"

namespace pando::machine {
namespace {

using model::NodeKind;
using model::Reason;

struct PlainNode {
  model::NodeBytes data;
  NodeKind kind = NodeKind::kPersistent;
  model::SessionId owner;
  int64_t version = 0;
  int64_t creates = 0;
  int64_t changes = 0;  // of children
};

class PlainTree {
 public:
  PlainTree() { nodes_["/"].data = ""; }

  Reason Create(const model::Create& create, model::SessionId session) {
    const std::string parent(model::ParentPath(create.path));
    std::string path = create.path;
    if (!nodes_.contains(parent)) return Reason::kNoParent;
    if (create.sequential) {
      std::string number = std::to_string(nodes_[parent].creates);
      path += std::string(10 - number.size(), '0') + number;
    }
    if (nodes_.contains(path)) return Reason::kNodeExists;
    if (nodes_[parent].kind == NodeKind::kEphemeral) return Reason::kNoChildrenForEphemerals;
    ++nodes_[parent].creates;
    ++nodes_[parent].changes;
    PlainNode& node = nodes_[path];
    node.data = create.data;
    node.kind = create.kind;
    if (create.kind == NodeKind::kEphemeral) node.owner = session;
    return Reason::kOk;
  }
  Reason Set(const model::Set& set) {
    if (!nodes_.contains(set.path)) return Reason::kNoNode;
    PlainNode& node = nodes_[set.path];
    if (set.expected_version && *set.expected_version != node.version) return Reason::kBadVersion;
    node.data = set.data;
    ++node.version;
    return Reason::kOk;
  }
  Reason Delete(const model::Delete& del) {
    if (!nodes_.contains(del.path)) return Reason::kNoNode;
    if (del.expected_version && *del.expected_version != nodes_[del.path].version) {
      return Reason::kBadVersion;
    }
    const std::vector<std::string> below = Below(del.path);
    if (!below.empty() && !del.recursive) return Reason::kNotEmpty;
    for (const std::string& path : below) nodes_.erase(path);
    nodes_.erase(del.path);
    ++nodes_[std::string(model::ParentPath(del.path))].changes;
    return Reason::kOk;
  }
  void EndSession(model::SessionId session) {
    std::vector<std::string> owned;
    for (const auto& [path, node] : nodes_) {
      if (node.owner == session) owned.push_back(path);
    }
    for (const std::string& path : owned) Delete({.path = path});
  }

  std::vector<std::string> Below(const std::string& path) const {
    std::vector<std::string> below;
    for (const auto& [other, node] : nodes_) {
      if (other != path && model::IsWithin(other, path)) below.push_back(other);
    }
    return below;
  }
  const std::map<std::string, PlainNode>& nodes() const { return nodes_; }

 private:
  std::map<std::string, PlainNode> nodes_;
};

class RandomCommands {
 public:
  explicit RandomCommands(uint64_t seed) : rng_(seed) {
    model::Command found;
    found.body = model::Found{model::ClusterId(1)};
    Apply(found);
  }

  void Run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) Step();
    Compare();
  }

 private:
  Applied Apply(const model::Command& command) {
    Applied applied = machine_.Apply(model::Revision(++revision_), command);
    for (const model::RecordWrite& write : applied.delta.writes) {
      if (write.value) {
        records_[write.key] = *write.value;
      } else {
        records_.erase(write.key);
      }
    }
    return applied;
  }

  std::string Path() {
    std::string path;
    for (uint64_t depth = rng_.Between(1, 3); depth > 0; --depth) {
      path += std::string("/") + static_cast<char>('a' + rng_.Below(3));
    }
    return path;
  }
  std::optional<int64_t> Version() {
    if (rng_.Chance(700)) return std::nullopt;
    return static_cast<int64_t>(rng_.Below(3));
  }

  model::Operation Operation() {
    const uint64_t kind = rng_.Below(10);
    if (kind < 5) {
      model::Create create{.path = Path(), .data = std::string(rng_.Below(20), 'd')};
      if (rng_.Chance(100)) create.data = std::nullopt;
      create.sequential = rng_.Chance(200);
      if (session_ && rng_.Chance(300)) create.kind = NodeKind::kEphemeral;
      if (rng_.Chance(200)) create.kind = NodeKind::kTtl, create.ttl_ms = 5;
      if (rng_.Chance(300)) {
        create.acl = {{model::kRead, {"ip", "10.0.0." + std::to_string(rng_.Below(3))}}};
      }
      return create;
    }
    if (kind < 8) return model::Set{Path(), std::string(rng_.Below(20), 's'), Version()};
    return model::Delete{Path(), Version(), rng_.Chance(500)};
  }
  Reason ToPlain(const model::Operation& operation) {
    if (const auto* create = std::get_if<model::Create>(&operation)) {
      return plain_.Create(*create, session_);
    }
    if (const auto* set = std::get_if<model::Set>(&operation)) return plain_.Set(*set);
    return plain_.Delete(std::get<model::Delete>(operation));
  }

  void Step() {
    model::Command command;
    command.stamp.ms = static_cast<int64_t>(revision_);
    command.identities = {{"super", ""}};
    command.session = session_;
    const uint64_t kind = rng_.Below(100);
    if (kind < 3) {
      command.session = {};
      if (session_) {
        command.body = model::ExpireSessions{{session_}};
        plain_.EndSession(session_);
        session_ = {};
        Apply(command);
      } else {
        command.body = model::OpenSession{5'000, std::string(32, 't')};
        session_ = std::get<model::SessionResult>(Apply(command).reply.result).session;
      }
      return;
    }
    if (kind < 60) {
      const model::Operation operation = Operation();
      std::visit(
          [&](const auto& body) {
            if constexpr (std::is_constructible_v<model::CommandBody, decltype(body)>) {
              command.body = body;
            }
          },
          operation);
      EXPECT_EQ(Apply(command).reply.error.reason, ToPlain(operation)) << "revision " << revision_;
      return;
    }
    model::Transaction transaction;
    for (uint64_t i = rng_.Between(0, 6); i > 0; --i) {
      transaction.then_operations.push_back(Operation());
    }
    command.body = transaction;
    const PlainTree before = plain_;
    Reason expected = Reason::kOk;
    for (const model::Operation& operation : transaction.then_operations) {
      if (expected = ToPlain(operation); expected != Reason::kOk) break;
    }
    if (expected != Reason::kOk) plain_ = before;
    EXPECT_EQ(Apply(command).reply.error.reason, expected) << "revision " << revision_;
  }

  void Compare() {
    Machine loaded;
    for (const auto& [key, value] : records_) ASSERT_TRUE(loaded.Load(key, value).ok());
    ASSERT_TRUE(loaded.FinishLoad(machine_.applied(), machine_.digest()).ok());
    for (const Machine* machine : {&machine_, &loaded}) {
      EXPECT_EQ(machine->counts().nodes, plain_.nodes().size());
      for (const auto& [path, node] : plain_.nodes()) {
        const model::Reply reply =
            machine->Query({.identities = {{"super", ""}}, .body = model::Get{path}});
        ASSERT_TRUE(reply.ok()) << path;
        const auto& result = std::get<model::OperationResult>(reply.result);
        EXPECT_EQ(result.data, node.data) << path;
        EXPECT_EQ(result.stat.version, node.version) << path;
        EXPECT_EQ(result.stat.children_version, node.changes) << path;
        EXPECT_EQ(result.stat.ephemeral_owner, node.owner) << path;
      }
    }
  }

  base::Rng rng_;
  Machine machine_;
  PlainTree plain_;
  std::map<std::string, std::string> records_;
  uint64_t revision_ = 0;
  model::SessionId session_;
};

TEST(Machine, AgreesWithAPlainTree) {
  for (uint64_t seed = 1; seed <= 100 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomCommands(seed).Run(300);
  }
}

}  // namespace
}  // namespace pando::machine
