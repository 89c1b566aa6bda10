// Log: the seam between Raft's driver and the WAL. Calls never block; completions come back to the
// Inbox as Persisted and EntriesRead events. Called by the core thread only.
//
// There are no error returns: a write or sync that fails stops the process, but for a full disk,
// which is waited out (Persisted simply does not come until there is room).
#ifndef PANDO_IO_LOG_H_
#define PANDO_IO_LOG_H_

#include <cstddef>

#include "model/ids.h"
#include "raft/output.h"

namespace pando::io {

using AppendId = raft::AppendId;
using Append = raft::Append;

class Log {
 public:
  virtual ~Log() = default;
  virtual void Append(Append append) = 0;
  // Entries below `first_kept` are no longer needed; whole segments of them go.
  virtual void DropPrefix(model::Revision first_kept) = 0;
  // Entries from `first` on, at least one and at most `bytes_max` of them unless the first is
  // larger. REQUIRES: first is kept and persisted.
  virtual void Read(model::Revision first, size_t bytes_max) = 0;
  // Forgets all entries and begins anew after (`last`, `last_term`): a snapshot was installed.
  // Term and vote stay.
  virtual void Reset(model::Revision last, model::Term last_term) = 0;
};

}  // namespace pando::io

#endif  // PANDO_IO_LOG_H_
