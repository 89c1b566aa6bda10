// What the machine itself keeps in nodes, for ZooKeeper's clients: who the members are, and what
// there is of a quota. It follows from the rest of the state, in the same delta.
#include <utility>

#include "base/check.h"
#include "machine/state.h"
#include "model/config_text.h"
#include "model/zookeeper.h"
#include "quota/limits.h"
#include "quota/nodes.h"

namespace pando::machine {

std::optional<std::string> State::KeptData(std::string_view path,
                                           const codec::NodeRecord& node) const {
  if (path == model::kConfigPath) return model::ConfigText(membership_, node.modify_revision);
  const std::string_view top = quota::OfStats(path);
  if (!top.empty() && quotas_.Has(top)) return quota::FormatUsage(tree_.UsageOf(top));
  return std::nullopt;
}

void State::IndexQuota(std::string_view node, std::optional<std::string_view> data) {
  const std::string_view top = quota::OfLimits(node);
  if (top.empty()) return;
  if (data) {
    quotas_.Put(top, quota::ParseLimits(*data));
  } else {
    quotas_.Erase(top);
  }
}

void State::Touch(std::string_view path) {
  if (quotas_.empty()) return;
  for (const std::string_view top : quotas_.Of(path)) touched_.emplace(top);
  if (const std::string_view top = quota::OfLimits(path); !top.empty()) touched_.emplace(top);
}

void State::TellUsage() {
  for (const std::string& top : std::exchange(touched_, {})) {
    const std::string path = quota::StatsPath(top);
    const tree::Node* node = tree_.Find(path);
    if (node == nullptr || !quotas_.Has(top)) continue;
    codec::NodeRecord record = node->record();
    const std::string usage = quota::FormatUsage(tree_.UsageOf(top));
    if (record.data == usage) continue;
    record.data = usage;
    WriteNode(path, record);
  }
}

}  // namespace pando::machine
