// Quotas: which subtrees are limited, and how much is in them.
//
// Every quota on the way from a node to the root holds, and counts the node; ZooKeeper looks at the
// nearest alone. A look costs a search for each ancestor, and nothing as long as there is no quota.
//
// Owned by one thread.
#ifndef PANDO_QUOTA_QUOTAS_H_
#define PANDO_QUOTA_QUOTAS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "quota/limits.h"

namespace pando::quota {

class Quotas {
 public:
  struct Quota {
    Limits limits;
    Usage usage;
  };
  bool empty() const { return map_.empty(); }
  // Null: it has none.
  const Quota* Find(std::string_view path) const;
  // The paths of those that count the node at `path`, the nearest first. Valid until one goes.
  std::vector<std::string_view> Of(std::string_view path) const;

  // `usage` is what is in it now.
  void Put(std::string_view path, const Limits& limits, const Usage& usage);
  // Again is fine.
  void Erase(std::string_view path);
  // The node at `path` has come, has changed, or has gone.
  void Count(std::string_view path, const Usage& change);

  // The path of a quota that stands against it: `path` is to have `bytes` more, and is new itself
  // with `nodes - 1` above it, or is there (0 nodes). Empty: none does. What does not grow is never
  // refused, as far above its limit as it may be.
  std::string_view Exceeded(std::string_view path, int64_t nodes, int64_t bytes) const;

 private:
  // By the path of its subtree's top, which need not be there.
  absl::btree_map<std::string, Quota, std::less<>> map_;
};

}  // namespace pando::quota

#endif  // PANDO_QUOTA_QUOTAS_H_
