#include "store/snapshot_file.h"

#include <charconv>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"
#include "model/limits.h"

namespace pando::store {
namespace {

constexpr uint64_t kMagic = 0x3130504e53444e50;  // "PNDSNP01"
constexpr uint32_t kFormat = 1;
constexpr size_t kBlockHeaderBytes = 16;
constexpr size_t kBlockBytesAim = size_t{256} << 10;
// Two records of the largest size, and no damaged length makes a reader take more.
constexpr size_t kBlockBytesMax = size_t{64} << 20;
constexpr size_t kTrailerBytes = kBlockHeaderBytes + 24;
// A sync of everything at the end would hold up the WAL's on the same disk.
constexpr uint64_t kSyncEveryBytes = uint64_t{4} << 20;
constexpr std::string_view kSuffix = ".snapshot";
constexpr std::string_view kUnfinished = ".unfinished";

std::string EncodeHeader(const SnapshotHeader& header) {
  std::string bytes;
  base::Writer writer(&bytes);
  writer.Fixed64(kMagic);
  writer.Fixed32(kFormat);
  writer.Fixed32(0);
  writer.Fixed64(header.cluster.value());
  writer.Fixed64(header.mark.revision.value());
  writer.Fixed64(header.mark.term.value());
  writer.Fixed64(header.mark.digest);
  writer.Fixed64(base::Hash64(bytes));
  CHECK(bytes.size() == kSnapshotHeaderBytes);
  return bytes;
}

bool DecodeHeader(std::string_view bytes, SnapshotHeader* header) {
  base::Reader reader(bytes);
  const uint64_t magic = reader.Fixed64();
  const uint32_t format = reader.Fixed32();
  const uint32_t zero = reader.Fixed32();
  header->cluster = model::ClusterId(reader.Fixed64());
  header->mark.revision = model::Revision(reader.Fixed64());
  header->mark.term = model::Term(reader.Fixed64());
  header->mark.digest = reader.Fixed64();
  const uint64_t checksum = reader.Fixed64();
  return reader.done() && magic == kMagic && format == kFormat && zero == 0 &&
         checksum == base::Hash64(bytes.substr(0, bytes.size() - sizeof(checksum)));
}

// The checksum covers the lengths too.
uint64_t BlockChecksum(uint64_t before, uint32_t bytes, uint32_t records, std::string_view body) {
  std::string lengths;
  base::Writer writer(&lengths);
  writer.Fixed32(bytes);
  writer.Fixed32(records);
  return base::Hash64(body, base::Hash64(lengths, before));
}

std::string EncodeBlockHeader(uint32_t bytes, uint32_t records, uint64_t checksum) {
  std::string header;
  base::Writer writer(&header);
  writer.Fixed32(bytes);
  writer.Fixed32(records);
  writer.Fixed64(checksum);
  CHECK(header.size() == kBlockHeaderBytes);
  return header;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Zero for a name that no finished snapshot has.
model::Revision RevisionOf(std::string_view name) {
  if (!name.ends_with(kSuffix)) return {};
  const std::string_view digits = name.substr(0, name.size() - kSuffix.size());
  uint64_t revision = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), revision);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  return model::Revision(whole ? revision : 0);
}

// Reads one file from front to back.
class SnapshotReader {
 public:
  SnapshotReader(io::File* file, std::string path, uint64_t size)
      : file_(file), path_(std::move(path)), size_(size) {}

  absl::StatusOr<SnapshotHeader> ReadHeader() {
    std::string bytes;
    PANDO_RETURN_IF_ERROR(file_->ReadAt(0, kSnapshotHeaderBytes, &bytes));
    SnapshotHeader header;
    if (!DecodeHeader(bytes, &header)) return Damage("no header of a snapshot");
    chain_ = base::Hash64(bytes);
    offset_ = bytes.size();
    return header;
  }

  // True: that was the trailer, and all of the file is as it was written.
  absl::StatusOr<bool> ReadBlock(const TreeDb::RecordReader& read) {
    std::string header;
    PANDO_RETURN_IF_ERROR(file_->ReadAt(offset_, kBlockHeaderBytes, &header));
    base::Reader reader(header);
    const uint32_t bytes = reader.Fixed32();
    const uint32_t records = reader.Fixed32();
    const uint64_t checksum = reader.Fixed64();
    if (!reader.done()) return Damage("the file ends early");
    const bool trailer = records == 0;
    if (bytes > kBlockBytesMax) return Damage("no block header");
    std::string body;
    PANDO_RETURN_IF_ERROR(file_->ReadAt(offset_ + kBlockHeaderBytes, bytes, &body));
    if (body.size() != bytes || checksum != BlockChecksum(chain_, bytes, records, body)) {
      return Damage("the block is damaged");
    }
    if (trailer) {
      if (!TrailerHolds(body)) return Damage("the trailer does not fit the file");
      return true;
    }
    PANDO_RETURN_IF_ERROR(ReadRecords(body, records, read));
    chain_ = checksum;
    offset_ += kBlockHeaderBytes + bytes;
    return false;
  }

 private:
  absl::Status ReadRecords(std::string_view body, uint32_t records,
                           const TreeDb::RecordReader& read) {
    base::Reader reader(body);
    for (uint32_t i = 0; i < records; ++i) {
      const std::string_view key = reader.Bytes();
      const std::string_view value = reader.Bytes();
      if (!reader.ok() || key <= last_key_) return Damage("a record is out of order");
      if (read) PANDO_RETURN_IF_ERROR(read(key, value));
      last_key_ = key;
      ++records_;
    }
    return reader.done() ? absl::OkStatus() : Damage("a block holds more than its records");
  }

  bool TrailerHolds(std::string_view body) const {
    base::Reader reader(body);
    const uint64_t records = reader.Fixed64();
    const uint64_t size = reader.Fixed64();
    const uint64_t chain = reader.Fixed64();
    return reader.done() && records == records_ && size == size_ && chain == chain_ &&
           offset_ + kTrailerBytes == size_;
  }

  absl::Status Damage(std::string_view what) const {
    return absl::DataLossError(absl::StrCat(path_, " at ", offset_, ": ", base::View(what)));
  }

  io::File* const file_;
  const std::string path_;
  const uint64_t size_;
  uint64_t offset_ = 0;
  uint64_t chain_ = 0;
  uint64_t records_ = 0;
  std::string last_key_;
};

}  // namespace

SnapshotWriter::SnapshotWriter(io::Disk* disk, std::string path, std::unique_ptr<io::File> file)
    : disk_(disk), path_(std::move(path)), file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<SnapshotWriter>> SnapshotWriter::Create(
    io::Disk* disk, std::string path, const SnapshotHeader& header) {
  const std::string folder = FolderOf(path);
  PANDO_RETURN_IF_ERROR(disk->MakeDir(folder));
  PANDO_RETURN_IF_ERROR(disk->SyncDir(FolderOf(folder)));
  const std::string unfinished = absl::StrCat(path, base::View(kUnfinished));
  if (absl::Status s = disk->Delete(unfinished); !s.ok() && !absl::IsNotFound(s)) return s;
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(unfinished, io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  std::unique_ptr<SnapshotWriter> writer(
      new SnapshotWriter(disk, std::move(path), *std::move(file)));
  const std::string bytes = EncodeHeader(header);
  PANDO_RETURN_IF_ERROR(writer->Write(bytes));
  writer->chain_ = base::Hash64(bytes);
  return writer;
}

absl::Status SnapshotWriter::Add(std::string_view key, std::string_view value) {
  CHECK(key > last_key_);
  base::Writer writer(&block_);
  writer.Bytes(key);
  writer.Bytes(value);
  ++block_records_;
  last_key_ = key;
  return block_.size() < kBlockBytesAim ? absl::OkStatus() : WriteBlock();
}

absl::Status SnapshotWriter::Finish() {
  if (block_records_ > 0) PANDO_RETURN_IF_ERROR(WriteBlock());
  base::Writer writer(&block_);
  writer.Fixed64(records_);
  writer.Fixed64(offset_ + kTrailerBytes);
  writer.Fixed64(chain_);
  PANDO_RETURN_IF_ERROR(WriteBlock());
  PANDO_RETURN_IF_ERROR(file_->Sync());
  PANDO_RETURN_IF_ERROR(disk_->Rename(absl::StrCat(path_, base::View(kUnfinished)), path_));
  return disk_->SyncDir(FolderOf(path_));
}

absl::Status SnapshotWriter::WriteBlock() {
  CHECK(block_.size() <= kBlockBytesMax);
  const auto bytes = static_cast<uint32_t>(block_.size());
  const uint64_t checksum = BlockChecksum(chain_, bytes, block_records_, block_);
  PANDO_RETURN_IF_ERROR(Write(EncodeBlockHeader(bytes, block_records_, checksum)));
  PANDO_RETURN_IF_ERROR(Write(block_));
  chain_ = checksum;
  records_ += block_records_;
  block_records_ = 0;
  block_.clear();
  if (offset_ < synced_ + kSyncEveryBytes) return absl::OkStatus();
  synced_ = offset_;
  return file_->Sync();
}

absl::Status SnapshotWriter::Write(std::string_view bytes) {
  PANDO_RETURN_IF_ERROR(file_->WriteAt(offset_, bytes));
  offset_ += bytes.size();
  return absl::OkStatus();
}

absl::StatusOr<SnapshotHeader> ReadSnapshot(io::Disk* disk, const std::string& path,
                                            const TreeDb::RecordReader& read) {
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  SnapshotReader reader(file->get(), path, *size);
  const absl::StatusOr<SnapshotHeader> header = reader.ReadHeader();
  if (!header.ok()) return header.status();
  while (true) {
    const absl::StatusOr<bool> end = reader.ReadBlock(read);
    if (!end.ok()) return end.status();
    if (*end) return header;
  }
}

absl::StatusOr<SnapshotHeader> ReadSnapshotHeader(io::Disk* disk, const std::string& path) {
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  return SnapshotReader(file->get(), path, 0).ReadHeader();
}

std::string SnapshotPath(model::Revision revision) {
  char name[64];
  std::snprintf(name, sizeof(name), "%s/%020llu.snapshot", kSnapshotDir,
                static_cast<unsigned long long>(revision.value()));
  return name;
}

absl::StatusOr<std::vector<model::Revision>> ListSnapshots(io::Disk* disk) {
  const absl::StatusOr<std::vector<std::string>> names = disk->List(kSnapshotDir);
  std::vector<model::Revision> revisions;
  if (absl::IsNotFound(names.status())) return revisions;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (const model::Revision revision = RevisionOf(name)) revisions.push_back(revision);
  }
  return revisions;
}

absl::StatusOr<model::Revision> NewestSnapshot(io::Disk* disk) {
  const absl::StatusOr<std::vector<model::Revision>> revisions = ListSnapshots(disk);
  if (!revisions.ok()) return revisions.status();
  if (revisions->empty()) return model::Revision();
  PANDO_RETURN_IF_ERROR(disk->SyncDir(kSnapshotDir));
  PANDO_RETURN_IF_ERROR(disk->SyncDir("."));
  return revisions->back();
}

absl::Status DeleteOldSnapshots(io::Disk* disk) {
  const absl::StatusOr<std::vector<model::Revision>> revisions = ListSnapshots(disk);
  if (!revisions.ok()) return revisions.status();
  for (size_t i = 0; i + model::kSnapshotsKept < revisions->size(); ++i) {
    PANDO_RETURN_IF_ERROR(disk->Delete(SnapshotPath((*revisions)[i])));
  }
  const absl::StatusOr<std::vector<std::string>> names = disk->List(kSnapshotDir);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!name.ends_with(kUnfinished)) continue;
    PANDO_RETURN_IF_ERROR(disk->Delete(absl::StrCat(kSnapshotDir, "/", name)));
  }
  return absl::OkStatus();
}

}  // namespace pando::store
