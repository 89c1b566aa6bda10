#include "server/start.h"

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "codec/record.h"
#include "machine/machine.h"
#include "posix/clock.h"
#include "posix/random.h"
#include "server/machine_version.h"
#include "store/recover.h"
#include "store/snapshot_file.h"

namespace pando::server {
namespace {

constexpr char kWalDir[] = "wal";

absl::StatusOr<store::State> OpenState(const Config& config, io::Disk* disk,
                                       store::DataDir* data_dir) {
  if (data_dir->current()) {
    return store::OpenState(disk, data_dir->current()->state_dir(), StateOptionsOf(config));
  }
  const absl::StatusOr<uint64_t> number = data_dir->NewState();
  if (!number.ok()) return number.status();
  const store::Current current{.state = *number};
  absl::StatusOr<store::State> state =
      store::CreateState(disk, current.state_dir(), model::Revision(), StateOptionsOf(config));
  if (!state.ok()) return state.status();
  PANDO_RETURN_IF_ERROR(disk->SyncDir("."));
  PANDO_RETURN_IF_ERROR(data_dir->SetCurrent(current));
  return state;
}

absl::StatusOr<std::unique_ptr<machine::Machine>> LoadMachine(const store::State& state) {
  auto machine = std::make_unique<machine::Machine>();
  PANDO_RETURN_IF_ERROR(state.tree->Load(
      [&](std::string_view key, std::string_view value) { return machine->Load(key, value); }));
  const io::StateMark mark = state.tree->mark();
  PANDO_RETURN_IF_ERROR(machine->FinishLoad(mark.revision, mark.digest));
  return machine;
}

// A tree that cannot be read is rebuilt from the newest snapshot and the log.
absl::Status DamagedTree(const Config& config, const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(absl::StrCat(status.message(), "; `pandod --recover ", config.data_dir,
                                          "` rebuilds the tree from the newest snapshot and the "
                                          "log"));
}

// A server of another ensemble's log cannot follow one whose revisions it is far above.
absl::Status CheckFounds(const Config& config, const machine::Machine& machine) {
  const bool restored = machine.origin() != 0 && !machine.cluster();
  if (!restored || config.join.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(config.data_dir,
                   " was restored from a backup: its server begins a new ensemble, "
                   "with --initial-cluster, and cannot --join one"));
}

// What the log has to hold for a state at `mark`.
absl::Status CheckReach(const wal::Recovered& log, model::Revision last,
                        const io::StateMark& mark) {
  const auto lost = [&](std::string_view what) {
    return absl::DataLossError(absl::StrCat("the write-ahead log ", base::View(what),
                                            ", but the tree is at revision ", mark.revision.value(),
                                            ": part of the data dir is missing or from elsewhere"));
  };
  if (log.first_on_disk > mark.revision + 1) {
    return lost(absl::StrCat("begins at revision ", log.first_on_disk.value()));
  }
  if (last < mark.revision) return lost(absl::StrCat("ends at revision ", last.value()));
  return absl::OkStatus();
}

}  // namespace

store::StateOptions StateOptionsOf(const Config& config) {
  store::StateOptions options;
  options.changes.bytes_max = config.changes_bytes;
  options.changes.age_max = config.changes_age;
  options.changes.wall_clock = posix::WallNow;
  return options;
}

absl::StatusOr<Opened> OpenDataDir(const Config& config,
                                   std::function<void(base::Duration)> on_sync) {
  Opened opened;
  absl::StatusOr<std::unique_ptr<posix::PosixDisk>> disk = posix::PosixDisk::Open(
      config.data_dir, posix::PosixDisk::IfMissing::kCreate, config.disk_reserve_bytes);
  if (!disk.ok()) return disk.status();
  opened.disk = *std::move(disk);
  absl::StatusOr<std::unique_ptr<posix::Lock>> lock = posix::Lock::Acquire(*opened.disk);
  if (!lock.ok()) return lock.status();
  opened.lock = *std::move(lock);

  absl::StatusOr<store::DataDir> data_dir =
      store::DataDir::Open(opened.disk.get(), config.id, model::StorageId(posix::RandomNumber()));
  if (!data_dir.ok()) return base::Annotate(data_dir.status(), config.data_dir);
  opened.data_dir = std::make_unique<store::DataDir>(*std::move(data_dir));
  absl::StatusOr<store::State> state = OpenState(config, opened.disk.get(), opened.data_dir.get());
  if (!state.ok()) return DamagedTree(config, state.status());
  opened.state = *std::move(state);
  absl::StatusOr<std::unique_ptr<machine::Machine>> machine = LoadMachine(opened.state);
  if (!machine.ok()) return DamagedTree(config, machine.status());
  PANDO_RETURN_IF_ERROR(CheckMachineVersion(config.data_dir, (*machine)->version()));
  PANDO_RETURN_IF_ERROR(CheckFounds(config, **machine));
  const io::StateMark mark = opened.state.tree->mark();

  wal::Options options;
  options.segment_bytes = config.wal_segment_bytes;
  options.keep_from = mark.revision + 1;
  // Nobody follows a single server: what is stored is not needed again.
  const store::Current current = *opened.data_dir->current();
  if (current.wal_reset) {
    options.reset = wal::Position{current.wal_reset->revision, current.wal_reset->term};
  }
  options.clock = posix::Now;
  options.on_sync = std::move(on_sync);
  wal::Recovered log;
  absl::StatusOr<std::unique_ptr<wal::Wal>> wal = wal::Wal::Open(
      opened.disk.get(), kWalDir, std::move(options), base::Rng(posix::RandomNumber()), &log);
  if (!wal.ok()) return wal.status();
  opened.wal = *std::move(wal);
  opened.last_entry = opened.wal->last().index;
  PANDO_RETURN_IF_ERROR(CheckReach(log, opened.last_entry, mark));
  if (current.wal_reset) {
    PANDO_RETURN_IF_ERROR(opened.data_dir->SetCurrent({.state = current.state}));
  }
  PANDO_RETURN_IF_ERROR(opened.data_dir->DeleteOtherStates());
  const absl::StatusOr<model::Revision> snapshot = store::NewestSnapshot(opened.disk.get());
  if (!snapshot.ok()) return snapshot.status();

  opened.start = log.start_count;
  opened.recovered.machine = *std::move(machine);
  opened.recovered.snapshot_revision = *snapshot;
  opened.recovered.oldest_change = opened.state.changes->oldest();
  opened.recovered.formation = std::move(log.formation);
  opened.recovered.raft = {.term = log.term,
                           .vote = log.vote,
                           .previous = log.previous.index,
                           .previous_term = log.previous.term,
                           .entries = std::move(log.entries),
                           .first_on_disk = log.first_on_disk};
  return opened;
}

// --- Offline ----------------------------------------------------------------------------------

namespace {

// The data dir of a server that does not run.
struct Offline {
  std::unique_ptr<posix::PosixDisk> disk;
  std::unique_ptr<posix::Lock> lock;
};

absl::StatusOr<Offline> TakeOffline(const Config& config) {
  Offline offline;
  absl::StatusOr<std::unique_ptr<posix::PosixDisk>> disk =
      posix::PosixDisk::Open(config.data_dir, posix::PosixDisk::IfMissing::kFail, 0);
  if (!disk.ok()) return disk.status();
  offline.disk = *std::move(disk);
  // First of all: a folder that is nobody's data dir is left as it is.
  const absl::StatusOr<store::DataDir> known = store::DataDir::OpenExisting(offline.disk.get());
  if (absl::IsNotFound(known.status())) {
    return base::Annotate(known.status(), config.data_dir);
  }
  absl::StatusOr<std::unique_ptr<posix::Lock>> lock = posix::Lock::Acquire(*offline.disk);
  if (!lock.ok()) return lock.status();
  offline.lock = *std::move(lock);
  return offline;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "pandod: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int CheckDataDir(const Config& config) {
  const absl::StatusOr<Offline> offline = TakeOffline(config);
  if (!offline.ok()) return Fail(offline.status());
  const absl::StatusOr<store::CheckResult> result =
      store::Check(offline->disk.get(), codec::RecordDigest);
  if (!result.ok()) return Fail(result.status());
  std::vector<std::string> damages = result->damages;

  wal::CheckReport log;
  const absl::Status wal = wal::Wal::Check(offline->disk.get(), kWalDir, &log);
  if (!wal.ok()) {
    damages.push_back(std::string(wal.message()));
  } else if (!result->wal_reset && (log.last.index < result->mark.revision ||
                                    log.previous.index > result->mark.revision)) {
    damages.push_back(absl::StrCat("wal: holds revisions ", log.previous.index.value() + 1, " to ",
                                   log.last.index.value(), ", but the tree is at ",
                                   result->mark.revision.value()));
  }
  for (const std::string& damage : damages) std::fprintf(stderr, "%s\n", damage.c_str());
  if (!damages.empty()) return 1;
  std::printf(
      "good: %s records at revision %s, log to revision %s, %s snapshots\n",
      absl::StrCat(result->records).c_str(), absl::StrCat(result->mark.revision.value()).c_str(),
      absl::StrCat(log.last.index.value()).c_str(), absl::StrCat(result->snapshots.size()).c_str());
  if (!log.torn_file.empty()) {
    std::printf("a torn write at %s, offset %s: never acknowledged, the next start cuts it\n",
                log.torn_file.c_str(), absl::StrCat(log.torn_offset).c_str());
  }
  return 0;
}

int RecoverDataDir(const Config& config) {
  const absl::StatusOr<Offline> offline = TakeOffline(config);
  if (!offline.ok()) return Fail(offline.status());
  const absl::StatusOr<io::StateMark> mark =
      store::Recover(offline->disk.get(), codec::RecordDigest, StateOptionsOf(config));
  if (!mark.ok()) return Fail(mark.status());
  std::printf("rebuilt the tree at revision %s; the next start applies the log above it\n",
              absl::StrCat(mark->revision.value()).c_str());
  return 0;
}

}  // namespace pando::server
