#include "store/recover.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/overlay_disk.h"
#include "store/snapshot_file.h"
#include "store/state_writer.h"

namespace pando::store {
namespace {

void Add(const absl::Status& status, CheckResult* result) {
  if (!status.ok()) result->damages.emplace_back(status.message().data(), status.message().size());
}

absl::Status CheckDigest(uint64_t found, const io::StateMark& mark, const std::string& path) {
  if (found == mark.digest) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, ": the records do not have the digest of revision ",
                                          mark.revision.value()));
}

void CheckTree(io::Disk* disk, const std::string& dir, const RecordDigest& digest,
               CheckResult* result) {
  // LevelDB cannot be opened without being written to.
  OverlayDisk overlay(disk);
  const std::string path = absl::StrCat(dir, "/tree");
  absl::StatusOr<std::unique_ptr<TreeDb>> tree = TreeDb::Open(&overlay, path, TreeDbOptions());
  if (!tree.ok()) return Add(tree.status(), result);
  uint64_t sum = 0;
  const absl::Status loaded =
      (*tree)->Load([&](std::string_view key, std::string_view value) -> absl::Status {
        if (digest) sum += digest(key, value);
        ++result->records;
        return absl::OkStatus();
      });
  Add(loaded, result);
  if (!loaded.ok()) return;
  result->mark = (*tree)->mark();
  // What Load does not read: values that newer ones hide.
  const absl::Status tables = (*tree)->CheckTables();
  Add(tables, result);
  if (digest && tables.ok()) Add(CheckDigest(sum, result->mark, path), result);
}

absl::Status CheckSnapshot(io::Disk* disk, model::Revision revision, const RecordDigest& digest) {
  const std::string path = SnapshotPath(revision);
  uint64_t sum = 0;
  const absl::StatusOr<SnapshotHeader> header =
      ReadSnapshot(disk, path, [&](std::string_view key, std::string_view value) -> absl::Status {
        if (digest) sum += digest(key, value);
        return absl::OkStatus();
      });
  if (!header.ok()) return header.status();
  if (header->mark.revision != revision) {
    return absl::DataLossError(
        absl::StrCat(path, ": holds revision ", header->mark.revision.value()));
  }
  return digest ? CheckDigest(sum, header->mark, path) : absl::OkStatus();
}

// The state that the snapshot holds, as `dir`; of nothing, if there is no snapshot.
absl::StatusOr<io::StateMark> BuildState(io::Disk* disk, model::Revision snapshot,
                                         const std::string& dir, const StateOptions& options) {
  io::StateMark mark;
  if (snapshot) {
    const absl::StatusOr<SnapshotHeader> header = ReadSnapshotHeader(disk, SnapshotPath(snapshot));
    if (!header.ok()) return header.status();
    mark = header->mark;
  }
  absl::StatusOr<std::unique_ptr<StateWriter>> writer =
      StateWriter::Create(disk, dir, mark, options);
  if (!writer.ok()) return writer.status();
  if (snapshot) {
    const absl::StatusOr<SnapshotHeader> header =
        ReadSnapshot(disk, SnapshotPath(snapshot),
                     [&](std::string_view key, std::string_view value) -> absl::Status {
                       return (*writer)->Add(key, value);
                     });
    if (!header.ok()) return header.status();
  }
  const absl::StatusOr<State> state = (*writer)->Finish();
  if (!state.ok()) return state.status();
  return mark;
}

// None: no snapshot was ever taken.
absl::StatusOr<model::Revision> NewestGoodSnapshot(io::Disk* disk, const RecordDigest& digest) {
  const absl::StatusOr<std::vector<model::Revision>> revisions = ListSnapshots(disk);
  if (!revisions.ok()) return revisions.status();
  absl::Status damage;
  for (auto revision = revisions->rbegin(); revision != revisions->rend(); ++revision) {
    const absl::Status status = CheckSnapshot(disk, *revision, digest);
    if (status.ok()) return *revision;
    if (damage.ok()) damage = status;
  }
  if (!damage.ok()) return damage;
  return model::Revision();
}

}  // namespace

absl::StatusOr<CheckResult> Check(io::Disk* disk, const RecordDigest& digest) {
  CheckResult result;
  const absl::StatusOr<DataDir> dir = DataDir::OpenExisting(disk);
  if (!dir.ok() && !absl::IsDataLoss(dir.status())) return dir.status();
  Add(dir.status(), &result);
  if (dir.ok() && dir->current()) {
    const std::string state = dir->current()->state_dir();
    result.wal_reset = dir->current()->wal_reset.has_value();
    const size_t before = result.damages.size();
    CheckTree(disk, state, digest, &result);
    // Without the tree nobody knows up to where the change log has to be whole.
    if (result.damages.size() == before) {
      Add(ChangeLog::Check(disk, absl::StrCat(state, "/changes"), result.mark.revision), &result);
    }
  }
  const absl::StatusOr<std::vector<model::Revision>> revisions = ListSnapshots(disk);
  if (!revisions.ok()) return revisions.status();
  for (const model::Revision revision : *revisions) {
    const absl::Status status = CheckSnapshot(disk, revision, digest);
    Add(status, &result);
    if (status.ok()) result.snapshots.push_back(revision);
  }
  return result;
}

absl::StatusOr<io::StateMark> Recover(io::Disk* disk, const RecordDigest& digest,
                                      const StateOptions& options) {
  absl::StatusOr<DataDir> dir = DataDir::OpenExisting(disk);
  if (!dir.ok()) return dir.status();
  const absl::StatusOr<model::Revision> snapshot = NewestGoodSnapshot(disk, digest);
  if (!snapshot.ok()) return snapshot.status();
  const absl::StatusOr<uint64_t> number = dir->NewState();
  if (!number.ok()) return number.status();
  Current current{*number, std::nullopt};
  if (dir->current()) current.wal_reset = dir->current()->wal_reset;
  const absl::StatusOr<io::StateMark> mark =
      BuildState(disk, *snapshot, current.state_dir(), options);
  if (!mark.ok()) return mark.status();
  PANDO_RETURN_IF_ERROR(dir->SetCurrent(current));
  return mark;
}

}  // namespace pando::store
