// What the machine itself keeps in nodes, for ZooKeeper's clients: who the members are, and what
// there is of a quota. It follows from the rest of the state, in the same delta.
#include <vector>

#include "machine/config_text.h"
#include "machine/state.h"
#include "model/zookeeper.h"
#include "quota/nodes.h"

namespace pando::machine {
namespace {

// Of the whole subtree; `top` may be null.
quota::Usage UsageOf(const tree::Node* top) {
  quota::Usage usage;
  std::vector<const tree::Node*> open;
  if (top != nullptr) open.push_back(top);
  while (!open.empty()) {
    const tree::Node& node = *open.back();
    open.pop_back();
    const codec::NodeRecord record = node.record();
    const size_t bytes = record.data ? record.data->size() : 0;
    usage += {.nodes = 1, .bytes = static_cast<int64_t>(bytes)};
    if (node.directory() == nullptr) continue;
    for (const tree::ChildRef& child : node.directory()->children()) open.push_back(child.node);
  }
  return usage;
}

}  // namespace

std::optional<std::string> State::KeptData(std::string_view path,
                                           const codec::NodeRecord& node) const {
  if (path == model::kConfigPath) return ConfigText(membership_, node.modify_revision);
  const std::string_view top = quota::OfStats(path);
  const quota::Quotas::Quota* quota = top.empty() ? nullptr : quotas_.Find(top);
  if (quota != nullptr) return quota::FormatUsage(quota->usage);
  return std::nullopt;
}

void State::TellUsage(std::string_view path) {
  if (quotas_.empty()) return;
  for (const std::string_view top : quotas_.Of(path)) TellUsageOf(top);
  if (const std::string_view top = quota::OfLimits(path); !top.empty()) TellUsageOf(top);
}

void State::TellUsageOf(std::string_view top) {
  const quota::Quotas::Quota* quota = quotas_.Find(top);
  const std::string path = quota::StatsPath(top);
  const tree::Node* node = tree_.Find(path);
  if (quota == nullptr || node == nullptr) return;
  codec::NodeRecord record = node->record();
  const std::string usage = quota::FormatUsage(quota->usage);
  if (record.data == usage) return;
  record.data = usage;
  WriteNode(path, record);
}

// What is in a quota is not recorded: it follows from the tree, so that every server has the same,
// after a restart and a rollback, too. A new quota looks at all of its subtree, once.
void State::IndexQuota(std::string_view node, std::optional<std::string_view> data) {
  const std::string_view top = quota::OfLimits(node);
  if (top.empty()) return;
  if (!data) {
    quotas_.Erase(top);
    return;
  }
  const quota::Quotas::Quota* known = quotas_.Find(top);
  quotas_.Put(top, quota::ParseLimits(*data),
              known != nullptr ? known->usage : UsageOf(tree_.Find(top)));
}

}  // namespace pando::machine
