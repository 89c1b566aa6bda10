#include "posix/posix_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "posix/testing/temp_dir.h"

namespace pando::posix {
namespace {

using ::testing::ElementsAre;

class PosixDiskTest : public ::testing::Test {
 protected:
  std::unique_ptr<PosixDisk> OpenWithReserve(uint64_t reserve_bytes) {
    auto disk = PosixDisk::Open(temp_.path(), PosixDisk::IfMissing::kFail, reserve_bytes);
    CHECK(disk.ok());
    return *std::move(disk);
  }
  std::unique_ptr<io::File> Create(const std::string& path) {
    auto file = disk_->Open(path, io::OpenMode::kCreate);
    CHECK(file.ok());
    return *std::move(file);
  }
  void Put(const std::string& path, std::string_view bytes) {
    ASSERT_TRUE(Create(path)->WriteAt(0, bytes).ok());
  }
  bool Exists(const std::string& path) { return disk_->Open(path, io::OpenMode::kRead).ok(); }

  TempDir temp_;
  std::unique_ptr<PosixDisk> disk_ = OpenWithReserve(0);
};

TEST_F(PosixDiskTest, AFileReadsAsItWasWritten) {
  std::unique_ptr<io::File> file = Create("f");
  ASSERT_TRUE(file->WriteAt(0, "hello world").ok());
  ASSERT_TRUE(file->WriteAt(6, "pando").ok());
  ASSERT_TRUE(file->Sync().ok());
  std::string out = "> ";
  ASSERT_TRUE(file->ReadAt(0, 11, &out).ok());
  EXPECT_EQ(out, "> hello pando");
  EXPECT_EQ(*file->Size(), 11u);
}

TEST_F(PosixDiskTest, AWriteBehindTheEndLeavesZerosBetween) {
  std::unique_ptr<io::File> file = Create("f");
  ASSERT_TRUE(file->WriteAt(3, "x").ok());
  std::string out;
  ASSERT_TRUE(file->ReadAt(0, 4, &out).ok());
  EXPECT_EQ(out, std::string("\0\0\0x", 4));
}

TEST_F(PosixDiskTest, AReadEndsWithTheFile) {
  std::unique_ptr<io::File> file = Create("f");
  ASSERT_TRUE(file->WriteAt(0, "abc").ok());
  std::string out;
  ASSERT_TRUE(file->ReadAt(1, 100, &out).ok());
  EXPECT_EQ(out, "bc");
  ASSERT_TRUE(file->ReadAt(3, 100, &out).ok());
  ASSERT_TRUE(file->ReadAt(1000, 100, &out).ok());
  EXPECT_EQ(out, "bc");
}

TEST_F(PosixDiskTest, AFailedReadAppendsNothing) {
  ASSERT_TRUE(disk_->MakeDir("d").ok());
  auto folder = disk_->Open("d", io::OpenMode::kRead);
  ASSERT_TRUE(folder.ok());
  std::string out = "as it was";
  EXPECT_FALSE((*folder)->ReadAt(0, 10, &out).ok());
  EXPECT_EQ(out, "as it was");
}

TEST_F(PosixDiskTest, TruncateCutsAndGrows) {
  std::unique_ptr<io::File> file = Create("f");
  ASSERT_TRUE(file->WriteAt(0, "abcdef").ok());
  ASSERT_TRUE(file->Truncate(2).ok());
  ASSERT_TRUE(file->Truncate(4).ok());
  std::string out;
  ASSERT_TRUE(file->ReadAt(0, 10, &out).ok());
  EXPECT_EQ(out, std::string("ab\0\0", 4));
}

TEST_F(PosixDiskTest, OpenModesSayWhetherTheFileMustBeThere) {
  EXPECT_TRUE(absl::IsNotFound(disk_->Open("f", io::OpenMode::kRead).status()));
  EXPECT_TRUE(absl::IsNotFound(disk_->Open("f", io::OpenMode::kReadWrite).status()));
  Put("f", "x");
  EXPECT_TRUE(absl::IsAlreadyExists(disk_->Open("f", io::OpenMode::kCreate).status()));
  auto to_read = disk_->Open("f", io::OpenMode::kRead);
  ASSERT_TRUE(to_read.ok());
  EXPECT_FALSE((*to_read)->WriteAt(0, "y").ok());
  auto to_write = disk_->Open("f", io::OpenMode::kReadWrite);
  ASSERT_TRUE(to_write.ok());
  EXPECT_TRUE((*to_write)->WriteAt(0, "y").ok());
}

TEST_F(PosixDiskTest, AnErrorNamesCallAndFile) {
  EXPECT_EQ(disk_->Open("no/such", io::OpenMode::kRead).status().message(),
            "open " + temp_.path() + "/no/such: No such file or directory");
}

TEST_F(PosixDiskTest, ListsTheNamesOfAFolderSorted) {
  ASSERT_TRUE(disk_->MakeDir("d").ok());
  for (const char* name : {"d/b", "d/a", "d/10", "d/9"}) Put(name, "");
  EXPECT_THAT(*disk_->List("d"), ElementsAre("10", "9", "a", "b"));
  EXPECT_THAT(*disk_->List("."), ElementsAre("d"));
  EXPECT_TRUE(absl::IsNotFound(disk_->List("none").status()));
}

TEST_F(PosixDiskTest, MakesAFolderWithItsParents) {
  EXPECT_TRUE(disk_->MakeDir("a/b/c").ok());
  EXPECT_TRUE(disk_->MakeDir("a/b/c").ok());
  EXPECT_THAT(*disk_->List("a/b"), ElementsAre("c"));
  EXPECT_TRUE(disk_->SyncDir("a/b").ok());
  EXPECT_TRUE(disk_->SyncDir(".").ok());
}

TEST_F(PosixDiskTest, MakesNoFolderWhereAFileIs) {
  Put("f", "x");
  EXPECT_FALSE(disk_->MakeDir("f").ok());
  EXPECT_FALSE(disk_->MakeDir("f/d").ok());
}

TEST_F(PosixDiskTest, RenameReplaces) {
  Put("from", "new");
  Put("to", "old");
  ASSERT_TRUE(disk_->Rename("from", "to").ok());
  EXPECT_EQ(*io::ReadFile(disk_.get(), "to"), "new");
  EXPECT_FALSE(Exists("from"));
  EXPECT_TRUE(absl::IsNotFound(disk_->Rename("from", "to")));
}

TEST_F(PosixDiskTest, DeletesAFile) {
  Put("f", "x");
  EXPECT_TRUE(disk_->Delete("f").ok());
  EXPECT_FALSE(Exists("f"));
  EXPECT_TRUE(absl::IsNotFound(disk_->Delete("f")));
}

TEST_F(PosixDiskTest, DeletesAFolderAndAllInIt) {
  ASSERT_TRUE(disk_->MakeDir("d/e").ok());
  Put("d/f", "x");
  Put("d/e/g", "x");
  Put("kept", "x");
  EXPECT_TRUE(disk_->DeleteTree("d").ok());
  EXPECT_TRUE(disk_->DeleteTree("d").ok());
  EXPECT_THAT(*disk_->List("."), ElementsAre("kept"));
}

// Somebody else's files may be behind it.
TEST_F(PosixDiskTest, DeletesALinkAndNotWhatItLeadsTo) {
  TempDir elsewhere;
  std::ofstream(elsewhere.path() + "/precious") << "x";
  ASSERT_TRUE(disk_->MakeDir("d").ok());
  ASSERT_EQ(::symlink(elsewhere.path().c_str(), (temp_.path() + "/d/link").c_str()), 0);
  EXPECT_TRUE(disk_->DeleteTree("d").ok());
  EXPECT_TRUE(std::ifstream(elsewhere.path() + "/precious").good());
}

TEST_F(PosixDiskTest, SyncOfAFolderThatIsNotThereIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(disk_->SyncDir("none")));
}

TEST_F(PosixDiskTest, ReplaceFileLeavesTheNewOne) {
  ASSERT_TRUE(io::ReplaceFile(disk_.get(), "f", "one").ok());
  ASSERT_TRUE(io::ReplaceFile(disk_.get(), "f", "two").ok());
  EXPECT_EQ(*io::ReadFile(disk_.get(), "f"), "two");
  EXPECT_THAT(*disk_->List("."), ElementsAre("f"));
}

TEST_F(PosixDiskTest, FreeBytesLeavesTheReserveOut) {
  const uint64_t free = *disk_->FreeBytes();
  ASSERT_GT(free, 0u);
  // Others use this file system too, but not a quarter of what is free.
  EXPECT_LT(*OpenWithReserve(free / 2)->FreeBytes(), free / 4 * 3);
  EXPECT_EQ(*OpenWithReserve(UINT64_MAX)->FreeBytes(), 0u);
}

TEST_F(PosixDiskTest, UsedBytesCountsEveryFile) {
  const uint64_t before = *disk_->UsedBytes();
  ASSERT_TRUE(disk_->MakeDir("d/e").ok());
  const std::string block(64 << 10, 'x');
  for (const char* path : {"f", "d/e/g"}) {
    std::unique_ptr<io::File> file = Create(path);
    ASSERT_TRUE(file->WriteAt(0, block).ok());
    ASSERT_TRUE(file->Sync().ok());  // some file systems count blocks only then
  }
  EXPECT_GE(*disk_->UsedBytes() - before, 2 * block.size());
  EXPECT_LT(*disk_->UsedBytes() - before, 3 * block.size());
}

TEST_F(PosixDiskTest, StaysWithItsFolderWhateverThatIsCalled) {
  const std::string moved = temp_.path() + ".moved";
  ASSERT_EQ(::rename(temp_.path().c_str(), moved.c_str()), 0);
  ASSERT_EQ(::mkdir(temp_.path().c_str(), 0700), 0);
  Put("f", "x");
  EXPECT_TRUE(std::ifstream(moved + "/f").good());
  EXPECT_FALSE(std::ifstream(temp_.path() + "/f").good());
  ASSERT_EQ(::rmdir(temp_.path().c_str()), 0);
  ASSERT_EQ(::rename(moved.c_str(), temp_.path().c_str()), 0);
}

TEST_F(PosixDiskTest, OpensOnlyAFolder) {
  using If = PosixDisk::IfMissing;
  const std::string nested = temp_.path() + "/data//of/one/";
  EXPECT_TRUE(absl::IsNotFound(PosixDisk::Open(nested, If::kFail, 0).status()));
  EXPECT_TRUE(PosixDisk::Open(nested, If::kCreate, 0).ok());
  EXPECT_TRUE(PosixDisk::Open(nested, If::kCreate, 0).ok());
  EXPECT_TRUE(PosixDisk::Open(nested, If::kFail, 0).ok());
  Put("f", "x");
  EXPECT_FALSE(PosixDisk::Open(temp_.path() + "/f", If::kFail, 0).ok());
  EXPECT_FALSE(PosixDisk::Open(temp_.path() + "/f", If::kCreate, 0).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(PosixDisk::Open("", If::kCreate, 0).status()));
}

TEST_F(PosixDiskTest, IsNobodyElsesToRead) {
  ASSERT_TRUE(disk_->MakeDir("d").ok());
  Put("d/f", "x");
  struct stat info {};
  ASSERT_EQ(::stat((temp_.path() + "/d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0077, 0u);
  ASSERT_EQ(::stat((temp_.path() + "/d/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0077, 0u);
}

TEST(PosixDiskDeathTest, AnAbsolutePathIsABug) {
  TempDir temp;
  auto disk = PosixDisk::Open(temp.path(), PosixDisk::IfMissing::kFail, 0);
  ASSERT_TRUE(disk.ok());
  EXPECT_DEATH({ auto file = (*disk)->Open("/etc/passwd", io::OpenMode::kRead); }, "IsRelative");
  EXPECT_DEATH({ auto status = (*disk)->DeleteTree("."); }, "CHECK");
}

TEST(ErrnoStatus, TellsApartWhatCallersActOn) {
  const auto code = [](int error) { return ErrnoStatus(error, "write", "/d/f").code(); };
  EXPECT_EQ(code(ENOENT), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(EEXIST), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(code(EACCES), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code(EPERM), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code(ENOSPC), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(EDQUOT), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(EIO), absl::StatusCode::kUnknown);
  EXPECT_EQ(ErrnoStatus(ENOSPC, "write", "/d/f").message(), "write /d/f: No space left on device");
}

}  // namespace
}  // namespace pando::posix
