// Quotas in the machine: what they refuse, what they tell, and that they forget nothing; first case
// by case, then random commands against a model that counts everything anew each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "codec/record.h"
#include "machine/machine.h"
#include "model/path.h"
#include "model/zookeeper.h"
#include "quota/nodes.h"

namespace pando::machine {
namespace {

using model::Reason;
using Records = std::map<std::string, std::string>;

// A machine, and what its store would hold.
class Quotaed {
 public:
  Quotaed() {
    Do(model::Found{model::ClusterId(1)});
    for (const char* path : {model::kZooKeeperPath, model::kQuotaPath}) {
      Do(model::Create{.path = path});
    }
  }

  model::Reply Do(model::CommandBody body) {
    changes_.clear();
    const model::Command command{.identities = {{"super", ""}}, .body = std::move(body)};
    Applied applied = machine_->Apply(model::Revision(++revision_), command);
    for (const model::RecordWrite& write : applied.delta.writes) {
      if (write.value) {
        records_[write.key] = *write.value;
      } else {
        records_.erase(write.key);
      }
    }
    if (applied.changes) changes_ = applied.changes->changes;
    writes_ = std::move(applied.delta.writes);
    return std::move(applied.reply);
  }
  Reason Create(std::string path, model::NodeBytes data = "") {
    return Do(model::Create{.path = std::move(path), .data = std::move(data)}).error.reason;
  }
  Reason Set(std::string path, model::NodeBytes data) {
    return Do(model::Set{.path = std::move(path), .data = std::move(data)}).error.reason;
  }
  Reason Delete(std::string path) {
    return Do(model::Delete{.path = std::move(path), .recursive = true}).error.reason;
  }
  // As zkCli does.
  void SetQuota(const std::string& path, const std::string& limits) {
    const std::string node = quota::LimitsPath(path);
    if (Get(node)) {
      Set(node, limits);
      return;
    }
    for (const auto& [name, text] :
         {std::pair(node, limits), std::pair(quota::StatsPath(path), std::string("count=0"))}) {
      Do(model::Create{.path = name, .data = text, .create_parents = true});
    }
  }
  model::NodeBytes Get(const std::string& path) const {
    const model::Reply reply =
        machine_->Query({.identities = {{"super", ""}}, .body = model::Get{path}});
    return reply.ok() ? std::get<model::OperationResult>(reply.result).data : std::nullopt;
  }
  model::Stat StatOf(const std::string& path) const {
    return std::get<model::OperationResult>(machine_->Query({.body = model::Get{path}}).result)
        .stat;
  }
  std::string Usage(const std::string& path) const {
    return Get(quota::StatsPath(path)).value_or("none");
  }
  // Goes on as after a restart.
  void Restart() {
    auto loaded = std::make_unique<Machine>();
    for (const auto& [key, value] : records_) ASSERT_TRUE(loaded->Load(key, value).ok());
    ASSERT_EQ(loaded->FinishLoad(machine_->applied(), machine_->digest()), absl::OkStatus());
    machine_ = std::move(loaded);
  }
  const std::vector<model::Change>& changes() const { return changes_; }
  // How often the last command wrote what is told of that quota.
  int64_t Tellings(const std::string& path) const {
    const std::string key = codec::NodeKey(quota::StatsPath(path));
    return std::count_if(writes_.begin(), writes_.end(),
                         [&](const model::RecordWrite& write) { return write.key == key; });
  }

 private:
  std::unique_ptr<Machine> machine_ = std::make_unique<Machine>();
  Records records_;
  std::vector<model::Change> changes_;
  std::vector<model::RecordWrite> writes_;
  uint64_t revision_ = 0;
};

TEST(Quota, IsAHardLimitOfNodesAndOfBytes) {
  Quotaed machine;
  machine.Create("/a", "12345");
  machine.SetQuota("/a", "count=-1,bytes=-1=;countHardLimit=2;byteHardLimit=10");
  EXPECT_EQ(machine.Usage("/a"), "count=1,bytes=5");
  EXPECT_EQ(machine.Create("/a/b", "123456"), Reason::kQuotaExceeded);
  EXPECT_EQ(machine.Create("/a/b", "12345"), Reason::kOk);
  EXPECT_EQ(machine.Usage("/a"), "count=2,bytes=10");
  EXPECT_EQ(machine.Create("/a/c", std::nullopt), Reason::kQuotaExceeded);
  EXPECT_EQ(machine.Set("/a", "123456"), Reason::kQuotaExceeded);
  EXPECT_EQ(machine.Set("/a", "1"), Reason::kOk);
  EXPECT_EQ(machine.Create("/ab", std::string(100, 'x')), Reason::kOk) << "it is not within /a";
  EXPECT_EQ(machine.Delete("/a/b"), Reason::kOk);
  EXPECT_EQ(machine.Usage("/a"), "count=1,bytes=1");
  EXPECT_EQ(machine.Create("/a/c", "123456789"), Reason::kOk);
}

// In ZooKeeper's order: a missing node and a name that is taken come before it, a wrong version
// after it.
TEST(Quota, HasItsPlaceAmongTheErrors) {
  Quotaed machine;
  machine.Create("/a", "1");
  machine.SetQuota("/a", "countHardLimit=1;byteHardLimit=1");
  EXPECT_EQ(machine.Create("/a/b/c"), Reason::kNoParent);
  EXPECT_EQ(machine.Create("/a", "22"), Reason::kNodeExists);
  EXPECT_EQ(machine.Do(model::Set{.path = "/a", .data = "22", .expected_version = 7}).error.reason,
            Reason::kQuotaExceeded);
  EXPECT_EQ(machine.Do(model::Set{.path = "/a", .data = "2", .expected_version = 7}).error.reason,
            Reason::kBadVersion);
}

TEST(Quota, CountsTheParentsThatComeWithANode) {
  Quotaed machine;
  machine.SetQuota("/a/b", "countHardLimit=2");
  const auto deep = [&](const char* path) {
    return machine.Do(model::Create{.path = path, .create_parents = true}).error.reason;
  };
  EXPECT_EQ(deep("/a/b/c/d"), Reason::kQuotaExceeded);
  EXPECT_EQ(machine.Get("/a"), std::nullopt) << "nothing of it was made";
  EXPECT_EQ(deep("/a/b/c"), Reason::kOk);
  EXPECT_EQ(machine.Usage("/a/b"), "count=2,bytes=0");
}

TEST(Quota, ATransactionIsWithinItAsAWhole) {
  Quotaed machine;
  machine.Create("/a");
  machine.SetQuota("/a", "countHardLimit=2");
  model::Transaction transaction;
  for (const char* path : {"/a/b", "/a/c"}) {
    transaction.then_operations.emplace_back(model::Create{.path = path});
  }
  EXPECT_EQ(machine.Do(transaction).error.reason, Reason::kQuotaExceeded);
  EXPECT_EQ(machine.Usage("/a"), "count=1,bytes=0") << "it is taken back";
  transaction.then_operations[0] = model::Create{.path = "/b"};
  EXPECT_EQ(machine.Do(transaction).error.reason, Reason::kOk);
  EXPECT_EQ(machine.Usage("/a"), "count=2,bytes=0");
}

TEST(Quota, WhatIsToldOfItIsTrueAndMakesNoNoise) {
  Quotaed machine;
  machine.Create("/a");
  machine.SetQuota("/a", "countHardLimit=9");
  const model::Stat before = machine.StatOf(quota::StatsPath("/a"));
  machine.Create("/a/b", "123");
  ASSERT_EQ(machine.changes().size(), 1u);
  EXPECT_EQ(machine.changes()[0].path, "/a/b");
  EXPECT_EQ(machine.Usage("/a"), "count=2,bytes=3");
  EXPECT_EQ(machine.StatOf(quota::StatsPath("/a")), before);
  EXPECT_EQ(machine.Set(quota::StatsPath("/a"), "count=0,bytes=0"), Reason::kOk);
  EXPECT_EQ(machine.Usage("/a"), "count=2,bytes=3") << "nobody else's word counts";
  // Without the node nothing is told, and all is counted.
  machine.Delete(quota::StatsPath("/a"));
  machine.Create("/a/c");
  EXPECT_EQ(machine.Create(quota::StatsPath("/a")), Reason::kOk);
  EXPECT_EQ(machine.Usage("/a"), "count=3,bytes=3");
}

// However many nodes of it a command touches.
TEST(Quota, WhatIsToldOfItIsWrittenOnceACommand) {
  Quotaed machine;
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/b/d", "/e"}) machine.Create(path);
  for (const char* top : {"/a", "/a/b", "/e"}) machine.SetQuota(top, "countHardLimit=9");
  machine.Delete("/a/b");
  EXPECT_EQ(machine.Tellings("/a"), 1);
  EXPECT_EQ(machine.Tellings("/a/b"), 1);
  EXPECT_EQ(machine.Tellings("/e"), 0);
  EXPECT_EQ(machine.Usage("/a"), "count=1,bytes=0");
  EXPECT_EQ(machine.Usage("/a/b"), "count=0,bytes=0");

  model::Transaction transaction;
  for (const char* path : {"/a/1", "/a/2", "/a/2"}) {
    transaction.then_operations.emplace_back(model::Create{.path = path});
  }
  EXPECT_EQ(machine.Do(transaction).error.reason, Reason::kNodeExists);
  EXPECT_EQ(machine.Tellings("/a"), 0) << "what is taken back changes nothing";
  transaction.then_operations.pop_back();
  EXPECT_EQ(machine.Do(transaction).error.reason, Reason::kOk);
  EXPECT_EQ(machine.Tellings("/a"), 1);
  EXPECT_EQ(machine.Usage("/a"), "count=3,bytes=0");
}

TEST(Quota, GoesWithItsLimits) {
  Quotaed machine;
  machine.Create("/a");
  machine.SetQuota("/a", "countHardLimit=1");
  EXPECT_EQ(machine.Create("/a/b"), Reason::kQuotaExceeded);
  machine.SetQuota("/a", "count=1,bytes=-1");
  EXPECT_EQ(machine.Create("/a/b"), Reason::kOk) << "a soft limit";
  machine.SetQuota("/a", "countHardLimit=1");
  EXPECT_EQ(machine.Create("/a/c"), Reason::kQuotaExceeded);
  machine.Delete("/zookeeper/quota/a");
  EXPECT_EQ(machine.Create("/a/c"), Reason::kOk);
}

// --- Against a model ------------------------------------------------------------------------

// Paths and sizes, and nothing that is kept: all is counted when it is asked for.
struct Naive {
  std::map<std::string, int64_t> nodes = {{"/", 0}};
  std::map<std::string, quota::Limits> quotas;

  model::Usage UsageOf(const std::string& top) const {
    model::Usage usage;
    for (const auto& [path, bytes] : nodes) {
      if (model::IsWithin(path, top)) usage += {.nodes = 1, .bytes = bytes};
    }
    return usage;
  }
  // Whether it is more than before in something, and in that over the limit.
  bool Exceeds(const Naive& before) const {
    for (const auto& [top, limits] : quotas) {
      const model::Usage then = before.UsageOf(top);
      const model::Usage now = UsageOf(top);
      if (limits.nodes_max && now.nodes > then.nodes && now.nodes > *limits.nodes_max) return true;
      if (limits.bytes_max && now.bytes > then.bytes && now.bytes > *limits.bytes_max) return true;
    }
    return false;
  }

  Reason Do(const model::Create& create) {
    if (nodes.contains(create.path)) return Reason::kNodeExists;
    Naive after = *this;
    std::string path = create.path;
    for (after.nodes[path] = static_cast<int64_t>(create.data->size()); path != "/";) {
      path = std::string(model::ParentPath(path));
      if (!after.nodes.contains(path) && !create.create_parents) return Reason::kNoParent;
      after.nodes.emplace(path, 0);
    }
    return Adopt(std::move(after));
  }
  Reason Do(const model::Set& set) {
    if (!nodes.contains(set.path)) return Reason::kNoNode;
    Naive after = *this;
    after.nodes[set.path] = static_cast<int64_t>(set.data->size());
    return Adopt(std::move(after));
  }
  Reason Do(const model::Delete& del) {
    if (!nodes.contains(del.path)) return Reason::kNoNode;
    std::erase_if(nodes, [&](const auto& node) { return model::IsWithin(node.first, del.path); });
    return Reason::kOk;
  }
  Reason Adopt(Naive after) {
    if (after.Exceeds(*this)) return Reason::kQuotaExceeded;
    *this = std::move(after);
    return Reason::kOk;
  }
};

class RandomQuotas {
 public:
  explicit RandomQuotas(uint64_t seed) : rng_(seed) {}

  void Run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(testing::Message() << "step " << step);
      Step();
      for (const auto& [top, limits] : naive_.quotas) {
        ASSERT_EQ(machine_.Usage(top), quota::FormatUsage(naive_.UsageOf(top))) << top;
      }
    }
  }
  int refused() const { return refused_; }

 private:
  std::string Path() {
    std::string path;
    for (uint64_t depth = rng_.Between(1, 4); depth > 0; --depth) {
      path += std::string("/") + static_cast<char>('a' + rng_.Below(2));
    }
    return path;
  }
  std::string Data() { return std::string(rng_.Below(9), 'x'); }

  model::Operation Operation() {
    const uint64_t kind = rng_.Below(10);
    if (kind < 5) {
      return model::Create{.path = Path(), .data = Data(), .create_parents = rng_.Chance(500)};
    }
    if (kind < 8) return model::Set{.path = Path(), .data = Data()};
    return model::Delete{.path = Path(), .recursive = true};
  }
  static Reason To(Naive* naive, const model::Operation& operation) {
    if (const auto* create = std::get_if<model::Create>(&operation)) return naive->Do(*create);
    if (const auto* set = std::get_if<model::Set>(&operation)) return naive->Do(*set);
    return naive->Do(std::get<model::Delete>(operation));
  }

  void Step() {
    const uint64_t kind = rng_.Below(100);
    if (kind < 5) return machine_.Restart();
    if (kind < 12) return SetQuota();
    if (kind < 14 && !naive_.quotas.empty()) return DropQuota();
    model::Transaction transaction;
    Naive after = naive_;
    Reason expected = Reason::kOk;
    for (uint64_t i = rng_.Between(1, 4); i > 0; --i) {
      transaction.then_operations.push_back(Operation());
      if (expected == Reason::kOk) expected = To(&after, transaction.then_operations.back());
    }
    if (expected == Reason::kOk) naive_ = std::move(after);
    refused_ += expected == Reason::kQuotaExceeded;
    EXPECT_EQ(machine_.Do(transaction).error.reason, expected);
  }
  // Its subtree's top need not be there; it may lie within another, or around it.
  void SetQuota() {
    const std::string top = Path();
    const quota::Limits limits{.nodes_max = rng_.Below(6), .bytes_max = rng_.Below(25)};
    machine_.SetQuota(top, absl::StrCat("countHardLimit=", *limits.nodes_max,
                                        ";byteHardLimit=", *limits.bytes_max));
    naive_.quotas[top] = limits;
  }
  void DropQuota() {
    const std::string top = naive_.quotas.begin()->first;
    EXPECT_EQ(machine_.Delete(quota::LimitsPath(top)), Reason::kOk);
    EXPECT_EQ(machine_.Delete(quota::StatsPath(top)), Reason::kOk);
    naive_.quotas.erase(top);
  }

  base::Rng rng_;
  Quotaed machine_;
  Naive naive_;
  int refused_ = 0;
};

TEST(Quota, AgreesWithAModelThatCountsAnew) {
  int refused = 0;
  for (uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomQuotas random(seed);
    random.Run(250);
    refused += random.refused();
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace pando::machine
