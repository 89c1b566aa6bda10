// What a quota allows, and what there is: ZooKeeper's text for both,
// "count=5,bytes=100=;byteHardLimit=200;countHardLimit=10".
#ifndef PANDO_QUOTA_LIMITS_H_
#define PANDO_QUOTA_LIMITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/usage.h"

namespace pando::quota {

// None: without limit. ZooKeeper's soft limits, `count` and `bytes`, bind nobody: they are not
// here.
struct Limits {
  std::optional<int64_t> nodes_max;  // countHardLimit
  std::optional<int64_t> bytes_max;  // byteHardLimit
  friend bool operator==(const Limits&, const Limits&) = default;
};

// Of what is in a zookeeper_limits: anybody may write anything there, and what cannot be read
// limits nothing. A limit below 0 is none, as in ZooKeeper.
Limits ParseLimits(std::string_view text);

// "count=3,bytes=12": what is in a zookeeper_stats.
std::string FormatUsage(const model::Usage& usage);

}  // namespace pando::quota

#endif  // PANDO_QUOTA_LIMITS_H_
