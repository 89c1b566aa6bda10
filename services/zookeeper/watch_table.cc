#include "zookeeper/watch_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/status.h"
#include "model/path.h"

namespace pando::zookeeper {
namespace {

using jute::EventType;
using model::ChangeKind;

// As checkWatches and removeWatches name them.
constexpr int32_t kTypeChildren = 1;
constexpr int32_t kTypeData = 2;
constexpr int32_t kTypeAny = 3;
constexpr int32_t kTypePersistent = 4;
constexpr int32_t kTypeRecursive = 5;

void SortOnce(std::vector<WatcherId>* watchers) {
  std::sort(watchers->begin(), watchers->end());
  watchers->erase(std::unique(watchers->begin(), watchers->end()), watchers->end());
}

}  // namespace

WatchTable::Kinds WatchTable::KindsOf(int32_t type) {
  switch (type) {
    case kTypeChildren:
      return BitOf(Kind::kChildren);
    case kTypeData:
      return BitOf(Kind::kData);
    case kTypeAny:
      return BitOf(Kind::kChildren) | BitOf(Kind::kData) | BitOf(Kind::kPersistent) |
             BitOf(Kind::kRecursive);
    case kTypePersistent:
      return BitOf(Kind::kPersistent);
    case kTypeRecursive:
      return BitOf(Kind::kRecursive);
    default:
      return 0;
  }
}

void WatchTable::Add(Kind kind, std::string_view path, WatcherId watcher) {
  Kinds& kinds = paths_[base::View(path)][watcher];
  if ((kinds & BitOf(kind)) != 0) return;
  kinds |= BitOf(kind);
  ++watches_;
  if (kind == Kind::kRecursive) ++recursive_;
  of_watcher_[watcher].emplace(path);
}

bool WatchTable::Has(std::string_view path, int32_t type, WatcherId watcher) const {
  const auto watchers = paths_.find(base::View(path));
  if (watchers == paths_.end()) return false;
  const auto found = watchers->second.find(watcher);
  return found != watchers->second.end() && (found->second & KindsOf(type)) != 0;
}

bool WatchTable::Remove(std::string_view path, int32_t type, WatcherId watcher) {
  return Drop(path, KindsOf(type), watcher);
}

void WatchTable::RemoveAll(WatcherId watcher) {
  const auto found = of_watcher_.find(watcher);
  if (found == of_watcher_.end()) return;
  const absl::flat_hash_set<std::string> paths = std::move(found->second);
  of_watcher_.erase(found);
  for (const std::string& path : paths) Drop(path, KindsOf(kTypeAny), watcher);
}

bool WatchTable::Drop(std::string_view path, Kinds kinds, WatcherId watcher) {
  const auto watchers = paths_.find(base::View(path));
  if (watchers == paths_.end()) return false;
  const auto found = watchers->second.find(watcher);
  if (found == watchers->second.end() || (found->second & kinds) == 0) return false;
  const Kinds dropped = found->second & kinds;
  watches_ -= static_cast<size_t>(std::popcount(dropped));
  if ((dropped & BitOf(Kind::kRecursive)) != 0) --recursive_;
  found->second &= static_cast<Kinds>(~kinds);
  if (found->second != 0) return true;
  if (const auto own = of_watcher_.find(watcher); own != of_watcher_.end()) {
    own->second.erase(base::View(path));
    if (own->second.empty()) of_watcher_.erase(own);
  }
  watchers->second.erase(found);
  if (watchers->second.empty()) paths_.erase(watchers);
  return true;
}

void WatchTable::Collect(std::string_view path, Kinds kinds, Kinds spent,
                         std::vector<WatcherId>* out) {
  const auto watchers = paths_.find(base::View(path));
  if (watchers == paths_.end()) return;
  std::vector<WatcherId> spending;
  for (const auto& [watcher, held] : watchers->second) {
    if ((held & kinds) != 0) out->push_back(watcher);
    if ((held & spent) != 0) spending.push_back(watcher);
  }
  for (const WatcherId watcher : spending) Drop(path, spent, watcher);
}

// A recursive watch gets the events of its path and of everything below.
void WatchTable::CollectRecursive(std::string_view path, std::vector<WatcherId>* out) const {
  if (recursive_ == 0) return;
  for (std::string_view at = path;; at = model::ParentPath(at)) {
    if (const auto watchers = paths_.find(base::View(at)); watchers != paths_.end()) {
      for (const auto& [watcher, held] : watchers->second) {
        if ((held & BitOf(Kind::kRecursive)) != 0) out->push_back(watcher);
      }
    }
    if (at == "/") return;
  }
}

void WatchTable::Fire(const model::Change& change, std::vector<Firing>* out) {
  if (paths_.empty() || change.kind == ChangeKind::kAclChanged) return;
  constexpr Kinds kData = BitOf(Kind::kData);
  constexpr Kinds kChildren = BitOf(Kind::kChildren);
  constexpr Kinds kPersistent = BitOf(Kind::kPersistent);
  const bool deleted = change.kind == ChangeKind::kDeleted;

  Firing own{.type = deleted                               ? EventType::kNodeDeleted
                     : change.kind == ChangeKind::kCreated ? EventType::kNodeCreated
                                                           : EventType::kNodeDataChanged,
             .path = change.path,
             .acl = change.acl.get(),
             .watchers = {}};
  // Whoever watched a node's children hears that it is gone.
  const Kinds once = deleted ? kData | kChildren : kData;
  Collect(change.path, once | kPersistent, once, &own.watchers);
  const size_t direct = own.watchers.size();
  CollectRecursive(change.path, &own.watchers);
  if (own.watchers.size() > direct) SortOnce(&own.watchers);
  if (!own.watchers.empty()) out->push_back(std::move(own));

  if (change.kind == ChangeKind::kDataChanged || change.path == "/") return;
  Firing parent{.type = EventType::kNodeChildrenChanged,
                .path = model::ParentPath(change.path),
                .acl = change.parent_acl.get(),
                .watchers = {}};
  Collect(parent.path, kChildren | kPersistent, kChildren, &parent.watchers);
  if (!parent.watchers.empty()) out->push_back(std::move(parent));
}

std::vector<WatchTable::Row> WatchTable::Rows() const {
  std::vector<Row> rows;
  rows.reserve(paths_.size());
  for (const auto& [path, watchers] : paths_) {
    Row& row = rows.emplace_back();
    row.path = path;
    for (const auto& [watcher, kinds] : watchers) row.watchers.push_back(watcher);
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.path < b.path; });
  return rows;
}

}  // namespace pando::zookeeper
