#include "quota/nodes.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "model/path.h"
#include "model/zookeeper.h"

namespace pando::quota {
namespace {

constexpr std::string_view kQuotas = model::kQuotaPath;
constexpr std::string_view kLimits = "/zookeeper_limits";
constexpr std::string_view kStats = "/zookeeper_stats";

std::string_view Of(std::string_view node, std::string_view part) {
  if (node.size() <= kQuotas.size() + part.size()) return {};
  if (!node.starts_with(kQuotas) || !node.ends_with(part)) return {};
  node.remove_prefix(kQuotas.size());
  node.remove_suffix(part.size());
  return node[0] == '/' && !model::IsWithin(node, model::kZooKeeperPath) ? node
                                                                         : std::string_view();
}

}  // namespace

std::string LimitsPath(std::string_view path) {
  return absl::StrCat(base::View(kQuotas), base::View(path), base::View(kLimits));
}
std::string StatsPath(std::string_view path) {
  return absl::StrCat(base::View(kQuotas), base::View(path), base::View(kStats));
}

std::string_view OfLimits(std::string_view node) { return Of(node, kLimits); }
std::string_view OfStats(std::string_view node) { return Of(node, kStats); }

}  // namespace pando::quota
