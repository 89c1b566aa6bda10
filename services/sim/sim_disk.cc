#include "sim/sim_disk.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/limits.h"

namespace pando::sim {
namespace {

constexpr uint64_t kBlockBytes = model::kWalBlockBytes;
constexpr uint64_t kSectorBytes = 512;
static_assert(kBlockBytes % kSectorBytes == 0);

// What FreeBytes() tells when there is no capacity.
constexpr uint64_t kUnbounded = uint64_t{1} << 40;

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

absl::Status NotFound(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": not found"));
}

absl::Status WrongKind(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": a file where a folder must be, or vice versa"));
}

absl::Status Gone(const std::string& path) {
  return absl::UnavailableError(absl::StrCat(path, ": the simulated disk is gone"));
}

// Copies bytes [first, end) of `from`, as far as it goes, to the same place.
void CopyRange(const std::string& from, uint64_t first, uint64_t end, std::string* to) {
  end = std::min<uint64_t>({end, from.size(), to->size()});
  if (first >= end) return;
  std::copy(from.begin() + static_cast<ptrdiff_t>(first),
            from.begin() + static_cast<ptrdiff_t>(end),
            to->begin() + static_cast<ptrdiff_t>(first));
}

}  // namespace

// A file or a folder. The cached half is what calls see, the synced half what is sure to stay.
struct SimDisk::Inode {
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  bool is_dir = false;
  Names names;
  Names synced_names;
  std::string bytes;
  std::string synced_bytes;
  std::set<uint64_t> dirty_blocks;  // that were written since the last sync

  void MarkDirty(uint64_t first, uint64_t end) {
    if (first >= end) return;
    for (uint64_t b = first / kBlockBytes; b <= (end - 1) / kBlockBytes; ++b)
      dirty_blocks.insert(b);
  }
  void Sync();
};

void SimDisk::Inode::Sync() {
  synced_bytes.resize(bytes.size());
  for (const uint64_t block : dirty_blocks) {
    CopyRange(bytes, block * kBlockBytes, (block + 1) * kBlockBytes, &synced_bytes);
  }
  dirty_blocks.clear();
}

struct SimDisk::State {
  using Names = Inode::Names;

  base::Mutex mutex;
  std::shared_ptr<Inode> root PANDO_GUARDED_BY(mutex) = NewDir();
  uint64_t operations PANDO_GUARDED_BY(mutex) = 0;
  std::optional<uint64_t> calls_left PANDO_GUARDED_BY(mutex);
  bool stopped PANDO_GUARDED_BY(mutex) = false;
  bool gone PANDO_GUARDED_BY(mutex) = false;
  uint64_t capacity PANDO_GUARDED_BY(mutex) = std::numeric_limits<uint64_t>::max();
  uint64_t syncs_to_fail PANDO_GUARDED_BY(mutex) = 0;
  std::function<void(const std::string&)> probe PANDO_GUARDED_BY(mutex);

  static std::shared_ptr<Inode> NewDir() {
    auto dir = std::make_shared<Inode>();
    dir->is_dir = true;
    return dir;
  }

  // At the start of every call that is counted; `mutex` is not held.
  void Probe(const std::string& path) PANDO_EXCLUDES(mutex) {
    std::function<void(const std::string&)> call;
    {
      const base::MutexLock lock(&mutex);
      call = probe;
    }
    if (call) call(path);
  }
  absl::Status Count(const std::string& path) PANDO_REQUIRES(mutex);
  absl::Status CheckUp(const std::string& path) PANDO_REQUIRES(mutex) {
    if (gone || stopped) return Gone(path);
    return absl::OkStatus();
  }
  absl::Status CountSync(const std::string& path) PANDO_REQUIRES(mutex);

  std::shared_ptr<Inode> Find(const std::string& path) PANDO_REQUIRES(mutex);
  // The folder that `path` is in, and the name in it; null: there is no such folder.
  std::shared_ptr<Inode> FindParent(const std::string& path, std::string* name)
      PANDO_REQUIRES(mutex);
  uint64_t UsedBytes() PANDO_REQUIRES(mutex);
  uint64_t FreeBytes() PANDO_REQUIRES(mutex) {
    if (capacity == std::numeric_limits<uint64_t>::max()) return capacity;
    const uint64_t used = UsedBytes();
    return capacity > used ? capacity - used : 0;
  }
};

absl::Status SimDisk::State::Count(const std::string& path) {
  ++operations;
  PANDO_RETURN_IF_ERROR(CheckUp(path));
  if (!calls_left) return absl::OkStatus();
  if (*calls_left > 0) {
    --*calls_left;
    return absl::OkStatus();
  }
  stopped = true;
  return Gone(path);
}

absl::Status SimDisk::State::CountSync(const std::string& path) {
  PANDO_RETURN_IF_ERROR(Count(path));
  if (syncs_to_fail == 0) return absl::OkStatus();
  --syncs_to_fail;
  return absl::DataLossError(absl::StrCat(path, ": sync failed"));
}

std::shared_ptr<SimDisk::Inode> SimDisk::State::Find(const std::string& path) {
  std::shared_ptr<Inode> inode = root;
  for (const std::string& part : Split(path)) {
    const auto found = inode->names.find(part);
    if (found == inode->names.end()) return nullptr;
    inode = found->second;
  }
  return inode;
}

std::shared_ptr<SimDisk::Inode> SimDisk::State::FindParent(const std::string& path,
                                                           std::string* name) {
  const std::vector<std::string> parts = Split(path);
  CHECK(!parts.empty());
  std::shared_ptr<Inode> dir = root;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto found = dir->names.find(parts[i]);
    if (found == dir->names.end() || !found->second->is_dir) return nullptr;
    dir = found->second;
  }
  *name = parts.back();
  return dir;
}

uint64_t SimDisk::State::UsedBytes() {
  uint64_t used = 0;
  std::set<const Inode*> seen;  // a file may have two names after a crash
  std::vector<const Inode*> left = {root.get()};
  while (!left.empty()) {
    const Inode* inode = left.back();
    left.pop_back();
    if (!seen.insert(inode).second) continue;
    used += inode->bytes.size();
    for (const auto& [name, child] : inode->names) left.push_back(child.get());
  }
  return used;
}

// --- Files ------------------------------------------------------------------------------------

class SimDisk::OpenFile : public io::File {
 public:
  OpenFile(std::shared_ptr<State> state, std::shared_ptr<Inode> inode, std::string path,
           bool writable)
      : state_(std::move(state)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    CHECK(writable_);
    state_->Probe(path_);
    const base::MutexLock lock(&state_->mutex);
    const bool was_up = state_->CheckUp(path_).ok();
    if (absl::Status counted = state_->Count(path_); !counted.ok()) {
      // The process died in the middle of it.
      if (was_up)
        Put(offset, bytes.substr(0, base::Rng(state_->operations).Below(bytes.size() + 1)));
      return counted;
    }
    if (Put(offset, bytes)) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat(path_, ": no space left"));
  }

  absl::Status ReadAt(uint64_t offset, size_t size, std::string* out) override {
    const base::MutexLock lock(&state_->mutex);
    PANDO_RETURN_IF_ERROR(state_->CheckUp(path_));
    if (offset < inode_->bytes.size())
      out->append(inode_->bytes, static_cast<size_t>(offset), size);
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    state_->Probe(path_);
    const base::MutexLock lock(&state_->mutex);
    PANDO_RETURN_IF_ERROR(state_->CountSync(path_));
    inode_->Sync();
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size) override {
    CHECK(writable_);
    state_->Probe(path_);
    const base::MutexLock lock(&state_->mutex);
    PANDO_RETURN_IF_ERROR(state_->Count(path_));
    const uint64_t old = inode_->bytes.size();
    if (size > old && size - old > state_->FreeBytes()) {
      return absl::ResourceExhaustedError(absl::StrCat(path_, ": no space left"));
    }
    inode_->bytes.resize(static_cast<size_t>(size));
    inode_->MarkDirty(std::min(old, size), std::max(old, size));
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override {
    const base::MutexLock lock(&state_->mutex);
    PANDO_RETURN_IF_ERROR(state_->CheckUp(path_));
    return inode_->bytes.size();
  }

 private:
  // False: only a part of it fitted.
  bool Put(uint64_t offset, std::string_view bytes) PANDO_REQUIRES(state_->mutex) {
    std::string& to = inode_->bytes;
    const uint64_t old = to.size();
    const uint64_t wanted = offset + bytes.size();
    uint64_t end = wanted;
    if (wanted > old) {
      const uint64_t room = state_->FreeBytes();
      if (wanted - old > room) end = old + room;
    }
    if (end > offset) {
      if (end > old) to.resize(static_cast<size_t>(end));
      to.replace(static_cast<size_t>(offset), static_cast<size_t>(end - offset),
                 bytes.substr(0, static_cast<size_t>(end - offset)));
      // With the gap, if there is one.
      inode_->MarkDirty(std::min(offset, old), end);
    }
    return end == wanted;
  }

  const std::shared_ptr<State> state_;
  const std::shared_ptr<Inode> inode_;
  const std::string path_;
  const bool writable_;
};

// --- Crashes ----------------------------------------------------------------------------------

namespace {

// How the unsynced things of one file or folder fare. Extremes are drawn often: of a hundred
// independent blocks, hardly ever all are kept.
struct Odds {
  uint64_t kept;  // in a thousand
  uint64_t torn;  // of a thousand that are not kept

  static Odds Draw(base::Rng* rng) {
    constexpr uint64_t kept[] = {0, 300, 900, 1000};
    constexpr uint64_t torn[] = {0, 500, 1000};
    return {kept[rng->Below(std::size(kept))], torn[rng->Below(std::size(torn))]};
  }
};

uint64_t DrawSize(uint64_t synced, uint64_t newest, base::Rng* rng) {
  switch (rng->Below(3)) {
    case 0:
      return synced;
    case 1:
      return newest;
    default:
      break;
  }
  const uint64_t low = std::min(synced, newest);
  const uint64_t high = std::max(synced, newest);
  const uint64_t boundary = rng->Between(low / kBlockBytes, high / kBlockBytes) * kBlockBytes;
  return std::max(boundary, low);
}

}  // namespace

std::unique_ptr<SimDisk> SimDisk::Crash(base::Rng* rng) const {
  struct Crasher {
    base::Rng* rng;
    std::unordered_map<const Inode*, std::shared_ptr<Inode>> done;

    std::shared_ptr<Inode> Crash(const Inode& inode) {
      std::shared_ptr<Inode>& found = done[&inode];
      if (found != nullptr) return found;
      const std::shared_ptr<Inode> result = std::make_shared<Inode>();
      found = result;
      result->is_dir = inode.is_dir;
      if (inode.is_dir) {
        CrashNames(inode, result.get());
      } else {
        CrashBytes(inode, result.get());
      }
      return result;
    }
    void CrashNames(const Inode& inode, Inode* result) {
      const Odds odds = Odds::Draw(rng);
      Inode::Names all = inode.names;
      all.insert(inode.synced_names.begin(), inode.synced_names.end());
      for (const auto& [name, any] : all) {
        const auto now = inode.names.find(name);
        const auto synced = inode.synced_names.find(name);
        const Inode* newest = now == inode.names.end() ? nullptr : now->second.get();
        const Inode* sure = synced == inode.synced_names.end() ? nullptr : synced->second.get();
        const Inode* chosen = newest != sure && rng->Chance(odds.kept) ? newest : sure;
        if (chosen != nullptr) result->names[name] = Crash(*chosen);
      }
      result->synced_names = result->names;
    }
    void CrashBytes(const Inode& inode, Inode* result) {
      const Odds odds = Odds::Draw(rng);
      std::string& bytes = result->bytes;
      bytes = inode.synced_bytes;
      const uint64_t size = DrawSize(inode.synced_bytes.size(), inode.bytes.size(), rng);
      bytes.resize(static_cast<size_t>(size));
      for (const uint64_t block : inode.dirty_blocks) {
        const uint64_t first = block * kBlockBytes;
        const uint64_t end = first + kBlockBytes;
        if (rng->Chance(odds.kept)) {
          CopyRange(inode.bytes, first, end, &bytes);
        } else if (rng->Chance(odds.torn)) {
          for (uint64_t at = first; at < end; at += kSectorBytes) {
            if (rng->Chance(500)) CopyRange(inode.bytes, at, at + kSectorBytes, &bytes);
          }
        }
      }
      result->synced_bytes = bytes;
    }
  };
  auto crashed = std::make_unique<SimDisk>();
  const base::MutexLock lock(&state_->mutex);
  Crasher crasher{.rng = rng, .done = {}};
  const base::MutexLock crashed_lock(&crashed->state_->mutex);
  crashed->state_->root = crasher.Crash(*state_->root);
  return crashed;
}

std::unique_ptr<SimDisk> SimDisk::Kill() const {
  struct Copier {
    std::unordered_map<const Inode*, std::shared_ptr<Inode>> done;

    std::shared_ptr<Inode> Copy(const Inode& inode) {
      std::shared_ptr<Inode>& found = done[&inode];
      if (found != nullptr) return found;
      const std::shared_ptr<Inode> result = std::make_shared<Inode>(inode);
      found = result;
      for (auto& [name, child] : result->names) child = Copy(*child);
      for (auto& [name, child] : result->synced_names) child = Copy(*child);
      return result;
    }
  };
  auto killed = std::make_unique<SimDisk>();
  const base::MutexLock lock(&state_->mutex);
  Copier copier;
  const base::MutexLock killed_lock(&killed->state_->mutex);
  killed->state_->root = copier.Copy(*state_->root);
  return killed;
}

// --- What a test does to it -------------------------------------------------------------------

SimDisk::SimDisk() : state_(std::make_shared<State>()) {}

SimDisk::~SimDisk() {
  const base::MutexLock lock(&state_->mutex);
  state_->gone = true;
}

uint64_t SimDisk::operations() const {
  const base::MutexLock lock(&state_->mutex);
  return state_->operations;
}

void SimDisk::StopAfter(uint64_t count) {
  const base::MutexLock lock(&state_->mutex);
  state_->calls_left = count;
}

bool SimDisk::stopped() const {
  const base::MutexLock lock(&state_->mutex);
  return state_->stopped;
}

void SimDisk::SetCapacity(uint64_t bytes) {
  const base::MutexLock lock(&state_->mutex);
  state_->capacity = bytes;
}

uint64_t SimDisk::used_bytes() const {
  const base::MutexLock lock(&state_->mutex);
  return state_->UsedBytes();
}

void SimDisk::FailSyncs(uint64_t count) {
  const base::MutexLock lock(&state_->mutex);
  state_->syncs_to_fail = count;
}

void SimDisk::FlipBit(const std::string& path, uint64_t offset, unsigned bit) {
  CHECK(bit < 8);
  const base::MutexLock lock(&state_->mutex);
  const std::shared_ptr<Inode> inode = state_->Find(path);
  CHECK(inode != nullptr);
  CHECK(offset < inode->bytes.size());
  for (std::string* bytes : {&inode->bytes, &inode->synced_bytes}) {
    if (offset >= bytes->size()) continue;
    char& byte = (*bytes)[static_cast<size_t>(offset)];
    byte = static_cast<char>(byte ^ (1 << bit));
  }
}

void SimDisk::SetProbe(std::function<void(const std::string& path)> probe) {
  const base::MutexLock lock(&state_->mutex);
  state_->probe = std::move(probe);
}

// --- io::Disk ---------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<io::File>> SimDisk::Open(const std::string& path,
                                                        io::OpenMode mode) {
  const bool create = mode == io::OpenMode::kCreate;
  if (create) state_->Probe(path);
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(create ? state_->Count(path) : state_->CheckUp(path));
  std::shared_ptr<Inode> inode = state_->Find(path);
  if (create) {
    if (inode != nullptr) return absl::AlreadyExistsError(absl::StrCat(path, ": exists"));
    std::string name;
    const std::shared_ptr<Inode> dir = state_->FindParent(path, &name);
    if (dir == nullptr) return NotFound(path);
    inode = std::make_shared<Inode>();
    dir->names[name] = inode;
  }
  if (inode == nullptr) return NotFound(path);
  if (inode->is_dir) return WrongKind(path);
  return std::make_unique<OpenFile>(state_, inode, path, mode != io::OpenMode::kRead);
}

absl::StatusOr<std::vector<std::string>> SimDisk::List(const std::string& dir) {
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(state_->CheckUp(dir));
  const std::shared_ptr<Inode> inode = state_->Find(dir);
  if (inode == nullptr) return NotFound(dir);
  if (!inode->is_dir) return WrongKind(dir);
  std::vector<std::string> names;
  for (const auto& [name, child] : inode->names) names.push_back(name);
  return names;
}

absl::Status SimDisk::MakeDir(const std::string& dir) {
  state_->Probe(dir);
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(state_->Count(dir));
  std::shared_ptr<Inode> at = state_->root;
  for (const std::string& part : Split(dir)) {
    std::shared_ptr<Inode>& child = at->names[part];
    if (child == nullptr) child = State::NewDir();
    if (!child->is_dir) return WrongKind(dir);
    at = child;
  }
  return absl::OkStatus();
}

absl::Status SimDisk::Rename(const std::string& from, const std::string& to) {
  state_->Probe(from);
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(state_->Count(from));
  std::string from_name, to_name;
  const std::shared_ptr<Inode> from_dir = state_->FindParent(from, &from_name);
  const std::shared_ptr<Inode> to_dir = state_->FindParent(to, &to_name);
  const std::shared_ptr<Inode> inode = state_->Find(from);
  if (inode == nullptr) return NotFound(from);
  if (to_dir == nullptr) return NotFound(to);
  const std::shared_ptr<Inode> replaced = state_->Find(to);
  if (replaced == inode) return absl::OkStatus();
  if (replaced != nullptr && (replaced->is_dir || inode->is_dir)) return WrongKind(to);
  to_dir->names[to_name] = inode;
  from_dir->names.erase(from_name);
  return absl::OkStatus();
}

absl::Status SimDisk::Delete(const std::string& path) {
  state_->Probe(path);
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(state_->Count(path));
  const std::shared_ptr<Inode> inode = state_->Find(path);
  if (inode == nullptr) return NotFound(path);
  if (inode->is_dir) return WrongKind(path);
  std::string name;
  state_->FindParent(path, &name)->names.erase(name);
  return absl::OkStatus();
}

absl::Status SimDisk::DeleteTree(const std::string& dir) {
  state_->Probe(dir);
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(state_->Count(dir));
  const std::shared_ptr<Inode> inode = state_->Find(dir);
  if (inode == nullptr) return absl::OkStatus();
  // Name by name, as a real one does: after a crash a part of the tree may be there again.
  std::vector<std::shared_ptr<Inode>> left = {inode};
  while (!left.empty()) {
    const std::shared_ptr<Inode> at = left.back();
    left.pop_back();
    for (const auto& [name, child] : at->names) left.push_back(child);
    at->names.clear();
  }
  std::string name;
  state_->FindParent(dir, &name)->names.erase(name);
  return absl::OkStatus();
}

absl::Status SimDisk::SyncDir(const std::string& dir) {
  state_->Probe(dir);
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(state_->CountSync(dir));
  const std::shared_ptr<Inode> inode = state_->Find(dir);
  if (inode == nullptr) return NotFound(dir);
  if (!inode->is_dir) return WrongKind(dir);
  inode->synced_names = inode->names;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SimDisk::FreeBytes() {
  const base::MutexLock lock(&state_->mutex);
  PANDO_RETURN_IF_ERROR(state_->CheckUp("."));
  return std::min(state_->FreeBytes(), kUnbounded);
}

}  // namespace pando::sim
