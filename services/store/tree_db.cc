#include "store/tree_db.h"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/table.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/wire.h"

namespace pando::store {
namespace {

constexpr std::string_view kMarkKey;  // the empty key: before all records
constexpr uint8_t kMarkFormat = 1;
// Scans do not fill it, and nothing else reads blocks.
constexpr size_t kBlockCacheBytes = size_t{1} << 20;
constexpr size_t kBlockBytes = size_t{16} << 10;
// LevelDB allows no fewer.
constexpr int kOpenFilesMax = 74;

leveldb::Slice ToSlice(std::string_view s) { return {s.data(), s.size()}; }
std::string_view ToView(const leveldb::Slice& s) { return {s.data(), s.size()}; }

leveldb::ReadOptions VerifiedRead() {
  leveldb::ReadOptions read;
  read.verify_checksums = true;
  read.fill_cache = false;
  return read;
}

// LevelDB's checksums end where a compaction rewrites a block, which it does without verifying it;
// the digest guards the records from then on, and this checksum guards the mark itself.
std::string EncodeMark(const io::StateMark& mark) {
  std::string bytes;
  base::Writer writer(&bytes);
  writer.Byte(kMarkFormat);
  writer.Fixed64(mark.revision.value());
  writer.Fixed64(mark.term.value());
  writer.Fixed64(mark.digest);
  writer.Fixed64(base::Hash64(bytes));
  return bytes;
}

bool DecodeMark(std::string_view bytes, io::StateMark* mark) {
  base::Reader reader(bytes);
  const uint8_t format = reader.Byte();
  mark->revision = model::Revision(reader.Fixed64());
  mark->term = model::Term(reader.Fixed64());
  mark->digest = reader.Fixed64();
  const uint64_t checksum = reader.Fixed64();
  return reader.done() && format == kMarkFormat &&
         checksum == base::Hash64(bytes.substr(0, bytes.size() - sizeof(checksum)));
}

// The newest write of every key, in key order: a sorted batch goes into LevelDB's skip list along a
// path that is in the cache.
std::vector<const model::RecordWrite*> LastWrites(const std::vector<io::StoreWrite>& window) {
  size_t count = 0;
  for (const io::StoreWrite& write : window) count += write.delta.writes.size();
  absl::flat_hash_set<std::string_view> seen;
  seen.reserve(count);
  std::vector<const model::RecordWrite*> last;
  last.reserve(count);
  for (auto write = window.rbegin(); write != window.rend(); ++write) {
    const std::vector<model::RecordWrite>& records = write->delta.writes;
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
      if (seen.insert(record->key).second) last.push_back(&*record);
    }
  }
  std::sort(last.begin(), last.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  return last;
}

void Put(const model::RecordWrite& write, leveldb::WriteBatch* batch) {
  CHECK(!write.key.empty());
  if (write.value) {
    batch->Put(ToSlice(write.key), ToSlice(*write.value));
  } else {
    batch->Delete(ToSlice(write.key));
  }
}

bool IsTable(std::string_view name) { return name.ends_with(".ldb") || name.ends_with(".sst"); }

// Reads the whole table at `path`: the index, then every block, all with their checksums.
leveldb::Status CheckTable(DiskEnv* env, const std::string& path) {
  leveldb::Options options;
  options.env = env->env();
  options.paranoid_checks = true;  // else the index is not verified
  uint64_t bytes = 0;
  leveldb::Status status = env->env()->GetFileSize(path, &bytes);
  if (!status.ok()) return status;
  leveldb::RandomAccessFile* opened = nullptr;
  status = env->env()->NewRandomAccessFile(path, &opened);
  if (!status.ok()) return status;
  const std::unique_ptr<leveldb::RandomAccessFile> file(opened);
  leveldb::Table* made = nullptr;
  status = leveldb::Table::Open(options, file.get(), bytes, &made);
  if (!status.ok()) return status;
  const std::unique_ptr<leveldb::Table> table(made);
  const std::unique_ptr<leveldb::Iterator> it(table->NewIterator(VerifiedRead()));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
  }
  return it->status();
}

}  // namespace

struct TreeDb::View::Reading {
  const leveldb::Snapshot* snapshot = nullptr;
  std::unique_ptr<leveldb::Iterator> it;
  std::string end;
};

TreeDb::TreeDb(io::Disk* disk, std::string dir, TreeDbOptions options)
    : disk_(disk),
      dir_(std::move(dir)),
      options_(options),
      env_(std::make_unique<DiskEnv>(disk)),
      cache_(leveldb::NewLRUCache(kBlockCacheBytes)) {}

TreeDb::~TreeDb() {
  const base::MutexLock lock(&mutex_);
  CHECK(views_ == 0);
}

absl::StatusOr<std::unique_ptr<TreeDb>> TreeDb::Create(io::Disk* disk, std::string dir,
                                                       TreeDbOptions options) {
  PANDO_RETURN_IF_ERROR(disk->MakeDir(dir));
  std::unique_ptr<TreeDb> tree(new TreeDb(disk, std::move(dir), options));
  PANDO_RETURN_IF_ERROR(tree->OpenDb(/*create=*/true));
  PANDO_RETURN_IF_ERROR(tree->Build({}, io::StateMark{}));
  return tree;
}

absl::StatusOr<std::unique_ptr<TreeDb>> TreeDb::Open(io::Disk* disk, std::string dir,
                                                     TreeDbOptions options) {
  std::unique_ptr<TreeDb> tree(new TreeDb(disk, std::move(dir), options));
  PANDO_RETURN_IF_ERROR(tree->OpenDb(/*create=*/false));
  const absl::StatusOr<io::StateMark> mark = tree->ReadMark(nullptr);
  if (!mark.ok()) return mark.status();
  const base::MutexLock lock(&tree->mutex_);
  tree->mark_ = *mark;
  return tree;
}

absl::Status TreeDb::OpenDb(bool create) {
  leveldb::Options options;
  options.env = env_->env();
  options.info_log = env_->logger();
  // A CURRENT that is lost must not look like a new database.
  options.create_if_missing = create;
  options.error_if_exists = create;
  // A torn log after a power loss is no damage; what it lost was never reported as stored.
  options.paranoid_checks = false;
  options.compression = leveldb::kNoCompression;
  options.write_buffer_size = options_.write_buffer_bytes;
  options.max_file_size = options_.table_bytes;
  options.block_size = kBlockBytes;
  options.block_cache = cache_.get();
  options.max_open_files = kOpenFilesMax;
  env_->ClearError();
  leveldb::DB* opened = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, dir_, &opened);
  db_.reset(opened);
  if (status.ok()) return absl::OkStatus();
  return Explain(status.ToString(), !status.IsIOError());
}

absl::StatusOr<io::StateMark> TreeDb::ReadMark(const leveldb::Snapshot* snapshot) {
  leveldb::ReadOptions read = VerifiedRead();
  read.snapshot = snapshot;
  std::string bytes;
  const leveldb::Status status = db_->Get(read, ToSlice(kMarkKey), &bytes);
  if (!status.ok()) return Explain(absl::StrCat("mark: ", status.ToString()), true);
  io::StateMark mark;
  if (!DecodeMark(bytes, &mark)) return Explain("mark: damaged", true);
  return mark;
}

absl::Status TreeDb::Write(const std::vector<io::StoreWrite>& window) {
  CHECK(!window.empty());
  const io::StoreWrite& newest = window.back();
  CHECK(newest.revision > mark().revision);
  leveldb::WriteBatch batch;
  for (const model::RecordWrite* record : LastWrites(window)) Put(*record, &batch);
  return WriteBatch(&batch, io::StateMark{newest.revision, newest.term, newest.digest});
}

absl::Status TreeDb::Build(const std::vector<model::RecordWrite>& records,
                           const io::StateMark& mark) {
  leveldb::WriteBatch batch;
  for (const model::RecordWrite& record : records) Put(record, &batch);
  return WriteBatch(&batch, mark);
}

absl::Status TreeDb::WriteBatch(leveldb::WriteBatch* batch, const io::StateMark& mark) {
  PANDO_RETURN_IF_ERROR(Reopen());
  batch->Put(ToSlice(kMarkKey), EncodeMark(mark));
  leveldb::WriteOptions synced;
  synced.sync = true;
  const leveldb::Status status = db_->Write(synced, batch);
  const base::MutexLock lock(&mutex_);
  if (status.ok()) {
    mark_ = mark;
    return absl::OkStatus();
  }
  must_reopen_ = true;
  return Explain(status.ToString(), status.IsCorruption());
}

absl::Status TreeDb::Reopen() {
  {
    const base::MutexLock lock(&mutex_);
    if (!must_reopen_) return absl::OkStatus();
    while (views_ > 0) view_gone_.Wait(&mutex_);
  }
  // Opening moves what the log holds into a table and syncs that: a log whose write or sync has
  // failed is not trusted beyond this point.
  db_.reset();
  PANDO_RETURN_IF_ERROR(OpenDb(/*create=*/false));
  const absl::StatusOr<io::StateMark> found = ReadMark(nullptr);
  if (!found.ok()) return found.status();
  const base::MutexLock lock(&mutex_);
  // The batch that failed may hold all the same. It is written again, and its mark with it.
  if (found->revision < mark_.revision) {
    return absl::DataLossError(absl::StrCat(dir_, ": reopened at revision ",
                                            found->revision.value(), ", but ",
                                            mark_.revision.value(), " was synced"));
  }
  must_reopen_ = false;
  return absl::OkStatus();
}

io::StateMark TreeDb::mark() const {
  const base::MutexLock lock(&mutex_);
  return mark_;
}

absl::Status TreeDb::Load(const RecordReader& read) {
  const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(VerifiedRead()));
  it->SeekToFirst();
  if (it->Valid() && ToView(it->key()) == kMarkKey) it->Next();
  for (; it->Valid(); it->Next()) {
    PANDO_RETURN_IF_ERROR(read(ToView(it->key()), ToView(it->value())));
  }
  if (it->status().ok()) return absl::OkStatus();
  return Explain(it->status().ToString(), it->status().IsCorruption());
}

absl::StatusOr<std::unique_ptr<TreeDb::View>> TreeDb::TakeView() {
  {
    const base::MutexLock lock(&mutex_);
    if (must_reopen_) return absl::UnavailableError("the store has to be reopened");
    ++views_;
  }
  std::unique_ptr<View> view(new View(this));
  // From the snapshot itself: a batch may hold already that mark() does not yet tell of.
  absl::StatusOr<io::StateMark> mark = ReadMark(view->reading_->snapshot);
  if (!mark.ok()) return mark.status();
  view->mark_ = *mark;
  return view;
}

absl::Status TreeDb::CheckTables() {
  const absl::StatusOr<std::vector<std::string>> names = disk_->List(dir_);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!IsTable(name)) continue;
    const std::string path = absl::StrCat(dir_, "/", name);
    const leveldb::Status status = CheckTable(env_.get(), path);
    if (!status.ok()) return absl::DataLossError(absl::StrCat(path, ": ", status.ToString()));
  }
  return absl::OkStatus();
}

absl::Status TreeDb::Explain(const std::string& what, bool corruption) {
  // The disk itself failed: it has said where.
  if (absl::Status error = env_->last_error(); !error.ok()) return error;
  if (!corruption) return absl::InternalError(absl::StrCat(dir_, ": ", what));
  // LevelDB names a table that is missing, and nothing else.
  if (absl::StrContains(what, "missing files")) return absl::DataLossError(what);
  if (absl::Status damage = CheckTables(); !damage.ok()) return damage;
  // Every table is whole, so it is the list of them.
  std::string current = "CURRENT";
  if (absl::StatusOr<std::string> named = io::ReadFile(disk_, absl::StrCat(dir_, "/CURRENT"));
      named.ok() && named->starts_with("MANIFEST-") && named->ends_with('\n')) {
    current = named->substr(0, named->size() - 1);
  }
  return absl::DataLossError(absl::StrCat(dir_, "/", current, ": ", what));
}

TreeDb::View::View(TreeDb* tree) : tree_(tree), reading_(std::make_unique<Reading>()) {
  reading_->snapshot = tree->db_->GetSnapshot();
}

TreeDb::View::~View() {
  reading_->it.reset();
  tree_->db_->ReleaseSnapshot(reading_->snapshot);
  const base::MutexLock lock(&tree_->mutex_);
  --tree_->views_;
  tree_->view_gone_.NotifyAll();
}

bool TreeDb::View::stale() const {
  const base::MutexLock lock(&tree_->mutex_);
  return tree_->must_reopen_;
}

void TreeDb::View::Seek(std::string_view begin, std::string_view end) {
  leveldb::ReadOptions read = VerifiedRead();
  read.snapshot = reading_->snapshot;
  if (!reading_->it) reading_->it.reset(tree_->db_->NewIterator(read));
  reading_->end = end;
  reading_->it->Seek(ToSlice(begin));
  if (reading_->it->Valid() && ToView(reading_->it->key()) == kMarkKey) reading_->it->Next();
}

absl::StatusOr<bool> TreeDb::View::Next(size_t bytes_max, size_t* bytes,
                                        std::vector<model::RecordWrite>* records) {
  if (stale()) return absl::UnavailableError("the store has to be reopened");
  leveldb::Iterator* const it = reading_->it.get();
  CHECK(it != nullptr);
  for (; it->Valid(); it->Next()) {
    const std::string_view key = ToView(it->key());
    if (!reading_->end.empty() && key >= reading_->end) return true;
    const size_t next = sizeof(model::RecordWrite) + it->key().size() + it->value().size();
    if (!records->empty() && *bytes + next > bytes_max) return false;
    *bytes += next;
    records->push_back({std::string(key), std::string(ToView(it->value()))});
  }
  if (it->status().ok()) return true;
  return tree_->Explain(it->status().ToString(), it->status().IsCorruption());
}

}  // namespace pando::store
