// Lock: a data dir belongs to one process at a time (flock on DIR/lock). The kernel drops it with
// the process, however that ends.
#ifndef PANDO_POSIX_LOCK_H_
#define PANDO_POSIX_LOCK_H_

#include <memory>
#include <utility>

#include "base/status.h"
#include "posix/descriptor.h"
#include "posix/posix_disk.h"

namespace pando::posix {

class Lock {
 public:
  // Held until destruction. FAILED_PRECONDITION: another process has it; the message names the dir
  // and, if it can be known, that process.
  static absl::StatusOr<std::unique_ptr<Lock>> Acquire(const PosixDisk& disk);

 private:
  explicit Lock(Descriptor file) : file_(std::move(file)) {}
  const Descriptor file_;
};

}  // namespace pando::posix

#endif  // PANDO_POSIX_LOCK_H_
