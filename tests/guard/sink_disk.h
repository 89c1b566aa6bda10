// SinkDisk: a disk that takes every byte, keeps none, and is always in time.
#ifndef PANDO_TESTS_GUARD_SINK_DISK_H_
#define PANDO_TESTS_GUARD_SINK_DISK_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/disk.h"

namespace pando::guard {

class SinkDisk : public io::Disk {
 public:
  absl::StatusOr<std::unique_ptr<io::File>> Open(const std::string& path,
                                                 io::OpenMode mode) override {
    if (mode != io::OpenMode::kCreate) return absl::NotFoundError(path);
    return std::make_unique<File>();
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string&) override {
    return std::vector<std::string>();
  }
  absl::Status MakeDir(const std::string&) override { return absl::OkStatus(); }
  absl::Status Rename(const std::string& from, const std::string&) override {
    return absl::NotFoundError(from);
  }
  absl::Status Delete(const std::string& path) override { return absl::NotFoundError(path); }
  absl::Status DeleteTree(const std::string&) override { return absl::OkStatus(); }
  absl::Status SyncDir(const std::string&) override { return absl::OkStatus(); }
  absl::StatusOr<uint64_t> FreeBytes() override { return std::numeric_limits<uint64_t>::max(); }

 private:
  class File : public io::File {
   public:
    absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
      size_ = std::max(size_, offset + bytes.size());
      return absl::OkStatus();
    }
    absl::Status ReadAt(uint64_t, size_t, std::string*) override { return absl::OkStatus(); }
    absl::Status Sync() override { return absl::OkStatus(); }
    absl::Status Truncate(uint64_t size) override {
      size_ = size;
      return absl::OkStatus();
    }
    absl::StatusOr<uint64_t> Size() override { return size_; }

   private:
    uint64_t size_ = 0;
  };
};

}  // namespace pando::guard

#endif  // PANDO_TESTS_GUARD_SINK_DISK_H_
