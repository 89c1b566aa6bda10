#include "posix/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "posix/testing/temp_dir.h"

namespace pando::posix {
namespace {

class LockTest : public ::testing::Test {
 protected:
  std::unique_ptr<PosixDisk> OpenDisk() {
    auto disk = PosixDisk::Open(temp_.path(), PosixDisk::IfMissing::kFail, 0);
    CHECK(disk.ok());
    return *std::move(disk);
  }

  TempDir temp_;
  std::unique_ptr<PosixDisk> disk_ = OpenDisk();
};

TEST_F(LockTest, OneAtATime) {
  auto first = Lock::Acquire(*disk_);
  ASSERT_TRUE(first.ok());
  // flock belongs to the open file, so a second one of this process is as good as another process.
  const auto second = Lock::Acquire(*OpenDisk());
  ASSERT_TRUE(absl::IsFailedPrecondition(second.status()));
  EXPECT_EQ(second.status().message(), "the data dir " + temp_.path() +
                                           " is locked: in use by another process (process " +
                                           std::to_string(::getpid()) + ")");
  first->reset();
  EXPECT_TRUE(Lock::Acquire(*OpenDisk()).ok());
}

TEST_F(LockTest, TwoDataDirsAreTwoLocks) {
  TempDir other;
  auto other_disk = PosixDisk::Open(other.path(), PosixDisk::IfMissing::kFail, 0);
  ASSERT_TRUE(other_disk.ok());
  const auto first = Lock::Acquire(*disk_);
  const auto second = Lock::Acquire(**other_disk);
  EXPECT_TRUE(first.ok());
  EXPECT_TRUE(second.ok());
}

TEST_F(LockTest, NamesNoHolderThatItCannotKnow) {
  const auto held = Lock::Acquire(*disk_);
  ASSERT_TRUE(held.ok());
  for (const char* text :
       {"", "\n", "garbage", "12x\n", "1234567890123456789012345678901234567890"}) {
    auto file = disk_->Open("lock", io::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Truncate(0).ok());
    ASSERT_TRUE((*file)->WriteAt(0, text).ok());
    const auto second = Lock::Acquire(*OpenDisk());
    ASSERT_TRUE(absl::IsFailedPrecondition(second.status()));
    EXPECT_THAT(std::string(second.status().message()), ::testing::EndsWith("another process"))
        << text;
  }
}

TEST_F(LockTest, EndsWithItsProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = Lock::Acquire(*disk_);
    // As a crash: no destructor runs.
    ::_exit(lock.ok() ? 0 : 1);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(Lock::Acquire(*disk_).ok());
}

}  // namespace
}  // namespace pando::posix
