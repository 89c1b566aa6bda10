#include "replica/digests.h"

#include <algorithm>

namespace pando::replica {

void Digests::AddOwn(model::Revision revision, uint64_t digest) {
  own_[revision] = digest;
  if (own_.size() > kKept) own_.erase(own_.begin());
}

bool Digests::Contradicts(const io::DigestVerdict& verdict) const {
  const auto found = own_.find(verdict.revision);
  return found != own_.end() && found->second != verdict.digest;
}

std::optional<io::DigestVerdict> Digests::Add(model::ServerId from, const io::DigestReport& report,
                                              const std::vector<model::ServerId>& voters) {
  if (!reports_.contains(report.revision) && reports_.size() == kKept) {
    // It is too far behind: what the others had at that revision is forgotten.
    if (report.revision < reports_.begin()->first) return std::nullopt;
    reports_.erase(reports_.begin());
  }
  // Only now: the map moves its elements whenever it changes.
  auto& reports = reports_[report.revision];
  reports[from] = report.digest;

  absl::btree_map<uint64_t, size_t> votes;
  size_t reported = 0;
  for (const model::ServerId voter : voters) {
    const auto found = reports.find(voter);
    if (found == reports.end()) continue;
    ++votes[found->second];
    ++reported;
  }
  size_t most = 0;
  const size_t majority = voters.size() / 2 + 1;
  for (const auto& [digest, count] : votes) {
    if (count >= majority) return io::DigestVerdict{report.revision, digest};
    most = std::max(most, count);
  }
  if (most + (voters.size() - reported) < majority) split_ = true;
  return std::nullopt;
}

void Digests::ForgetReports() {
  reports_.clear();
  split_ = false;
}

}  // namespace pando::replica
