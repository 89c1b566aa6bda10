// Digests: do all members have the same state? At every revision that kDigestEvery divides each
// tells the leader the digest of its state. When a majority of voters agrees, whoever differs
// stops. A missing report means nothing.
//
// Pure; owned by the replica.
#ifndef PANDO_REPLICA_DIGESTS_H_
#define PANDO_REPLICA_DIGESTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "io/peers.h"
#include "model/ids.h"

namespace pando::replica {

class Digests {
 public:
  static constexpr uint64_t kDigestEvery = 10'000;
  static bool IsDue(model::Revision revision) { return revision.value() % kDigestEvery == 0; }

  // This server's own.
  void AddOwn(model::Revision revision, uint64_t digest);
  // Whether this server's own, if it is still known, differs from what a majority has.
  bool Contradicts(const io::DigestVerdict& verdict) const;

  // The leader's: what `from` reported. A verdict comes once a majority of `voters` agrees.
  std::optional<io::DigestVerdict> Add(model::ServerId from, const io::DigestReport& report,
                                       const std::vector<model::ServerId>& voters);
  // No majority can agree any more on some revision: nobody knows which state is right.
  bool split() const { return split_; }
  // Another leader counts anew.
  void ForgetReports();

 private:
  static constexpr size_t kKept = 4;

  absl::btree_map<model::Revision, uint64_t> own_;
  absl::btree_map<model::Revision, absl::btree_map<model::ServerId, uint64_t>> reports_;
  bool split_ = false;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_DIGESTS_H_
