#include "store/snapshot_file.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "model/limits.h"
#include "store/testing/crash_disk.h"
#include "store/testing/window.h"

namespace pando::store {
namespace {

model::Revision R(uint64_t revision) { return model::Revision(revision); }

class SnapshotFileTest : public ::testing::Test {
 protected:
  static SnapshotHeader HeaderOf(uint64_t revision) {
    return {model::ClusterId(0xc1), {R(revision), model::Term(3), 0xd1}};
  }
  void Write(uint64_t revision, const Records& records) {
    absl::StatusOr<std::unique_ptr<SnapshotWriter>> writer =
        SnapshotWriter::Create(&disk_, SnapshotPath(R(revision)), HeaderOf(revision));
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const auto& [key, value] : records) ASSERT_TRUE((*writer)->Add(key, value).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  absl::StatusOr<SnapshotHeader> Read(uint64_t revision, Records* records) {
    records->clear();
    return ReadSnapshot(&disk_, SnapshotPath(R(revision)),
                        [&](std::string_view key, std::string_view value) -> absl::Status {
                          records->emplace(key, value);
                          return absl::OkStatus();
                        });
  }
  static Records Many() {
    Records records;
    for (int i = 0; i < 3000; ++i) {
      records[absl::StrCat("key-", i)] = std::string(200, static_cast<char>('a' + i % 26));
    }
    return records;
  }

  CrashDisk disk_;
};

TEST_F(SnapshotFileTest, GivesWhatWasWritten) {
  for (const Records& records :
       {Records(), Records{{"a", ""}}, Many(), Records{{"big", std::string(3 << 20, 'x')}}}) {
    Write(9, records);
    Records read;
    const absl::StatusOr<SnapshotHeader> header = Read(9, &read);
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(*header, HeaderOf(9));
    EXPECT_EQ(read, records);
  }
}

TEST_F(SnapshotFileTest, AnyFlippedByteIsFoundWithFileAndOffset) {
  Write(9, Many());
  const std::string path = SnapshotPath(R(9));
  const uint64_t size = *(*disk_.Open(path, io::OpenMode::kRead))->Size();
  ASSERT_GT(size, 2u * 256 * 1024) << "some blocks";
  Records read;
  for (uint64_t offset = 0; offset < size;
       offset += offset < 100 || offset + 100 > size ? 1 : 4099) {
    disk_.Flip(path, offset);
    const absl::Status status = Read(9, &read).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << offset << ": " << status;
    EXPECT_NE(status.message().find(absl::StrCat(path, " at ")), absl::string_view::npos);
    disk_.Flip(path, offset);
  }
  EXPECT_TRUE(Read(9, &read).ok());
}

TEST_F(SnapshotFileTest, AFileThatEndsEarlyOrLateIsDamaged) {
  Write(9, Many());
  const std::string path = SnapshotPath(R(9));
  const std::string bytes = *io::ReadFile(&disk_, path);
  Records read;
  base::Rng rng(5);
  std::vector<size_t> sizes = {0, 1, codec::kSnapshotHeaderBytes, bytes.size() - 40,
                               bytes.size() - 1};
  for (int i = 0; i < 50; ++i) sizes.push_back(rng.Below(bytes.size()));
  for (const size_t size : sizes) {
    ASSERT_TRUE(io::ReplaceFile(&disk_, path, bytes.substr(0, size)).ok());
    EXPECT_TRUE(absl::IsDataLoss(Read(9, &read).status())) << size;
  }
  ASSERT_TRUE(io::ReplaceFile(&disk_, path, bytes + "x").ok());
  EXPECT_TRUE(absl::IsDataLoss(Read(9, &read).status()));
}

TEST_F(SnapshotFileTest, BlocksOfAnotherSnapshotDoNotFit) {
  Records records = Many();
  Write(9, records);
  records["key-1000"] = std::string(200, '!');
  Write(10, records);
  std::string one = *io::ReadFile(&disk_, SnapshotPath(R(9)));
  const std::string other = *io::ReadFile(&disk_, SnapshotPath(R(10)));
  ASSERT_EQ(one.size(), other.size());
  // The header of the one, the rest of the other: each block is whole, but none follows it.
  ASSERT_TRUE(io::ReplaceFile(&disk_, SnapshotPath(R(9)),
                              one.substr(0, codec::kSnapshotHeaderBytes) +
                                  other.substr(codec::kSnapshotHeaderBytes))
                  .ok());
  Records read;
  EXPECT_TRUE(absl::IsDataLoss(Read(9, &read).status()));
}

TEST_F(SnapshotFileTest, AnErrorOfTheReaderComesBack) {
  Write(9, Many());
  const absl::Status status =
      ReadSnapshot(&disk_, SnapshotPath(R(9)), [](std::string_view, std::string_view) {
        return absl::CancelledError("enough");
      }).status();
  EXPECT_TRUE(absl::IsCancelled(status));
}

TEST_F(SnapshotFileTest, TheNewestAreKept) {
  EXPECT_EQ(*NewestSnapshot(&disk_), R(0));
  for (uint64_t revision = 5; revision <= 9; ++revision) {
    Write(revision, {{"a", "1"}});
    ASSERT_TRUE(DeleteOldSnapshots(&disk_).ok());
    EXPECT_EQ(*NewestSnapshot(&disk_), R(revision));
    EXPECT_LE(ListSnapshots(&disk_)->size(), model::kSnapshotsKept);
  }
  EXPECT_EQ(*ListSnapshots(&disk_), (std::vector<model::Revision>{R(8), R(9)}));
}

TEST_F(SnapshotFileTest, AnUnfinishedOneIsNoneAndGoes) {
  {
    absl::StatusOr<std::unique_ptr<SnapshotWriter>> writer =
        SnapshotWriter::Create(&disk_, SnapshotPath(R(4)), HeaderOf(4));
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Add("a", "1").ok());
  }
  EXPECT_EQ(disk_.List(kSnapshotDir)->size(), 1u);
  EXPECT_EQ(*NewestSnapshot(&disk_), R(0));
  Write(4, {{"a", "2"}});  // over what was left
  ASSERT_TRUE(DeleteOldSnapshots(&disk_).ok());
  EXPECT_EQ(disk_.List(kSnapshotDir)->size(), 1u);
  Records read;
  ASSERT_TRUE(Read(4, &read).ok());
  EXPECT_EQ(read, (Records{{"a", "2"}}));
}

}  // namespace
}  // namespace pando::store
