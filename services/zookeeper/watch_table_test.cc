#include "zookeeper/watch_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "model/path.h"

namespace pando::zookeeper {
namespace {

using jute::EventType;
using model::ChangeKind;
using Kind = WatchTable::Kind;

constexpr WatcherId kAda(1);
constexpr WatcherId kBob(2);

model::Change ChangeOf(ChangeKind kind, std::string path) {
  static const auto acl = std::make_shared<const model::Acl>(model::OpenAcl());
  model::Change change;
  change.kind = kind;
  change.path = std::move(path);
  change.acl = acl;
  change.parent_acl = acl;
  return change;
}

// "deleted /a: 1 2"
std::vector<std::string> Fire(WatchTable* table, ChangeKind kind, const std::string& path) {
  const model::Change change = ChangeOf(kind, path);
  std::vector<WatchTable::Firing> firings;
  table->Fire(change, &firings);
  std::vector<std::string> lines;
  for (const WatchTable::Firing& firing : firings) {
    static const std::map<EventType, std::string> kNames = {
        {EventType::kNodeCreated, "created"},
        {EventType::kNodeDeleted, "deleted"},
        {EventType::kNodeDataChanged, "changed"},
        {EventType::kNodeChildrenChanged, "children"}};
    std::string line = absl::StrCat(kNames.at(firing.type), " ", std::string(firing.path), ":");
    for (const WatcherId watcher : firing.watchers) absl::StrAppend(&line, " ", watcher.value());
    lines.push_back(std::move(line));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(WatchTableTest, ADataWatchIsSpentByTheFirstEventOfItsNode) {
  WatchTable table;
  table.Add(Kind::kData, "/a", kAda);
  EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/a/b"), Lines{});
  EXPECT_EQ(Fire(&table, ChangeKind::kDataChanged, "/a"), Lines{"changed /a: 1"});
  EXPECT_EQ(Fire(&table, ChangeKind::kDataChanged, "/a"), Lines{});
  EXPECT_EQ(table.watches(), 0u);
  EXPECT_EQ(table.paths(), 0u);
  EXPECT_EQ(table.watchers(), 0u);
}

TEST(WatchTableTest, AWatchOfChildrenIsSpentByTheFirstChildThatComesOrGoes) {
  WatchTable table;
  table.Add(Kind::kChildren, "/a", kAda);
  EXPECT_EQ(Fire(&table, ChangeKind::kDataChanged, "/a"), Lines{});
  EXPECT_EQ(Fire(&table, ChangeKind::kDataChanged, "/a/b"), Lines{});
  EXPECT_EQ(Fire(&table, ChangeKind::kDeleted, "/a/b"), Lines{"children /a: 1"});
  EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/a/b"), Lines{});
}

TEST(WatchTableTest, WhoWatchesANodeInTwoWaysHearsOfItsEndOnce) {
  WatchTable table;
  table.Add(Kind::kData, "/a", kAda);
  table.Add(Kind::kChildren, "/a", kAda);
  table.Add(Kind::kChildren, "/", kBob);
  EXPECT_EQ(Fire(&table, ChangeKind::kDeleted, "/a"), (Lines{"deleted /a: 1", "children /: 2"}));
  EXPECT_EQ(table.watches(), 0u);
}

TEST(WatchTableTest, APersistentWatchStaysAndHearsOfChildren) {
  WatchTable table;
  table.Add(Kind::kPersistent, "/a", kAda);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Fire(&table, ChangeKind::kDataChanged, "/a"), Lines{"changed /a: 1"});
    EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/a/b"), Lines{"children /a: 1"});
    EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/a/b/c"), Lines{});
  }
}

TEST(WatchTableTest, ARecursiveWatchHearsOfAllBelowAndNothingOfChildren) {
  WatchTable table;
  table.Add(Kind::kRecursive, "/a", kAda);
  EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/a"), Lines{"created /a: 1"});
  EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/a/b/c"), Lines{"created /a/b/c: 1"});
  EXPECT_EQ(Fire(&table, ChangeKind::kDeleted, "/a/b/c"), Lines{"deleted /a/b/c: 1"});
  EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/ab"), Lines{});
}

TEST(WatchTableTest, ModesOnOnePathDoNotOverwriteEachOtherAndTellOnce) {
  WatchTable table;
  table.Add(Kind::kData, "/a", kAda);
  table.Add(Kind::kPersistent, "/a", kAda);
  table.Add(Kind::kRecursive, "/a", kAda);
  EXPECT_EQ(Fire(&table, ChangeKind::kDataChanged, "/a"), Lines{"changed /a: 1"});
  EXPECT_EQ(table.watches(), 2u);
  EXPECT_TRUE(table.Remove("/a", 4, kAda));
  EXPECT_FALSE(table.Remove("/a", 4, kAda));
  EXPECT_EQ(Fire(&table, ChangeKind::kCreated, "/a/b"), Lines{"created /a/b: 1"});
}

TEST(WatchTableTest, TypesOfCheckAndRemove) {
  WatchTable table;
  table.Add(Kind::kData, "/a", kAda);
  table.Add(Kind::kRecursive, "/a", kAda);
  EXPECT_TRUE(table.Has("/a", 2, kAda));
  EXPECT_TRUE(table.Has("/a", 3, kAda));
  EXPECT_TRUE(table.Has("/a", 5, kAda));
  EXPECT_FALSE(table.Has("/a", 1, kAda));
  EXPECT_FALSE(table.Has("/a", 4, kAda));
  EXPECT_FALSE(table.Has("/a", 9, kAda));
  EXPECT_FALSE(table.Has("/a", 3, kBob));
  EXPECT_TRUE(table.Remove("/a", 3, kAda));
  EXPECT_FALSE(table.Has("/a", 3, kAda));
}

TEST(WatchTableTest, AclChangesFireNothing) {
  WatchTable table;
  table.Add(Kind::kPersistent, "/a", kAda);
  EXPECT_EQ(Fire(&table, ChangeKind::kAclChanged, "/a"), Lines{});
}

TEST(WatchTableTest, NothingIsLeftOfWhoHasGone) {
  WatchTable table;
  table.Add(Kind::kData, "/a", kAda);
  table.Add(Kind::kRecursive, "/b", kAda);
  table.Add(Kind::kData, "/a", kBob);
  table.RemoveAll(kAda);
  EXPECT_EQ(table.watches(), 1u);
  EXPECT_EQ(table.watchers(), 1u);
  EXPECT_EQ(Fire(&table, ChangeKind::kDeleted, "/a"), Lines{"deleted /a: 2"});
  EXPECT_EQ(table.Rows().size(), 0u);
}

// An ACL is the node's own for what happens to it, and the parent's for the coming and going of its
// children.
TEST(WatchTableTest, EachFiringNamesTheAclThatDecides) {
  WatchTable table;
  table.Add(Kind::kPersistent, "/a", kAda);
  table.Add(Kind::kPersistent, "/a/b", kAda);
  model::Change change = ChangeOf(ChangeKind::kCreated, "/a/b");
  change.parent_acl = std::make_shared<const model::Acl>();
  std::vector<WatchTable::Firing> firings;
  table.Fire(change, &firings);
  ASSERT_EQ(firings.size(), 2u);
  EXPECT_EQ(firings[0].acl, change.acl.get());
  EXPECT_EQ(firings[1].acl, change.parent_acl.get());
}

TEST(WatchTableTest, RowsAreInTheOrderOfPathsWithEachWatcherOnce) {
  WatchTable table;
  for (const std::string path : {"/c", "/a", "/b"}) table.Add(Kind::kData, path, kBob);
  table.Add(Kind::kData, "/b", kAda);
  table.Add(Kind::kRecursive, "/b", kAda);
  const std::vector<WatchTable::Row> rows = table.Rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].path, "/a");
  EXPECT_EQ(rows[1].path, "/b");
  EXPECT_EQ(rows[1].watchers, (std::vector<WatcherId>{kAda, kBob}));
  EXPECT_EQ(rows[2].path, "/c");
  EXPECT_EQ(table.watches(), 5u);
  EXPECT_EQ(table.paths(), 3u);
  EXPECT_EQ(table.watchers(), 2u);
}

// The rules of ZooKeeper as a list of registrations that is searched for each change.
class Naive {
 public:
  void Add(Kind kind, const std::string& path, WatcherId watcher) {
    watches_.insert({watcher, path, kind});
  }
  void RemoveAll(WatcherId watcher) {
    std::erase_if(watches_, [&](const Watch& watch) { return watch.watcher == watcher; });
  }
  bool Has(const std::string& path, int32_t type, WatcherId watcher) const {
    return std::any_of(watches_.begin(), watches_.end(),
                       [&](const Watch& watch) { return IsOf(watch, path, type, watcher); });
  }
  bool Remove(const std::string& path, int32_t type, WatcherId watcher) {
    return std::erase_if(watches_,
                         [&](const Watch& watch) { return IsOf(watch, path, type, watcher); }) > 0;
  }
  size_t paths() const { return Different(&Watch::path); }
  size_t watchers() const { return Different(&Watch::watcher); }
  Lines Fire(ChangeKind kind, const std::string& path) {
    if (kind == ChangeKind::kAclChanged) return {};
    std::set<WatcherId> own, parent;
    const std::string above(model::ParentPath(path));
    for (auto it = watches_.begin(); it != watches_.end();) {
      const Watch& watch = *it;
      const bool spent = watch.kind == Kind::kData || watch.kind == Kind::kChildren;
      bool hit = false;
      if (watch.kind == Kind::kRecursive) {
        if (model::IsWithin(path, watch.path)) own.insert(watch.watcher);
      } else if (watch.path == path) {
        hit = watch.kind != Kind::kChildren || kind == ChangeKind::kDeleted;
        if (hit) own.insert(watch.watcher);
      } else if (watch.path == above && watch.kind != Kind::kData &&
                 kind != ChangeKind::kDataChanged) {
        hit = true;
        parent.insert(watch.watcher);
      }
      it = hit && spent ? watches_.erase(it) : std::next(it);
    }
    Lines lines;
    const auto add = [&](const std::string& what, const std::set<WatcherId>& who) {
      if (who.empty()) return;
      std::string line = what;
      for (const WatcherId watcher : who) absl::StrAppend(&line, " ", watcher.value());
      lines.push_back(std::move(line));
    };
    const std::string name = kind == ChangeKind::kCreated   ? "created "
                             : kind == ChangeKind::kDeleted ? "deleted "
                                                            : "changed ";
    add(absl::StrCat(name, path, ":"), own);
    add(absl::StrCat("children ", above, ":"), parent);
    return lines;
  }
  size_t size() const { return watches_.size(); }

 private:
  struct Watch {
    WatcherId watcher;
    std::string path;
    Kind kind;
    friend auto operator<=>(const Watch&, const Watch&) = default;
  };
  static bool IsOf(const Watch& watch, const std::string& path, int32_t type, WatcherId watcher) {
    constexpr int32_t kAny = 3;
    static const std::map<Kind, int32_t> kTypes = {
        {Kind::kChildren, 1}, {Kind::kData, 2}, {Kind::kPersistent, 4}, {Kind::kRecursive, 5}};
    return watch.watcher == watcher && watch.path == path &&
           (type == kAny || type == kTypes.at(watch.kind));
  }
  template <class T>
  size_t Different(T Watch::*field) const {
    std::set<T> values;
    for (const Watch& watch : watches_) values.insert(watch.*field);
    return values.size();
  }
  std::set<Watch> watches_;
};

TEST(WatchTableTest, DoesAsTheNaiveTable) {
  const std::vector<std::string> paths = {"/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/e", "/"};
  constexpr uint64_t kSeed = 4711;
  base::Rng rng(kSeed);
  WatchTable table;
  Naive naive;
  for (int step = 0; step < 20'000; ++step) {
    const std::string where = absl::StrCat("step ", step, " of seed ", kSeed);
    const std::string& path = paths[rng.Below(paths.size())];
    const WatcherId watcher(1 + rng.Below(4));
    const auto type = static_cast<int32_t>(rng.Below(7));  // 0 and 6 are none
    const uint64_t what = rng.Below(20);
    if (what < 8) {
      const auto kind = static_cast<Kind>(rng.Below(4));
      table.Add(kind, path, watcher);
      naive.Add(kind, path, watcher);
    } else if (what == 8) {
      table.RemoveAll(watcher);
      naive.RemoveAll(watcher);
    } else if (what < 12) {
      ASSERT_EQ(table.Remove(path, type, watcher), naive.Remove(path, type, watcher)) << where;
    } else if (path != "/") {
      const auto kind = static_cast<ChangeKind>(1 + rng.Below(4));
      ASSERT_EQ(Fire(&table, kind, path), naive.Fire(kind, path)) << where;
    } else {
      // The root is never created or deleted.
      ASSERT_EQ(Fire(&table, ChangeKind::kDataChanged, path),
                naive.Fire(ChangeKind::kDataChanged, path))
          << where;
    }
    ASSERT_EQ(table.Has(path, type, watcher), naive.Has(path, type, watcher)) << where;
    ASSERT_EQ(table.watches(), naive.size()) << where;
    ASSERT_EQ(table.paths(), naive.paths()) << where;
    ASSERT_EQ(table.watchers(), naive.watchers()) << where;
  }
}

}  // namespace
}  // namespace pando::zookeeper
