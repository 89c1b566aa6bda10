#include "quota/quotas.h"

#include <algorithm>

#include "base/check.h"
#include "model/path.h"

namespace pando::quota {
namespace {

// `visit` gets each quota that counts `path`, the nearest first, and how many levels above it its
// top is; false: no more.
template <class Map, class Visit>
void Climb(Map& map, std::string_view path, Visit visit) {
  if (map.empty()) return;
  for (int64_t levels = 0; path != "/"; path = model::ParentPath(path), ++levels) {
    const auto found = map.find(path);
    if (found != map.end() && !visit(*found, levels)) return;
  }
}

}  // namespace

const Quotas::Quota* Quotas::Find(std::string_view path) const {
  const auto found = map_.find(path);
  return found == map_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> Quotas::Of(std::string_view path) const {
  std::vector<std::string_view> paths;
  Climb(map_, path, [&](const auto& entry, int64_t) {
    paths.push_back(entry.first);
    return true;
  });
  return paths;
}

void Quotas::Put(std::string_view path, const Limits& limits, const Usage& usage) {
  CHECK(path != "/");
  map_[std::string(path)] = {limits, usage};
}

void Quotas::Erase(std::string_view path) {
  if (const auto found = map_.find(path); found != map_.end()) map_.erase(found);
}

void Quotas::Count(std::string_view path, const Usage& change) {
  Climb(map_, path, [&](auto& entry, int64_t) {
    Usage& usage = entry.second.usage;
    usage += change;
    CHECK(usage.nodes >= 0);
    CHECK(usage.bytes >= 0);
    return true;
  });
}

std::string_view Quotas::Exceeded(std::string_view path, int64_t nodes, int64_t bytes) const {
  std::string_view exceeded;
  Climb(map_, path, [&](const auto& entry, int64_t levels) {
    const auto& [limits, usage] = entry.second;
    // Of the new nodes those that are within.
    const int64_t within = std::min(nodes, levels + 1);
    const bool too_many =
        within > 0 && limits.nodes_max && usage.nodes + within > *limits.nodes_max;
    const bool too_much = bytes > 0 && limits.bytes_max && usage.bytes + bytes > *limits.bytes_max;
    if (too_many || too_much) exceeded = entry.first;
    return exceeded.empty();
  });
  return exceeded;
}

}  // namespace pando::quota
