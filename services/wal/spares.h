// Spares: keeps the next segment's file ready, and deletes or recycles those that are dropped.
//
// A sync of blocks that were written before costs half of one that must also extend the file, so
// the next segment is a file of zeros, or an old segment. Making it takes a while, so another
// thread does it: Tend() may run beside Take() and Retire(), but not beside itself.
//
//           Retire(name)                        Take(name)
//   owner ───────┐                                 ▲
//                ▼                                 │
//          [old segments] ── rename, or ──►  wal/spare
//                            delete                ▲
//   maker: Tend()            zeros: wal/spare.new ─┘
#ifndef PANDO_WAL_SPARES_H_
#define PANDO_WAL_SPARES_H_

#include <cstdint>
#include <deque>
#include <string>

#include "base/mutex.h"
#include "base/status.h"
#include "io/disk.h"

namespace pando::wal {

class Spares {
 public:
  // `disk` outlives it; `dir` is the WAL's.
  Spares(io::Disk* disk, std::string dir, uint64_t segment_bytes);

  // Deletes what an earlier run left: after a crash in a rename, its spare may be a segment under
  // a second name. Before anything else.
  [[nodiscard]] absl::Status Clear() PANDO_EXCLUDES(mutex_);

  // Renames the spare to `path`. False: there is none, and nothing was done. The caller syncs the
  // folder. Owner thread.
  absl::StatusOr<bool> Take(const std::string& path) PANDO_EXCLUDES(mutex_);
  // The segment is not needed any more; oldest first. Owner thread.
  void Retire(std::string path) PANDO_EXCLUDES(mutex_);

  // Take() will find one. Owner thread.
  bool ready() const PANDO_EXCLUDES(mutex_);
  // There is something for Tend() to do.
  bool wants_tending() const PANDO_EXCLUDES(mutex_);
  // Gets rid of the retired segments and makes a spare if there is none. RESOURCE_EXHAUSTED: there
  // is no room for a spare; the log goes on without, more slowly. Any other error: stop the
  // process.
  [[nodiscard]] absl::Status Tend() PANDO_EXCLUDES(mutex_);

 private:
  // kMaking and kTaking: one thread works on the file `spare` without the lock.
  enum class State : uint8_t { kNone, kMaking, kReady, kTaking };

  absl::Status ClearRetired();
  absl::Status ClearOne(const std::string& path);
  absl::Status MakeSpare();
  // False if the state is not `from`.
  bool Move(State from, State to) PANDO_EXCLUDES(mutex_);
  absl::Status DeleteIfThere(const std::string& path);

  io::Disk* const disk_;
  const std::string dir_;
  const std::string spare_;
  const std::string spare_new_;
  const uint64_t segment_bytes_;
  mutable base::Mutex mutex_;
  State state_ PANDO_GUARDED_BY(mutex_) = State::kNone;
  std::deque<std::string> retired_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::wal

#endif  // PANDO_WAL_SPARES_H_
