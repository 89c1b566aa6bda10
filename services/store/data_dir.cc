#include "store/data_dir.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/hash.h"
#include "store/snapshot_file.h"

namespace pando::store {
namespace {

constexpr char kIdentityFile[] = "identity";
constexpr char kCurrentFile[] = "CURRENT";
constexpr char kStatePrefix[] = "state-";
constexpr std::string_view kChecksum = "checksum ";

std::string Hex(uint64_t value) { return absl::StrCat(absl::Hex(value, absl::kZeroPad16)); }

bool ParseHex(std::string_view text, uint64_t* value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *value, 16);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && Hex(*value) == text;
}

bool ParseDecimal(std::string_view text, uint64_t* value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() &&
         absl::StrCat(*value) == text;
}

std::string WithChecksum(std::string text) {
  const std::string checksum = Hex(base::Hash64(text));
  return absl::StrCat(text, base::View(kChecksum), checksum, "\n");
}

// The lines before the checksum line, which must hold.
bool CheckedLines(std::string_view text, std::vector<std::string>* lines) {
  const size_t line = text.rfind(kChecksum);
  if (line == std::string_view::npos || !text.ends_with('\n')) return false;
  const std::string_view body = text.substr(0, line);
  if (WithChecksum(std::string(body)) != text || !body.ends_with('\n')) return false;
  *lines = absl::StrSplit(base::View(body.substr(0, body.size() - 1)), '\n');
  return true;
}

// `line` is "<name> <value>"; gives the value.
bool Value(const std::string& line, std::string_view name, std::string_view* value) {
  const std::string_view view = line;
  if (!view.starts_with(name) || view.size() <= name.size() || view[name.size()] != ' ') {
    return false;
  }
  *value = view.substr(name.size() + 1);
  return true;
}

// The N of a name "state-N"; zero for any other.
uint64_t StateOf(std::string_view name) {
  if (!name.starts_with(kStatePrefix)) return 0;
  uint64_t state = 0;
  return ParseDecimal(name.substr(sizeof(kStatePrefix) - 1), &state) ? state : 0;
}

}  // namespace

std::string FormatIdentity(const Identity& identity) {
  return WithChecksum(absl::StrCat("pando data dir 1\n", "server ", identity.server.value(), "\n",
                                   "storage ", Hex(identity.storage.value()), "\n", "cluster ",
                                   Hex(identity.cluster.value()), "\n"));
}

bool ParseIdentity(std::string_view text, Identity* identity) {
  std::vector<std::string> lines;
  std::string_view server, storage, cluster;
  uint64_t server_id = 0, storage_id = 0, cluster_id = 0;
  if (!CheckedLines(text, &lines) || lines.size() != 4 || lines[0] != "pando data dir 1" ||
      !Value(lines[1], "server", &server) || !ParseDecimal(server, &server_id) ||
      !Value(lines[2], "storage", &storage) || !ParseHex(storage, &storage_id) ||
      !Value(lines[3], "cluster", &cluster) || !ParseHex(cluster, &cluster_id)) {
    return false;
  }
  *identity = {model::ServerId(server_id), model::StorageId(storage_id),
               model::ClusterId(cluster_id)};
  return identity->server && identity->storage;
}

std::string Current::state_dir() const { return absl::StrCat(kStatePrefix, state); }

std::string FormatCurrent(const Current& current) {
  std::string text = absl::StrCat("state ", current.state, "\n");
  if (current.wal_reset) {
    absl::StrAppend(&text, "wal-reset-revision ", current.wal_reset->revision.value(), "\n",
                    "wal-reset-term ", current.wal_reset->term.value(), "\n");
  }
  return WithChecksum(std::move(text));
}

bool ParseCurrent(std::string_view text, Current* current) {
  std::vector<std::string> lines;
  std::string_view state, revision, term;
  uint64_t reset_revision = 0, reset_term = 0;
  *current = Current();
  if (!CheckedLines(text, &lines) || !Value(lines[0], "state", &state) ||
      !ParseDecimal(state, &current->state) || current->state == 0) {
    return false;
  }
  if (lines.size() == 1) return true;
  if (lines.size() != 3 || !Value(lines[1], "wal-reset-revision", &revision) ||
      !ParseDecimal(revision, &reset_revision) || !Value(lines[2], "wal-reset-term", &term) ||
      !ParseDecimal(term, &reset_term)) {
    return false;
  }
  current->wal_reset = {model::Revision(reset_revision), model::Term(reset_term)};
  return true;
}

absl::StatusOr<DataDir> DataDir::OpenExisting(io::Disk* disk) {
  DataDir dir(disk);
  PANDO_RETURN_IF_ERROR(dir.Read());
  return dir;
}

absl::StatusOr<DataDir> DataDir::Open(io::Disk* disk, model::ServerId server,
                                      model::StorageId fresh_storage) {
  CHECK(server && fresh_storage);
  DataDir dir(disk);
  const absl::Status read = dir.Read();
  if (read.ok()) {
    // What was read may be renamed but not yet synced: a kill between the two.
    PANDO_RETURN_IF_ERROR(disk->SyncDir("."));
    if (dir.identity_.server == server) return dir;
    return absl::FailedPreconditionError(absl::StrCat(
        "data dir belongs to server ", dir.identity_.server.value(), ", not ", server.value()));
  }
  if (!absl::IsNotFound(read)) return read;
  // Nobody's yet. A WAL or a state without an identity is a dir that has lost it: not to be reused.
  const absl::StatusOr<std::vector<std::string>> names = disk->List(".");
  if (!names.ok() && !absl::IsNotFound(names.status())) return names.status();
  for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
    if (name == kCurrentFile || name == "wal" || name == kSnapshotDir || StateOf(name) != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("data dir has ", name, " but no file ", kIdentityFile));
    }
  }
  dir.identity_ = {server, fresh_storage, model::ClusterId()};
  PANDO_RETURN_IF_ERROR(io::ReplaceFile(disk, kIdentityFile, FormatIdentity(dir.identity_)));
  return dir;
}

absl::Status DataDir::Make(io::Disk* disk, const Identity& identity, const Current& current) {
  CHECK(identity.server && identity.storage);
  DataDir dir(disk);
  PANDO_RETURN_IF_ERROR(dir.SetCurrent(current));
  return io::ReplaceFile(disk, kIdentityFile, FormatIdentity(identity));
}

absl::Status DataDir::Read() {
  const absl::StatusOr<std::string> identity = io::ReadFile(disk_, kIdentityFile);
  if (!identity.ok()) return identity.status();
  if (!ParseIdentity(*identity, &identity_)) {
    return absl::DataLossError(absl::StrCat(kIdentityFile, ": damaged"));
  }
  const absl::StatusOr<std::string> text = io::ReadFile(disk_, kCurrentFile);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  Current current;
  if (!ParseCurrent(*text, &current)) {
    return absl::DataLossError(absl::StrCat(kCurrentFile, ": damaged"));
  }
  current_ = current;
  return absl::OkStatus();
}

absl::Status DataDir::JoinCluster(model::ClusterId cluster) {
  CHECK(cluster);
  if (identity_.cluster == cluster) return absl::OkStatus();
  if (identity_.cluster) {
    return absl::FailedPreconditionError(absl::StrCat("data dir belongs to cluster ",
                                                      Hex(identity_.cluster.value()), ", not ",
                                                      Hex(cluster.value())));
  }
  Identity joined = identity_;
  joined.cluster = cluster;
  PANDO_RETURN_IF_ERROR(io::ReplaceFile(disk_, kIdentityFile, FormatIdentity(joined)));
  identity_ = joined;
  return absl::OkStatus();
}

absl::Status DataDir::SetCurrent(const Current& current) {
  CHECK(current.state != 0);
  // The folder's name must be on disk before anything names it.
  PANDO_RETURN_IF_ERROR(disk_->SyncDir("."));
  PANDO_RETURN_IF_ERROR(io::ReplaceFile(disk_, kCurrentFile, FormatCurrent(current)));
  current_ = current;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> DataDir::NewState() {
  const absl::StatusOr<std::vector<std::string>> names = disk_->List(".");
  if (!names.ok()) return names.status();
  uint64_t newest = current_ ? current_->state : 0;
  for (const std::string& name : *names) newest = std::max(newest, StateOf(name));
  return newest + 1;
}

absl::Status DataDir::DeleteOtherStates() {
  const absl::StatusOr<std::vector<std::string>> names = disk_->List(".");
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const uint64_t state = StateOf(name);
    if (state == 0 || (current_ && state == current_->state)) continue;
    PANDO_RETURN_IF_ERROR(disk_->DeleteTree(name));
  }
  return absl::OkStatus();
}

}  // namespace pando::store
