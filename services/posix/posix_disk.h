// PosixDisk: one data dir of a Linux machine as io::Disk. Thread-safe, as io/disk.h says.
//
// Every path is resolved from a descriptor of the data dir: the dir stays the one that was locked,
// whatever happens to its name.
#ifndef PANDO_POSIX_POSIX_DISK_H_
#define PANDO_POSIX_POSIX_DISK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "io/disk.h"
#include "posix/descriptor.h"

namespace pando::posix {

class PosixDisk : public io::Disk {
 public:
  // Opens the data dir. kCreate: makes it, and its parents, if it is not there. FreeBytes() leaves
  // `reserve_bytes` out; writes may go into the reserve, or a full server could not even vote.
  enum class IfMissing { kFail, kCreate };
  static absl::StatusOr<std::unique_ptr<PosixDisk>> Open(const std::string& data_dir,
                                                         IfMissing if_missing,
                                                         uint64_t reserve_bytes);

  absl::StatusOr<std::unique_ptr<io::File>> Open(const std::string& path,
                                                 io::OpenMode mode) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& dir) override;
  absl::Status MakeDir(const std::string& dir) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Delete(const std::string& path) override;
  absl::Status DeleteTree(const std::string& dir) override;
  absl::Status SyncDir(const std::string& dir) override;
  // What this process may still write above the reserve; zero inside it.
  absl::StatusOr<uint64_t> FreeBytes() override;

  // Of all files below the data dir, as the file system counts them. What vanishes meanwhile is
  // left out.
  absl::StatusOr<uint64_t> UsedBytes() const;

  const std::string& data_dir() const { return data_dir_; }
  // Of the data dir; valid as long as this object.
  int descriptor() const { return dir_.get(); }

 private:
  PosixDisk(std::string data_dir, Descriptor dir, uint64_t reserve_bytes);
  absl::Status Error(const char* call, const std::string& path) const;

  const std::string data_dir_;
  const Descriptor dir_;
  const uint64_t reserve_bytes_;
};

}  // namespace pando::posix

#endif  // PANDO_POSIX_POSIX_DISK_H_
