// WatchTable: who watches which path, in ZooKeeper's terms, on one server.
//
// Four kinds of watches: on a node's data (from exists and getData) and on its children (from
// getChildren), each spent by the first event; persistent ones, which get a node's events and its
// children's coming and going; and persistent recursive ones, which get the events of a node and of
// everything below it, but nothing of children. A watcher has a path in several kinds at once, and
// gets each event once.
//
// One thread's.
#ifndef PANDO_ZOOKEEPER_WATCH_TABLE_H_
#define PANDO_ZOOKEEPER_WATCH_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/strong.h"
#include "jute/records.h"
#include "model/acl.h"
#include "model/change.h"

namespace pando::zookeeper {

// A connection.
using WatcherId = base::Strong<struct WatcherIdTag>;

class WatchTable {
 public:
  enum class Kind : uint8_t { kData, kChildren, kPersistent, kRecursive };

  // What some watchers are to be told of a change. Valid until the next call.
  struct Firing {
    jute::EventType type;
    std::string_view path;
    // Who may not READ this is not told; none: nothing stands against it.
    const model::Acl* acl;
    std::vector<WatcherId> watchers;  // each once
  };

  // Again is fine.
  void Add(Kind kind, std::string_view path, WatcherId watcher);
  // `type` as in checkWatches and removeWatches: 1 children, 2 data, 3 any, 4 persistent,
  // 5 persistent recursive; 1 and 2 do not find the persistent ones, 3 finds all.
  bool Has(std::string_view path, int32_t type, WatcherId watcher) const;
  bool Remove(std::string_view path, int32_t type, WatcherId watcher);  // false: had none
  void RemoveAll(WatcherId watcher);

  // Spends the watches that fire. kAclChanged fires nothing. The firings refer to `change`.
  void Fire(const model::Change& change, std::vector<Firing>* out);

  size_t watches() const { return watches_; }             // each kind counts
  size_t paths() const { return paths_.size(); }          // that somebody watches
  size_t watchers() const { return of_watcher_.size(); }  // with a watch at least
  // For the operator's wchp and wchc, in the order of paths.
  struct Row {
    std::string path;
    std::vector<WatcherId> watchers;  // each once
  };
  std::vector<Row> Rows() const;

 private:
  // The kinds of one watcher on one path, a bit each.
  using Kinds = uint8_t;
  using Watchers = absl::btree_map<WatcherId, Kinds>;

  static constexpr Kinds BitOf(Kind kind) {
    return static_cast<Kinds>(1u << static_cast<int>(kind));
  }
  static Kinds KindsOf(int32_t type);
  // Adds those who have one of `kinds` on `path`, in the order of their ids, and spends `spent`.
  void Collect(std::string_view path, Kinds kinds, Kinds spent, std::vector<WatcherId>* out);
  void CollectRecursive(std::string_view path, std::vector<WatcherId>* out) const;
  bool Drop(std::string_view path, Kinds kinds, WatcherId watcher);

  absl::flat_hash_map<std::string, Watchers> paths_;
  absl::flat_hash_map<WatcherId, absl::flat_hash_set<std::string>> of_watcher_;
  size_t watches_ = 0;
  size_t recursive_ = 0;  // of them
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_WATCH_TABLE_H_
