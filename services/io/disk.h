// Disk: the files of one data dir. Every own format (WAL, change log, snapshots, identity) is
// written through it, so that each can be crash-tested on sim::Disk.
//
// Calls block. An instance may be used from several threads; a File by one thread at a time.
// Paths are relative to the data dir, with '/'.
//
// What survives a crash: what Sync() returned OK for, and of the rest any subset of 4 KiB blocks
// (in any order). A created, renamed or deleted name survives only after SyncDir() of its folder.
#ifndef PANDO_IO_DISK_H_
#define PANDO_IO_DISK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pando::io {

class File {
 public:
  virtual ~File() = default;
  // Writes all of `bytes` at `offset`, growing the file as needed. RESOURCE_EXHAUSTED: disk full.
  [[nodiscard]] virtual absl::Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // Appends up to `size` bytes from `offset` to `*out`; fewer only at the end of the file.
  [[nodiscard]] virtual absl::Status ReadAt(uint64_t offset, size_t size, std::string* out) = 0;
  // Data and size are on disk (fdatasync). After an error nothing is known: stop the process.
  [[nodiscard]] virtual absl::Status Sync() = 0;
  [[nodiscard]] virtual absl::Status Truncate(uint64_t size) = 0;
  [[nodiscard]] virtual absl::StatusOr<uint64_t> Size() = 0;
};

enum class OpenMode { kRead, kReadWrite, kCreate };  // kCreate: must not exist; read and write

class Disk {
 public:
  virtual ~Disk() = default;
  // NOT_FOUND, ALREADY_EXISTS, or another error that names the file.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                                                   OpenMode mode) = 0;
  // Names in a folder, sorted. NOT_FOUND if there is no such folder.
  [[nodiscard]] virtual absl::StatusOr<std::vector<std::string>> List(const std::string& dir) = 0;
  // Makes the folder and its parents; fine if it is there.
  [[nodiscard]] virtual absl::Status MakeDir(const std::string& dir) = 0;
  // Replaces `to` if it exists.
  [[nodiscard]] virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual absl::Status Delete(const std::string& path) = 0;
  // A folder and all in it; fine if it is not there.
  [[nodiscard]] virtual absl::Status DeleteTree(const std::string& dir) = 0;
  [[nodiscard]] virtual absl::Status SyncDir(const std::string& dir) = 0;
  // Bytes that may still be written.
  [[nodiscard]] virtual absl::StatusOr<uint64_t> FreeBytes() = 0;
};

// The whole file as bytes. Errors as Disk::Open.
[[nodiscard]] absl::StatusOr<std::string> ReadFile(Disk* disk, const std::string& path);

// Replaces `path` by `bytes` so that a crash leaves either the old file or the new, whole: write
// beside it, sync, rename, sync the folder.
[[nodiscard]] absl::Status ReplaceFile(Disk* disk, const std::string& path, std::string_view bytes);

}  // namespace pando::io

#endif  // PANDO_IO_DISK_H_
