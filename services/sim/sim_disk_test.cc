#include "sim/sim_disk.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kBlock = model::kWalBlockBytes;

std::unique_ptr<io::File> OpenFile(SimDisk* disk, const std::string& path, io::OpenMode mode) {
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, mode);
  EXPECT_EQ(file.status(), absl::OkStatus()) << path;
  return file.ok() ? *std::move(file) : nullptr;
}

std::unique_ptr<io::File> Create(SimDisk* disk, const std::string& path) {
  return OpenFile(disk, path, io::OpenMode::kCreate);
}

std::string ContentOf(SimDisk* disk, const std::string& path) {
  return io::ReadFile(disk, path).value();
}

// A synced file, its name too.
void Plant(SimDisk* disk, const std::string& name, const std::string& bytes) {
  const auto file = Create(disk, name);
  ASSERT_EQ(file->WriteAt(0, bytes), absl::OkStatus());
  ASSERT_EQ(file->Sync(), absl::OkStatus());
  ASSERT_EQ(disk->SyncDir("."), absl::OkStatus());
}

std::vector<std::string> Names(SimDisk* disk) { return disk->List(".").value(); }

TEST(SimDisk, FilesAndFoldersAreWhereTheyWerePut) {
  SimDisk disk;
  EXPECT_EQ(disk.Open("a", io::OpenMode::kRead).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk.Open("d/a", io::OpenMode::kCreate).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk.List("d").status().code(), absl::StatusCode::kNotFound);
  ASSERT_EQ(disk.MakeDir("d/e"), absl::OkStatus());
  ASSERT_EQ(disk.MakeDir("d/e"), absl::OkStatus());
  const auto file = Create(&disk, "d/e/f");
  EXPECT_EQ(disk.Open("d/e/f", io::OpenMode::kCreate).status().code(),
            absl::StatusCode::kAlreadyExists);
  ASSERT_EQ(file->WriteAt(3, "xyz"), absl::OkStatus());
  EXPECT_EQ(ContentOf(&disk, "d/e/f"), std::string("\0\0\0xyz", 6));
  std::string some = "some: ";
  ASSERT_EQ(file->ReadAt(4, 100, &some), absl::OkStatus());
  EXPECT_EQ(some, "some: yz");
  ASSERT_EQ(disk.Rename("d/e/f", "g"), absl::OkStatus());
  EXPECT_THAT(Names(&disk), ElementsAre("d", "g"));
  EXPECT_THAT(disk.List("d/e").value(), IsEmpty());
  ASSERT_EQ(disk.Delete("g"), absl::OkStatus());
  EXPECT_EQ(disk.Delete("g").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(file->Size().value(), 6u);  // it is open still
  ASSERT_EQ(disk.DeleteTree("d"), absl::OkStatus());
  ASSERT_EQ(disk.DeleteTree("d"), absl::OkStatus());
  EXPECT_THAT(Names(&disk), IsEmpty());
}

TEST(SimDisk, ACrashKeepsWhatWasSynced) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    base::Rng rng(seed);
    SimDisk disk;
    Plant(&disk, "a", std::string(3 * kBlock, 'a'));
    const auto file = OpenFile(&disk, "a", io::OpenMode::kReadWrite);
    ASSERT_EQ(file->WriteAt(kBlock, std::string(kBlock, 'b')), absl::OkStatus());
    const std::string found = ContentOf(disk.Crash(&rng).get(), "a");
    ASSERT_EQ(found.size(), 3 * kBlock);
    EXPECT_EQ(found.substr(0, kBlock), std::string(kBlock, 'a'));
    EXPECT_EQ(found.substr(2 * kBlock), std::string(kBlock, 'a'));
    ASSERT_EQ(file->Sync(), absl::OkStatus());
    EXPECT_EQ(ContentOf(disk.Crash(&rng).get(), "a"),
              std::string(kBlock, 'a') + std::string(kBlock, 'b') + std::string(kBlock, 'a'));
  }
}

TEST(SimDisk, ACrashKeepsLosesOrTearsEveryUnsyncedBlockByItself) {
  SimDisk disk;
  Plant(&disk, "a", std::string(2 * kBlock, 'a'));
  const auto file = OpenFile(&disk, "a", io::OpenMode::kReadWrite);
  ASSERT_EQ(file->WriteAt(0, std::string(2 * kBlock, 'b')), absl::OkStatus());
  std::set<std::pair<int, int>> seen;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    base::Rng rng(seed);
    const std::string found = ContentOf(disk.Crash(&rng).get(), "a");
    const auto fate = [](const std::string& block) {
      for (size_t at = 0; at < kBlock; at += 512) {
        EXPECT_EQ(block.substr(at, 512), std::string(512, block[at]));
      }
      return block == std::string(kBlock, 'a') ? 0 : block == std::string(kBlock, 'b') ? 1 : 2;
    };
    seen.emplace(fate(found.substr(0, kBlock)), fate(found.substr(kBlock)));
  }
  EXPECT_EQ(seen.size(), 9u);
}

TEST(SimDisk, ACrashMayCutOrKeepAnUnsyncedSize) {
  SimDisk disk;
  Plant(&disk, "a", "a");
  const auto file = OpenFile(&disk, "a", io::OpenMode::kReadWrite);
  ASSERT_EQ(file->WriteAt(1, std::string(2 * kBlock, 'b')), absl::OkStatus());
  std::set<size_t> sizes;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    base::Rng rng(seed);
    sizes.insert(ContentOf(disk.Crash(&rng).get(), "a").size());
  }
  EXPECT_THAT(sizes, ElementsAre(1, kBlock, 2 * kBlock, 2 * kBlock + 1));
}

TEST(SimDisk, ACrashKeepsOrLosesEveryUnsyncedNameByItself) {
  SimDisk disk;
  Plant(&disk, "a", "1");
  ASSERT_EQ(disk.Rename("a", "b"), absl::OkStatus());
  std::set<std::vector<std::string>> seen;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    base::Rng rng(seed);
    const auto crashed = disk.Crash(&rng);
    seen.insert(Names(crashed.get()));
    for (const std::string& name : Names(crashed.get())) {
      EXPECT_EQ(ContentOf(crashed.get(), name), "1");
    }
  }
  EXPECT_EQ(seen.size(), 4u);
  ASSERT_EQ(disk.SyncDir("."), absl::OkStatus());
  base::Rng rng(1);
  EXPECT_THAT(Names(disk.Crash(&rng).get()), ElementsAre("b"));
}

TEST(SimDisk, AFolderThatIsLostTakesItsFilesWithIt) {
  SimDisk disk;
  ASSERT_EQ(disk.MakeDir("d"), absl::OkStatus());
  ASSERT_EQ(Create(&disk, "d/a")->Sync(), absl::OkStatus());
  ASSERT_EQ(disk.SyncDir("d"), absl::OkStatus());
  bool lost = false;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    base::Rng rng(seed);
    const auto crashed = disk.Crash(&rng);
    if (Names(crashed.get()).empty()) {
      lost = true;
    } else {
      EXPECT_THAT(crashed->List("d").value(), ElementsAre("a"));
    }
  }
  EXPECT_TRUE(lost);
}

TEST(SimDisk, SameCallsAndSeedsGiveTheSameBytes) {
  const auto run = [] {
    SimDisk disk;
    Plant(&disk, "a", std::string(kBlock, 'a'));
    EXPECT_EQ(
        OpenFile(&disk, "a", io::OpenMode::kReadWrite)->WriteAt(100, std::string(20 * kBlock, 'b')),
        absl::OkStatus());
    base::Rng rng(7);
    return ContentOf(disk.Crash(&rng).get(), "a");
  };
  EXPECT_EQ(run(), run());
}

TEST(SimDisk, AKillKeepsAllButSyncsNothing) {
  SimDisk disk;
  Plant(&disk, "a", "1");
  ASSERT_EQ(OpenFile(&disk, "a", io::OpenMode::kReadWrite)->WriteAt(0, "2"), absl::OkStatus());
  Create(&disk, "b");
  const auto killed = disk.Kill();
  EXPECT_EQ(ContentOf(killed.get(), "a"), "2");
  EXPECT_THAT(Names(killed.get()), ElementsAre("a", "b"));
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    base::Rng rng(seed);
    const auto crashed = killed->Crash(&rng);
    seen.insert(absl::StrCat(ContentOf(crashed.get(), "a"), Names(crashed.get()).size()));
  }
  EXPECT_THAT(seen, ElementsAre("11", "12", "21", "22"));
  // The copy is another disk.
  ASSERT_EQ(disk.Delete("a"), absl::OkStatus());
  EXPECT_EQ(Names(killed.get()).size(), 2u);
}

TEST(SimDisk, StopsAfterSoManyCalls) {
  std::set<std::string> left;
  for (uint64_t before = 0; before < 20; ++before) {
    SimDisk disk;
    const auto file = Create(&disk, "a");
    for (uint64_t i = 0; i < before; ++i) ASSERT_EQ(file->Sync(), absl::OkStatus());
    EXPECT_EQ(disk.operations(), before + 1);
    disk.StopAfter(1);
    EXPECT_EQ(file->WriteAt(0, "1234"), absl::OkStatus());
    EXPECT_FALSE(disk.stopped());
    EXPECT_EQ(file->WriteAt(0, "abcd").code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(disk.stopped());
    EXPECT_EQ(file->WriteAt(0, "wxyz").code(), absl::StatusCode::kUnavailable);
    std::string bytes;
    EXPECT_EQ(file->ReadAt(0, 1, &bytes).code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(disk.SyncDir(".").code(), absl::StatusCode::kUnavailable);
    left.insert(ContentOf(disk.Kill().get(), "a"));
  }
  // Of the write that was cut short, any part.
  EXPECT_THAT(left, ElementsAre("1234", "a234", "ab34", "abc4", "abcd"));
}

TEST(SimDisk, AFullDiskTakesWhatFits) {
  SimDisk disk;
  disk.SetCapacity(10);
  const auto file = Create(&disk, "a");
  ASSERT_EQ(file->WriteAt(0, "12345678"), absl::OkStatus());
  EXPECT_EQ(disk.FreeBytes().value(), 2u);
  EXPECT_EQ(file->WriteAt(6, "abcdef").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ContentOf(&disk, "a"), "123456abcd");
  EXPECT_EQ(disk.used_bytes(), 10u);
  EXPECT_EQ(file->WriteAt(0, "ABC"), absl::OkStatus());  // needs no room
  EXPECT_EQ(file->WriteAt(20, "x").code(), absl::StatusCode::kResourceExhausted);
  ASSERT_EQ(disk.Delete("a"), absl::OkStatus());
  EXPECT_EQ(disk.FreeBytes().value(), 10u);
}

TEST(SimDisk, FailedSyncsSyncNothing) {
  SimDisk disk;
  Plant(&disk, "a", "1");
  const auto file = OpenFile(&disk, "a", io::OpenMode::kReadWrite);
  ASSERT_EQ(file->WriteAt(0, "2"), absl::OkStatus());
  disk.FailSyncs(2);
  EXPECT_EQ(file->Sync().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(disk.SyncDir(".").code(), absl::StatusCode::kDataLoss);
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    base::Rng rng(seed);
    seen.insert(ContentOf(disk.Crash(&rng).get(), "a"));
  }
  EXPECT_THAT(seen, ElementsAre("1", "2"));
  EXPECT_EQ(file->Sync(), absl::OkStatus());
}

TEST(SimDisk, AFlippedBitIsOnDiskToo) {
  SimDisk disk;
  Plant(&disk, "a", "a");
  disk.FlipBit("a", 0, 1);
  EXPECT_EQ(ContentOf(&disk, "a"), "c");
  base::Rng rng(1);
  EXPECT_EQ(ContentOf(disk.Crash(&rng).get(), "a"), "c");
}

TEST(SimDisk, OpenFilesFailOnceTheDiskIsGone) {
  auto disk = std::make_unique<SimDisk>();
  const auto file = Create(disk.get(), "a");
  disk.reset();
  EXPECT_EQ(file->WriteAt(0, "x").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(file->Size().status().code(), absl::StatusCode::kUnavailable);
}

TEST(SimDisk, TheProbeSeesEveryChange) {
  SimDisk disk;
  std::vector<std::string> seen;
  disk.SetProbe([&](const std::string& path) { seen.push_back(path); });
  const auto file = Create(&disk, "a");
  ASSERT_EQ(file->WriteAt(0, "x"), absl::OkStatus());
  ASSERT_EQ(disk.SyncDir("."), absl::OkStatus());
  EXPECT_EQ(ContentOf(&disk, "a"), "x");
  EXPECT_THAT(seen, ElementsAre("a", "a", "."));
}

}  // namespace
}  // namespace pando::sim
