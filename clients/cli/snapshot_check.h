// SnapshotCheck: whether a backup is whole, and what it holds.
#ifndef PANDO_CLIENTS_CLI_SNAPSHOT_CHECK_H_
#define PANDO_CLIENTS_CLI_SNAPSHOT_CHECK_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time.h"
#include "codec/snapshot.h"

namespace pando::cli {

struct SnapshotFacts {
  codec::SnapshotHeader header;
  base::WallTime time;  // of the newest change that has one
  uint64_t nodes = 0;
  uint64_t sessions = 0;
  uint64_t records = 0;  // of all kinds
  uint64_t bytes = 0;    // of the backup
};

// Takes the bytes as they come; holds one block of them at most.
class SnapshotCheck {
 public:
  // `name`: of the backup, for messages.
  explicit SnapshotCheck(std::string name);
  SnapshotCheck(const SnapshotCheck&) = delete;
  SnapshotCheck& operator=(const SnapshotCheck&) = delete;

  // DATA_LOSS: it is damaged, and where. After that it can only be dropped.
  absl::Status Feed(std::string_view bytes);
  // After the last byte. DATA_LOSS: it is not whole.
  absl::StatusOr<SnapshotFacts> Finish();

 private:
  void Count(std::string_view key, std::string_view value);
  absl::Status Named(const absl::Status& status) const;

  const std::string name_;
  SnapshotFacts facts_;
  uint64_t digest_ = 0;
  codec::SnapshotDecoder decoder_;
};

// Reads the file at `path`; "-" is the standard input. INTERNAL: it cannot be read.
absl::StatusOr<SnapshotFacts> CheckSnapshotFile(const std::string& path);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_SNAPSHOT_CHECK_H_
