// A snapshot file: the bytes as they are; and as blocks whose checksums and trailer hold, with
// records that are anything. What is read whole can be written, and read again.
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "fuzz.h"
#include "sim/sim_disk.h"
#include "store/snapshot_file.h"

namespace pando::store {
namespace {

using Records = std::vector<std::pair<std::string, std::string>>;

// docs/formats/snapshot.md, written from the page and not from the code.
class File {
 public:
  explicit File(fuzz::Choices* choices) {
    base::Writer writer(&bytes_);
    writer.Raw("PNDSNP01");
    writer.Fixed32(1);
    writer.Fixed32(0);
    for (int i = 0; i < 4; ++i) writer.Fixed64(choices->Number());
    chain_ = base::Hash64(bytes_);
    writer.Fixed64(chain_);
    chain_ = base::Hash64(bytes_);
  }

  void AppendBlock(uint32_t records, const std::string& body) {
    std::string lengths;
    base::Writer length_writer(&lengths);
    length_writer.Fixed32(static_cast<uint32_t>(body.size()));
    length_writer.Fixed32(records);
    const uint64_t checksum = base::Hash64(body, base::Hash64(lengths, chain_));
    base::Writer writer(&bytes_);
    writer.Raw(lengths);
    writer.Fixed64(checksum);
    writer.Raw(body);
    if (records > 0) chain_ = checksum;
    records_ += records;
  }

  std::string Finish() {
    std::string trailer;
    base::Writer writer(&trailer);
    writer.Fixed64(records_);
    writer.Fixed64(bytes_.size() + 16 + 24);
    writer.Fixed64(chain_);
    AppendBlock(0, trailer);
    return bytes_;
  }

 private:
  std::string bytes_;
  uint64_t chain_ = 0;
  uint64_t records_ = 0;
};

std::string Build(fuzz::Choices* choices) {
  File file(choices);
  for (size_t blocks = choices->Below(4); blocks > 0; --blocks) {
    std::string body;
    const auto records = static_cast<uint32_t>(1 + choices->Below(4));
    if (choices->Yes()) {
      base::Writer writer(&body);
      for (uint32_t i = 0; i < 2 * records; ++i) writer.Bytes(choices->Bytes());
    } else {
      body = choices->Bytes();
    }
    file.AppendBlock(records, body);
  }
  return file.Finish();
}

void Run(const std::string& bytes) {
  sim::SimDisk disk;
  CHECK(io::ReplaceFile(&disk, "file", bytes).ok());
  Records records;
  const absl::StatusOr<SnapshotHeader> header =
      ReadSnapshot(&disk, "file", [&](std::string_view key, std::string_view value) {
        records.emplace_back(key, value);
        return absl::OkStatus();
      });
  CHECK(header.ok() || absl::IsDataLoss(header.status()));
  if (!header.ok()) return;
  auto writer = SnapshotWriter::Create(&disk, SnapshotPath(header->mark.revision), *header);
  CHECK(writer.ok());
  for (const auto& [key, value] : records) CHECK((*writer)->Add(key, value).ok());
  CHECK((*writer)->Finish().ok());
  Records again;
  const absl::StatusOr<SnapshotHeader> header_again =
      ReadSnapshot(&disk, SnapshotPath(header->mark.revision),
                   [&](std::string_view key, std::string_view value) {
                     again.emplace_back(key, value);
                     return absl::OkStatus();
                   });
  CHECK(header_again.ok());
  CHECK(*header_again == *header);
  CHECK(again == records);
}

}  // namespace
}  // namespace pando::store

FUZZ(bytes) {
  pando::fuzz::Choices choices(bytes);
  pando::store::Run(std::string(bytes));
  pando::store::Run(pando::store::Build(&choices));
}
