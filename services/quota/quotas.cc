#include "quota/quotas.h"

#include <algorithm>

#include "base/check.h"
#include "model/path.h"

namespace pando::quota {

void Quotas::Climb(std::string_view path, Visit visit) const {
  if (map_.empty()) return;
  for (int64_t levels = 0; path != "/"; path = model::ParentPath(path), ++levels) {
    const auto found = map_.find(path);
    if (found != map_.end() && !visit(found->first, found->second, levels)) return;
  }
}

std::vector<std::string_view> Quotas::Of(std::string_view path) const {
  std::vector<std::string_view> paths;
  Climb(path, [&](std::string_view top, const Limits&, int64_t) {
    paths.push_back(top);
    return true;
  });
  return paths;
}

void Quotas::Put(std::string_view path, const Limits& limits) {
  CHECK(path != "/");
  map_[std::string(path)] = limits;
}

void Quotas::Erase(std::string_view path) {
  if (const auto found = map_.find(path); found != map_.end()) map_.erase(found);
}

std::string_view Quotas::Exceeded(std::string_view path, int64_t nodes, int64_t bytes,
                                  UsageOf usage_of) const {
  std::string_view exceeded;
  Climb(path, [&](std::string_view top, const Limits& limits, int64_t levels) {
    const model::Usage usage = usage_of(top);
    // Of the new nodes those that are within.
    const int64_t within = std::min(nodes, levels + 1);
    const bool too_many =
        within > 0 && limits.nodes_max && usage.nodes + within > *limits.nodes_max;
    const bool too_much = bytes > 0 && limits.bytes_max && usage.bytes + bytes > *limits.bytes_max;
    if (too_many || too_much) exceeded = top;
    return exceeded.empty();
  });
  return exceeded;
}

}  // namespace pando::quota
