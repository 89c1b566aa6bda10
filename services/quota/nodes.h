// The nodes that a quota is made of, where ZooKeeper has them: the quota of /a/b is what is in
// /zookeeper/quota/a/b/zookeeper_limits, and what there is of it is told in zookeeper_stats beside
// it. The root and what is within /zookeeper have none, so that telling changes no usage.
#ifndef PANDO_QUOTA_NODES_H_
#define PANDO_QUOTA_NODES_H_

#include <string>
#include <string_view>

namespace pando::quota {

// REQUIRES: `path` can have a quota.
std::string LimitsPath(std::string_view path);
std::string StatsPath(std::string_view path);

// The path whose quota the node is a part of, a view into `node`; empty: it is none.
std::string_view OfLimits(std::string_view node);
std::string_view OfStats(std::string_view node);

}  // namespace pando::quota

#endif  // PANDO_QUOTA_NODES_H_
