#include "server/restore.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "codec/snapshot.h"
#include "machine/machine.h"
#include "model/limits.h"
#include "posix/lock.h"
#include "posix/posix_disk.h"
#include "posix/random.h"
#include "server/machine_version.h"
#include "server/start.h"
#include "store/data_dir.h"
#include "store/snapshot_file.h"
#include "store/state_writer.h"

namespace pando::server {
namespace {

namespace fs = std::filesystem;

// A file, wherever it lies.
struct Backup {
  std::unique_ptr<posix::PosixDisk> folder;
  std::string name;
  std::string path;  // as it was given

  absl::StatusOr<store::SnapshotHeader> Read(const store::TreeDb::RecordReader& read) const {
    absl::StatusOr<store::SnapshotHeader> header = store::ReadSnapshot(folder.get(), name, read);
    if (!absl::IsDataLoss(header.status())) return header;
    return absl::DataLossError(
        absl::StrCat(path, " is no whole backup: ", header.status().message()));
  }
};

absl::StatusOr<Backup> OpenBackup(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a folder: name a backup"));
  }
  const fs::path parent = fs::path(path).parent_path();
  absl::StatusOr<std::unique_ptr<posix::PosixDisk>> folder = posix::PosixDisk::Open(
      parent.empty() ? "." : parent.string(), posix::PosixDisk::IfMissing::kFail, 0);
  if (!folder.ok()) return folder.status();
  Backup backup{*std::move(folder), fs::path(path).filename().string(), path};
  const auto readable = backup.folder->Open(backup.name, io::OpenMode::kRead);
  if (!readable.ok()) return readable.status();
  return backup;
}

// What the new ensemble begins with: the backup's records, but for `changed`.
struct Beginning {
  store::SnapshotHeader from;
  io::StateMark mark;
  std::map<std::string, std::optional<std::string>> changed;
  machine::Machine::Counts before;
  machine::Machine::Counts after;
};

absl::StatusOr<Beginning> Plan(const Backup& backup, model::Revision above) {
  machine::Machine machine;
  const absl::StatusOr<store::SnapshotHeader> header = backup.Read(
      [&](std::string_view key, std::string_view value) { return machine.Load(key, value); });
  if (!header.ok()) return header.status();
  PANDO_RETURN_IF_ERROR(
      base::Annotate(machine.FinishLoad(header->mark.revision, header->mark.digest), backup.path));
  PANDO_RETURN_IF_ERROR(CheckMachineVersion(backup.path, machine.version()));
  const model::Revision base = std::max(header->mark.revision, above);
  if (base.value() > model::kRestoreRevisionMax) {
    return absl::DataLossError(
        absl::StrCat(backup.path, ": no ensemble gets to revision ", base.value()));
  }
  Beginning beginning{.from = *header, .before = machine.counts()};
  beginning.mark.revision = base + model::kRestoreRevisionGap;
  beginning.mark.term = header->mark.term;
  // Not zero, which is none.
  const uint64_t origin =
      base::Hash64(codec::SnapshotEncoder(*header).encoded(), beginning.mark.revision.value()) | 1;
  machine::Applied anew = machine.BeginAnew(beginning.mark.revision, origin);
  for (model::RecordWrite& write : anew.delta.writes) {
    beginning.changed.insert_or_assign(std::move(write.key), std::move(write.value));
  }
  beginning.mark.digest = machine.digest();
  beginning.after = machine.counts();
  return beginning;
}

// In the order of keys: the backup's records with the changed ones in their places.
absl::Status Write(const Backup& backup, const Beginning& beginning, store::StateWriter* writer) {
  auto next = beginning.changed.begin();
  // Those before `key`, or all that are left; and `key` itself.
  const auto write_changed = [&](std::optional<std::string_view> key) -> absl::Status {
    for (; next != beginning.changed.end() && (!key || next->first <= *key); ++next) {
      if (next->second) PANDO_RETURN_IF_ERROR(writer->Add(next->first, *next->second));
    }
    return absl::OkStatus();
  };
  const absl::StatusOr<store::SnapshotHeader> header =
      backup.Read([&](std::string_view key, std::string_view value) -> absl::Status {
        PANDO_RETURN_IF_ERROR(write_changed(key));
        if (beginning.changed.find(std::string(key)) != beginning.changed.end()) {
          return absl::OkStatus();
        }
        return writer->Add(key, value);
      });
  if (!header.ok()) return header.status();
  if (*header != beginning.from) {
    return absl::DataLossError(absl::StrCat(backup.path, " was replaced meanwhile"));
  }
  return write_changed(std::nullopt);
}

// The data dir while it is made; goes again with this object unless it was kept.
class NewDataDir {
 public:
  static absl::StatusOr<std::unique_ptr<NewDataDir>> Make(const std::string& path) {
    std::error_code error;
    const bool is_there = fs::exists(path, error);
    if (is_there && !(fs::is_directory(path, error) && fs::is_empty(path, error))) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is not an empty folder: name another, or empty it first"));
    }
    absl::StatusOr<std::unique_ptr<posix::PosixDisk>> disk =
        posix::PosixDisk::Open(path, posix::PosixDisk::IfMissing::kCreate, 0);
    if (!disk.ok()) return disk.status();
    std::unique_ptr<NewDataDir> made(new NewDataDir(path, is_there, *std::move(disk)));
    absl::StatusOr<std::unique_ptr<posix::Lock>> lock = posix::Lock::Acquire(*made->disk_);
    if (!lock.ok()) {
      // Somebody else is making it.
      made->kept_ = true;
      return lock.status();
    }
    made->lock_ = *std::move(lock);
    return made;
  }

  ~NewDataDir() {
    if (kept_) return;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_, error)) {
      fs::remove_all(entry.path(), error);
    }
    if (!was_there_) fs::remove(path_, error);
  }

  io::Disk* disk() { return disk_.get(); }
  void Keep() { kept_ = true; }

 private:
  NewDataDir(std::string path, bool was_there, std::unique_ptr<posix::PosixDisk> disk)
      : path_(std::move(path)), was_there_(was_there), disk_(std::move(disk)) {}

  const std::string path_;
  const bool was_there_;
  const std::unique_ptr<posix::PosixDisk> disk_;
  std::unique_ptr<posix::Lock> lock_;
  bool kept_ = false;
};

absl::StatusOr<Beginning> Restore(const Config& config) {
  absl::StatusOr<Backup> backup = OpenBackup(config.restore_file);
  if (!backup.ok()) return backup.status();
  absl::StatusOr<std::unique_ptr<NewDataDir>> dir = NewDataDir::Make(config.data_dir);
  if (!dir.ok()) return dir.status();
  absl::StatusOr<Beginning> beginning = Plan(*backup, config.restore_above);
  if (!beginning.ok()) return beginning.status();

  const io::StateMark& mark = beginning->mark;
  // The log begins after it.
  const store::Current current{.state = 1,
                               .wal_reset = store::Current::WalReset{mark.revision, mark.term}};
  {
    absl::StatusOr<std::unique_ptr<store::StateWriter>> writer = store::StateWriter::Create(
        (*dir)->disk(), current.state_dir(), mark, StateOptionsOf(config));
    if (!writer.ok()) return writer.status();
    PANDO_RETURN_IF_ERROR(Write(*backup, *beginning, writer->get()));
    const absl::StatusOr<store::State> state = (*writer)->Finish();
    if (!state.ok()) return state.status();
  }
  const store::Identity identity{config.id, model::StorageId(posix::RandomNumber()), {}};
  PANDO_RETURN_IF_ERROR(store::DataDir::Make((*dir)->disk(), identity, current));
  (*dir)->Keep();
  return beginning;
}

}  // namespace

int RestoreDataDir(const Config& config) {
  const absl::StatusOr<Beginning> beginning = Restore(config);
  if (!beginning.ok()) {
    std::fprintf(stderr, "pandod: %s\n", std::string(beginning.status().message()).c_str());
    return 1;
  }
  std::printf("%s\n",
              absl::StrCat("restored ", beginning->after.nodes, " nodes of revision ",
                           beginning->from.mark.revision.value(), " as revision ",
                           beginning->mark.revision.value(), " for server ", config.id.value(),
                           "; left out ", beginning->before.sessions, " sessions with ",
                           beginning->before.ephemerals, " ephemeral nodes")
                  .c_str());
  return 0;
}

}  // namespace pando::server
