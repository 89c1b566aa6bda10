// Quotas: which subtrees are limited. How much is in them the tree knows.
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
#include "absl/functional/function_ref.h"
#include "model/usage.h"
#include "quota/limits.h"

namespace pando::quota {

class Quotas {
 public:
  // What is in the subtree of a quota now.
  using UsageOf = absl::FunctionRef<model::Usage(std::string_view path)>;

  bool empty() const { return map_.empty(); }
  bool Has(std::string_view path) const { return map_.contains(path); }
  // The paths of those that count the node at `path`, the nearest first. Valid until one goes.
  std::vector<std::string_view> Of(std::string_view path) const;

  void Put(std::string_view path, const Limits& limits);
  // Again is fine.
  void Erase(std::string_view path);

  // The path of a quota that stands against it: `path` is to have `bytes` more, and is new itself
  // with `nodes - 1` above it, or is there (0 nodes). Empty: none does. What does not grow is never
  // refused, as far above its limit as it may be.
  std::string_view Exceeded(std::string_view path, int64_t nodes, int64_t bytes,
                            UsageOf usage_of) const;

 private:
  // Each quota that counts `path`, the nearest first, and how many levels above it its top is;
  // false: no more.
  using Visit = absl::FunctionRef<bool(std::string_view top, const Limits& limits, int64_t levels)>;
  void Climb(std::string_view path, Visit visit) const;

  // By the path of its subtree's top, which need not be there.
  absl::btree_map<std::string, Limits, std::less<>> map_;
};

}  // namespace pando::quota

#endif  // PANDO_QUOTA_QUOTAS_H_
