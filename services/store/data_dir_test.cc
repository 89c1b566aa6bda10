#include "store/data_dir.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "store/testing/crash_disk.h"

namespace pando::store {
namespace {

const model::ServerId kServer(1);
const model::StorageId kStorage(0xfeedface12345678);
const model::ClusterId kCluster(0x0123456789abcdef);

void ExpectRefused(const absl::Status& status, std::vector<std::string> words) {
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  for (const std::string& word : words) {
    EXPECT_NE(status.message().find(word), absl::string_view::npos) << word << " in " << status;
  }
}

TEST(DataDir, AnEmptyDirBecomesTheServers) {
  CrashDisk disk;
  const absl::StatusOr<DataDir> made = DataDir::Open(&disk, kServer, kStorage);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_FALSE(made->current());
  const absl::StatusOr<DataDir> again = DataDir::Open(&disk, kServer, model::StorageId(5));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->identity(), (Identity{kServer, kStorage, model::ClusterId()}));
}

// A start must not take what a restore has left half made for a dir that is still empty.
TEST(DataDir, IsMadeWholeOrNotTaken) {
  const Identity identity{kServer, kStorage, {}};
  const Current current{1, Current::WalReset{model::Revision(7), model::Term(2)}};
  bool made = false;
  int refused = 0;
  for (uint64_t cut = 1; !made; ++cut) {
    for (const bool power : {true, false}) {
      CrashDisk disk;
      ASSERT_TRUE(disk.MakeDir(current.state_dir()).ok());
      disk.CutAfter(cut);
      made = DataDir::Make(&disk, identity, current).ok();
      power ? disk.LosePower(cut) : disk.Restart();
      const absl::StatusOr<DataDir> dir = DataDir::Open(&disk, kServer, model::StorageId(5));
      if (dir.ok() && dir->identity() == identity) {
        EXPECT_EQ(dir->current(), current) << cut;
      } else if (dir.ok()) {
        EXPECT_FALSE(made) << cut;
        // Nothing of it reached the disk.
        EXPECT_FALSE(dir->current());
        EXPECT_TRUE(absl::IsNotFound(disk.List(current.state_dir()).status())) << cut;
      } else {
        EXPECT_FALSE(made) << cut;
        ExpectRefused(dir.status(), {"no file identity"});
        ++refused;
      }
    }
  }
  EXPECT_GE(refused, 5);
}

TEST(DataDir, RefusesAnotherServerAndNamesBoth) {
  CrashDisk disk;
  ASSERT_TRUE(DataDir::Open(&disk, model::ServerId(2), kStorage).ok());
  const absl::StatusOr<DataDir> other = DataDir::Open(&disk, kServer, kStorage);
  ExpectRefused(other.status(), {"data dir belongs to server 2, not 1"});
}

TEST(DataDir, BelongsToOneClusterForEver) {
  CrashDisk disk;
  absl::StatusOr<DataDir> dir = DataDir::Open(&disk, kServer, kStorage);
  ASSERT_TRUE(dir.ok());
  ASSERT_TRUE(dir->JoinCluster(kCluster).ok());
  ASSERT_TRUE(dir->JoinCluster(kCluster).ok());
  ExpectRefused(dir->JoinCluster(model::ClusterId(7)), {"0123456789abcdef", "0000000000000007"});
  EXPECT_EQ(DataDir::OpenExisting(&disk)->identity(), (Identity{kServer, kStorage, kCluster}));
}

TEST(DataDir, ADirThatLostItsIdentityIsNotReused) {
  for (const char* left : {"wal", "state-3", "snapshots"}) {
    CrashDisk disk;
    ASSERT_TRUE(disk.MakeDir(left).ok());
    ASSERT_TRUE(disk.MakeDir("lost+found").ok());
    ExpectRefused(DataDir::Open(&disk, kServer, kStorage).status(), {left, "identity"});
  }
  CrashDisk disk;
  ASSERT_TRUE(disk.MakeDir("lost+found").ok());
  EXPECT_TRUE(DataDir::Open(&disk, kServer, kStorage).ok()) << "nothing of ours";
}

TEST(DataDir, NamesTheStateInForce) {
  CrashDisk disk;
  absl::StatusOr<DataDir> dir = DataDir::Open(&disk, kServer, kStorage);
  ASSERT_TRUE(dir.ok());
  EXPECT_EQ(*dir->NewState(), 1u);
  const Current plain{1, std::nullopt};
  const Current reset{4, Current::WalReset{model::Revision(90), model::Term(7)}};
  EXPECT_EQ(plain.state_dir(), "state-1");
  for (const Current& current : {plain, reset}) {
    ASSERT_TRUE(disk.MakeDir(current.state_dir()).ok());
    ASSERT_TRUE(dir->SetCurrent(current).ok());
    EXPECT_EQ(*DataDir::OpenExisting(&disk)->current(), current);
  }
  EXPECT_EQ(*dir->NewState(), 5u);
  ASSERT_TRUE(disk.MakeDir("state-x").ok());
  ASSERT_TRUE(dir->DeleteOtherStates().ok());
  const absl::StatusOr<std::vector<std::string>> names = disk.List(".");
  EXPECT_EQ(*names, (std::vector<std::string>{"CURRENT", "identity", "state-4", "state-x"}));
}

TEST(DataDir, ADamagedFileIsNamed) {
  for (const std::string file : {"identity", "CURRENT"}) {
    CrashDisk disk;
    absl::StatusOr<DataDir> dir = DataDir::Open(&disk, kServer, kStorage);
    ASSERT_TRUE(dir->SetCurrent({1, std::nullopt}).ok());
    const std::string text = *io::ReadFile(&disk, file);
    for (size_t offset = 0; offset < text.size(); ++offset) {
      disk.Flip(file, offset);
      const absl::Status status = DataDir::OpenExisting(&disk).status();
      EXPECT_TRUE(absl::IsDataLoss(status)) << offset << ": " << status;
      EXPECT_NE(status.message().find(file), absl::string_view::npos);
      EXPECT_EQ(DataDir::Open(&disk, kServer, kStorage).status(), status);
      disk.Flip(file, offset);
    }
    for (size_t size = 0; size < text.size(); ++size) {
      ASSERT_TRUE(io::ReplaceFile(&disk, file, text.substr(0, size)).ok());
      EXPECT_TRUE(absl::IsDataLoss(DataDir::OpenExisting(&disk).status())) << size;
    }
  }
}

TEST(DataDir, NoIdentityIsNotFound) {
  CrashDisk disk;
  EXPECT_TRUE(absl::IsNotFound(DataDir::OpenExisting(&disk).status()));
}

}  // namespace
}  // namespace pando::store
