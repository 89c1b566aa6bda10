#include "store/recover.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/overlay_disk.h"
#include "store/snapshot_file.h"

namespace pando::store {
namespace {

// A state is built in batches of this size: one sync each, and LevelDB holds one in memory.
constexpr size_t kBuildBytes = size_t{4} << 20;

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

absl::StatusOr<io::StateMark> FillTree(io::Disk* disk, model::Revision snapshot, TreeDb* tree) {
  std::vector<model::RecordWrite> batch;
  size_t bytes = 0;
  const absl::StatusOr<SnapshotHeader> header =
      ReadSnapshot(disk, SnapshotPath(snapshot),
                   [&](std::string_view key, std::string_view value) -> absl::Status {
                     batch.push_back({std::string(key), std::string(value)});
                     bytes += batch.back().bytes();
                     if (bytes < kBuildBytes) return absl::OkStatus();
                     PANDO_RETURN_IF_ERROR(tree->Build(batch, io::StateMark()));
                     batch.clear();
                     bytes = 0;
                     return absl::OkStatus();
                   });
  if (!header.ok()) return header.status();
  PANDO_RETURN_IF_ERROR(tree->Build(batch, header->mark));
  return header->mark;
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
  absl::StatusOr<State> state = CreateState(disk, current.state_dir(), *snapshot, options);
  if (!state.ok()) return state.status();
  io::StateMark mark;
  if (*snapshot) {
    const absl::StatusOr<io::StateMark> filled = FillTree(disk, *snapshot, state->tree.get());
    if (!filled.ok()) return filled.status();
    mark = *filled;
  }
  *state = State();
  PANDO_RETURN_IF_ERROR(dir->SetCurrent(current));
  return mark;
}

}  // namespace pando::store
