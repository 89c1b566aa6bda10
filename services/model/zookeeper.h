// The nodes that every ZooKeeper has. The ZooKeeper port makes them when its first client comes;
// what they hold is the machine's (machine/kept_data.cc).
#ifndef PANDO_MODEL_ZOOKEEPER_H_
#define PANDO_MODEL_ZOOKEEPER_H_

namespace pando::model {

inline constexpr char kZooKeeperPath[] = "/zookeeper";
// Who the members are.
inline constexpr char kConfigPath[] = "/zookeeper/config";
// The quota of /a/b: below it, in a/b/zookeeper_limits and a/b/zookeeper_stats.
inline constexpr char kQuotaPath[] = "/zookeeper/quota";

}  // namespace pando::model

#endif  // PANDO_MODEL_ZOOKEEPER_H_
