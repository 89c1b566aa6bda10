// Compiled without RTTI: LevelDB is built so since 1.23, and a subclass of its classes would miss
// their type information at link time. Nothing here asks for a type at run time.
#include "store/disk_env.h"

#include <leveldb/env.h>
#include <pthread.h>

#include <cstring>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"

namespace pando::store {
namespace {

constexpr size_t kWriteBufferBytes = 256 * 1024;

std::string Folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Keeps the first error and translates all of them.
class Errors {
 public:
  leveldb::Status Translate(const absl::Status& status) PANDO_EXCLUDES(mutex_) {
    if (status.ok()) return leveldb::Status::OK();
    const std::string message(status.message().data(), status.message().size());
    if (absl::IsNotFound(status)) return leveldb::Status::NotFound(message);
    const base::MutexLock lock(&mutex_);
    if (first_.ok()) first_ = status;
    return leveldb::Status::IOError(message);
  }
  leveldb::Status Translate(const absl::Status& status, const std::string& path) {
    return Translate(base::Annotate(status, path));
  }
  absl::Status first() const PANDO_EXCLUDES(mutex_) {
    const base::MutexLock lock(&mutex_);
    return first_;
  }
  void Clear() PANDO_EXCLUDES(mutex_) {
    const base::MutexLock lock(&mutex_);
    first_ = absl::OkStatus();
  }

 private:
  mutable base::Mutex mutex_;
  absl::Status first_ PANDO_GUARDED_BY(mutex_);
};

// Reads `size` bytes at `offset` into `scratch`; fewer only at the end of the file.
absl::Status ReadInto(io::File* file, uint64_t offset, size_t size, char* scratch,
                      leveldb::Slice* result) {
  std::string bytes;
  bytes.reserve(size);
  const absl::Status status = file->ReadAt(offset, size, &bytes);
  std::memcpy(scratch, bytes.data(), bytes.size());
  *result = leveldb::Slice(scratch, bytes.size());
  return status;
}

class EnvSequentialFile final : public leveldb::SequentialFile {
 public:
  EnvSequentialFile(std::string path, std::unique_ptr<io::File> file, Errors* errors)
      : path_(std::move(path)), file_(std::move(file)), errors_(errors) {}

  leveldb::Status Read(size_t n, leveldb::Slice* result, char* scratch) override {
    const absl::Status status = ReadInto(file_.get(), offset_, n, scratch, result);
    offset_ += result->size();
    return errors_->Translate(status, absl::StrCat(path_, " at ", offset_));
  }
  leveldb::Status Skip(uint64_t n) override {
    offset_ += n;
    return leveldb::Status::OK();
  }

 private:
  const std::string path_;
  const std::unique_ptr<io::File> file_;
  Errors* const errors_;
  uint64_t offset_ = 0;
};

class EnvRandomAccessFile final : public leveldb::RandomAccessFile {
 public:
  EnvRandomAccessFile(std::string path, std::unique_ptr<io::File> file, Errors* errors)
      : path_(std::move(path)), file_(std::move(file)), errors_(errors) {}

  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result,
                       char* scratch) const override {
    // A scan and a compaction may read one table at the same time; an io::File serves one thread.
    const base::MutexLock lock(&mutex_);
    return errors_->Translate(ReadInto(file_.get(), offset, n, scratch, result),
                              absl::StrCat(path_, " at ", offset));
  }

 private:
  const std::string path_;
  const std::unique_ptr<io::File> file_;
  Errors* const errors_;
  mutable base::Mutex mutex_;
};

// Buffers until Sync or Close. LevelDB's Flush asks only that a dying process leaves its bytes
// behind, and nothing here counts on bytes that were not synced.
class EnvWritableFile final : public leveldb::WritableFile {
 public:
  EnvWritableFile(std::string path, std::unique_ptr<io::File> file, io::Disk* disk, Errors* errors)
      : path_(std::move(path)), file_(std::move(file)), disk_(disk), errors_(errors) {}

  leveldb::Status Append(const leveldb::Slice& bytes) override {
    buffer_.append(bytes.data(), bytes.size());
    return buffer_.size() < kWriteBufferBytes ? leveldb::Status::OK() : WriteBuffer();
  }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Close() override {
    leveldb::Status status = WriteBuffer();
    file_.reset();
    return status;
  }
  leveldb::Status Sync() override {
    if (leveldb::Status status = WriteBuffer(); !status.ok()) return status;
    if (absl::Status synced = file_->Sync(); !synced.ok()) {
      return errors_->Translate(synced, absl::StrCat("sync ", path_));
    }
    if (named_) return leveldb::Status::OK();
    // The bytes of a file without a name are lost: the name goes to disk with the first of them.
    if (absl::Status synced = disk_->SyncDir(Folder(path_)); !synced.ok()) {
      return errors_->Translate(synced, absl::StrCat("sync folder of ", path_));
    }
    named_ = true;
    return leveldb::Status::OK();
  }

 private:
  leveldb::Status WriteBuffer() {
    if (buffer_.empty() || file_ == nullptr) return leveldb::Status::OK();
    const absl::Status status = file_->WriteAt(offset_, buffer_);
    if (!status.ok()) return errors_->Translate(status, absl::StrCat(path_, " at ", offset_));
    offset_ += buffer_.size();
    buffer_.clear();
    return leveldb::Status::OK();
  }

  const std::string path_;
  std::unique_ptr<io::File> file_;
  io::Disk* const disk_;
  Errors* const errors_;
  std::string buffer_;
  uint64_t offset_ = 0;
  bool named_ = false;
};

class SilentLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

// The data dir's own lock covers it.
class NoLock final : public leveldb::FileLock {};

}  // namespace

class DiskEnv::Impl final : public leveldb::EnvWrapper {
 public:
  explicit Impl(io::Disk* disk)
      : leveldb::EnvWrapper(leveldb::Env::Default()), disk_(disk), worker_([this] { Work(); }) {}
  ~Impl() override {
    {
      const base::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    scheduled_.NotifyOne();
    worker_.join();
  }

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** result) override {
    return Open<EnvSequentialFile>(path, result);
  }
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** result) override {
    return Open<EnvRandomAccessFile>(path, result);
  }
  leveldb::Status NewWritableFile(const std::string& path,
                                  leveldb::WritableFile** result) override {
    *result = nullptr;
    if (absl::Status s = disk_->Delete(path); !s.ok() && !absl::IsNotFound(s)) {
      return errors_.Translate(s, path);
    }
    absl::StatusOr<std::unique_ptr<io::File>> file = disk_->Open(path, io::OpenMode::kCreate);
    if (!file.ok()) return errors_.Translate(file.status(), path);
    *result = new EnvWritableFile(path, *std::move(file), disk_, &errors_);
    return leveldb::Status::OK();
  }
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile**) override {
    return leveldb::Status::NotSupported(path);
  }
  bool FileExists(const std::string& path) override {
    return disk_->Open(path, io::OpenMode::kRead).ok();
  }
  leveldb::Status GetChildren(const std::string& dir, std::vector<std::string>* result) override {
    absl::StatusOr<std::vector<std::string>> names = disk_->List(dir);
    if (!names.ok()) return errors_.Translate(names.status(), dir);
    *result = *std::move(names);
    return leveldb::Status::OK();
  }
  leveldb::Status RemoveFile(const std::string& path) override {
    return errors_.Translate(disk_->Delete(path), path);
  }
  leveldb::Status DeleteFile(const std::string& path) override { return RemoveFile(path); }
  leveldb::Status CreateDir(const std::string& dir) override {
    return errors_.Translate(disk_->MakeDir(dir), dir);
  }
  leveldb::Status RemoveDir(const std::string& dir) override {
    return errors_.Translate(disk_->DeleteTree(dir), dir);
  }
  leveldb::Status DeleteDir(const std::string& dir) override { return RemoveDir(dir); }
  leveldb::Status GetFileSize(const std::string& path, uint64_t* bytes) override {
    *bytes = 0;
    absl::StatusOr<std::unique_ptr<io::File>> file = disk_->Open(path, io::OpenMode::kRead);
    if (!file.ok()) return errors_.Translate(file.status(), path);
    const absl::StatusOr<uint64_t> size = (*file)->Size();
    if (!size.ok()) return errors_.Translate(size.status(), path);
    *bytes = *size;
    return leveldb::Status::OK();
  }
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override {
    if (absl::Status s = disk_->Rename(from, to); !s.ok()) return errors_.Translate(s, from);
    // LevelDB deletes what CURRENT named before; the new name must be on disk by then.
    return errors_.Translate(disk_->SyncDir(Folder(to)), to);
  }
  leveldb::Status LockFile(const std::string&, leveldb::FileLock** lock) override {
    *lock = new NoLock;
    return leveldb::Status::OK();
  }
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override {
    delete lock;
    return leveldb::Status::OK();
  }
  leveldb::Status NewLogger(const std::string&, leveldb::Logger** result) override {
    *result = new SilentLogger;
    return leveldb::Status::OK();
  }
  void Schedule(void (*function)(void*), void* argument) override {
    {
      const base::MutexLock lock(&mutex_);
      work_.emplace_back(function, argument);
    }
    scheduled_.NotifyOne();
  }

  Errors* errors() { return &errors_; }
  leveldb::Logger* logger() { return &logger_; }

 private:
  template <typename EnvFile, typename Interface>
  leveldb::Status Open(const std::string& path, Interface** result) {
    *result = nullptr;
    absl::StatusOr<std::unique_ptr<io::File>> file = disk_->Open(path, io::OpenMode::kRead);
    if (!file.ok()) return errors_.Translate(file.status(), path);
    *result = new EnvFile(path, *std::move(file), &errors_);
    return leveldb::Status::OK();
  }

  void Work() {
    pthread_setname_np(pthread_self(), "pando-compact");
    while (true) {
      std::pair<void (*)(void*), void*> next;
      {
        const base::MutexLock lock(&mutex_);
        while (work_.empty() && !stopping_) scheduled_.Wait(&mutex_);
        if (work_.empty()) return;
        next = work_.front();
        work_.pop_front();
      }
      next.first(next.second);
    }
  }

  io::Disk* const disk_;
  Errors errors_;
  SilentLogger logger_;
  base::Mutex mutex_;
  base::CondVar scheduled_;
  // LevelDB has at most one compaction scheduled per open database.
  std::deque<std::pair<void (*)(void*), void*>> work_ PANDO_GUARDED_BY(mutex_);
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::thread worker_;  // last: it uses all of the above
};

DiskEnv::DiskEnv(io::Disk* disk) : impl_(std::make_unique<Impl>(disk)) {}
DiskEnv::~DiskEnv() = default;
leveldb::Env* DiskEnv::env() { return impl_.get(); }
leveldb::Logger* DiskEnv::logger() { return impl_->logger(); }
absl::Status DiskEnv::last_error() const { return impl_->errors()->first(); }
void DiskEnv::ClearError() { impl_->errors()->Clear(); }

}  // namespace pando::store
