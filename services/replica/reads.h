// Reads: the queries that cannot be answered yet, and what each waits for:
//
//   its place      a lane's read runs once it is at the lane's front
//   its grant      a LINEARIZABLE one, until a quorum has confirmed the leader (ReadIndex)
//   its revision   until this server has applied what it asked for, or what was granted
//
// Owned by the replica; core thread only.
#ifndef PANDO_REPLICA_READS_H_
#define PANDO_REPLICA_READS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "base/time.h"
#include "io/client.h"
#include "model/ids.h"
#include "replica/lanes.h"

namespace pando::replica {

struct Read {
  io::Request request;
  Responder responder;
  bool at_front = true;
  bool granted = true;
  model::Revision needs;
  base::Instant deadline = base::kNever;
};

class Reads {
 public:
  using Key = uint64_t;  // never 0

  // True if nothing holds `read` back at `applied`.
  static bool Ready(const Read& read, model::Revision applied) {
    return read.at_front && read.granted && read.needs <= applied;
  }

  Key Add(Read read);
  void ReachedFront(Key key);

  // The round of ReadIndex that all ungranted reads go into which are in none yet; none if there
  // are none, or if kReadRoundsMax are under way: without a leader they would pile up.
  std::optional<uint64_t> StartRound();
  // The round's reads may run once `index` is applied. Takes those that want more than `last`: the
  // newest revision that there is, if this server can say.
  std::vector<Read> Grant(uint64_t round, model::Revision index,
                          std::optional<model::Revision> last);

  // Takes what may run at `applied`.
  std::vector<Read> TakeReady(model::Revision applied);
  // Takes what has waited too long.
  std::vector<Read> TakeExpired(base::Instant now);
  std::vector<Read> TakeAll();

  base::Instant next_deadline() const {
    return deadlines_.empty() ? base::kNever : deadlines_.begin()->first;
  }
  size_t size() const { return reads_.size(); }

 private:
  void Index(Key key, const Read& read);
  Read Take(Key key);

  absl::flat_hash_map<Key, Read> reads_;
  absl::btree_set<std::pair<model::Revision, Key>> by_needs_;  // at the front and granted
  absl::btree_set<std::pair<base::Instant, Key>> deadlines_;
  std::vector<Key> ungranted_;
  absl::btree_map<uint64_t, std::vector<Key>> rounds_;
  Key last_key_ = 0;
  uint64_t last_round_ = 0;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_READS_H_
