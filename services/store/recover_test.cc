#include "store/recover.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "store/snapshot_file.h"
#include "store/testing/crash_disk.h"
#include "store/testing/window.h"

namespace pando::store {
namespace {

model::Revision R(uint64_t revision) { return model::Revision(revision); }
uint64_t Digest(std::string_view key, std::string_view value) { return DigestOf(key, value); }

// A data dir with records at revisions 1 to 20, and snapshots at 10 and 15.
class RecoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.changes.wall_clock = [] { return base::WallTime{1'000'000}; };
    absl::StatusOr<DataDir> dir = DataDir::Open(&disk_, model::ServerId(1), model::StorageId(2));
    ASSERT_TRUE(dir.ok());
    absl::StatusOr<State> state = CreateState(&disk_, "state-1", R(0), options_);
    ASSERT_TRUE(state.ok()) << state.status();
    ASSERT_TRUE(dir->SetCurrent({1, std::nullopt}).ok());
    Records records;
    for (uint64_t r = 1; r <= 20; ++r) {
      std::vector<io::StoreWrite> window;
      window.push_back(WriteOf(
          r, {{absl::StrCat("k", r), std::string(30'000, 'x')}, {"last", absl::StrCat(r)}}));
      Apply(window[0].delta, &records);
      window[0].digest = DigestOf(records);
      ASSERT_TRUE(StoreWindow(*state, window).ok());
      history_[r] = records;
      if (r == 10 || r == 15) TakeSnapshot(r, state->tree->mark());
    }
    *state = State();
    // What LevelDB's log holds goes into tables at the next opening.
    ASSERT_TRUE(OpenState(&disk_, "state-1", options_).ok());
  }
  void TakeSnapshot(uint64_t revision, const io::StateMark& mark) {
    absl::StatusOr<std::unique_ptr<SnapshotWriter>> writer =
        SnapshotWriter::Create(&disk_, SnapshotPath(R(revision)), {model::ClusterId(3), mark});
    ASSERT_TRUE(writer.ok());
    for (const auto& [key, value] : history_[revision]) {
      ASSERT_TRUE((*writer)->Add(key, value).ok());
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  std::string ATable() {
    const absl::StatusOr<std::vector<std::string>> names = disk_.List("state-1/tree");
    for (const std::string& name : *names) {
      if (name.ends_with(".ldb")) return "state-1/tree/" + name;
    }
    ADD_FAILURE() << "no table";
    return "";
  }
  // Every file of the dir and its bytes.
  Records Files() {
    Records files;
    for (const char* dir : {".", "state-1", "state-1/tree", "state-1/changes", "snapshots"}) {
      const absl::StatusOr<std::vector<std::string>> names = disk_.List(dir);
      for (const std::string& name : *names) {
        const std::string path = absl::StrCat(dir, "/", name);
        const absl::StatusOr<std::string> bytes =
            io::ReadFile(&disk_, path.starts_with("./") ? path.substr(2) : path);
        files[path] = bytes.ok() ? *bytes : "a folder";
      }
    }
    return files;
  }
  void ExpectOneDamage(const std::string& file) {
    const absl::StatusOr<CheckResult> result = Check(&disk_, Digest);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->damages.size(), 1u) << ::testing::PrintToString(result->damages);
    EXPECT_NE(result->damages[0].find(file), std::string::npos) << result->damages[0];
  }
  void ExpectState(uint64_t revision) {
    const absl::StatusOr<DataDir> dir = DataDir::OpenExisting(&disk_);
    ASSERT_TRUE(dir.ok());
    const absl::StatusOr<State> state = OpenState(&disk_, dir->current()->state_dir(), options_);
    ASSERT_TRUE(state.ok()) << state.status();
    Records records;
    ASSERT_TRUE(state->tree
                    ->Load([&](std::string_view key, std::string_view value) -> absl::Status {
                      records.emplace(key, value);
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_EQ(records, history_[revision]);
    EXPECT_EQ(state->tree->mark().revision, R(revision));
    EXPECT_EQ(state->tree->mark().digest, DigestOf(records));
    EXPECT_EQ(state->changes->oldest(), R(revision + 1));
    EXPECT_EQ(state->changes->last(), R(revision));
  }

  CrashDisk disk_;
  StateOptions options_;
  std::map<uint64_t, Records> history_;
};

TEST_F(RecoverTest, AGoodDirHasNoDamageAndIsNotTouched) {
  const Records before = Files();
  const absl::StatusOr<CheckResult> result = Check(&disk_, Digest);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->damages.empty()) << ::testing::PrintToString(result->damages);
  EXPECT_EQ(result->mark.revision, R(20));
  EXPECT_EQ(result->records, 21u);
  EXPECT_EQ(result->snapshots, (std::vector<model::Revision>{R(10), R(15)}));
  EXPECT_EQ(Files(), before);
}

TEST_F(RecoverTest, CheckNamesWhatIsDamaged) {
  const std::string table = ATable();
  const std::string snapshot = SnapshotPath(R(15));
  for (const std::string& file : {std::string("identity"), std::string("CURRENT"), table, snapshot,
                                  std::string("state-1/changes/000000000001")}) {
    SCOPED_TRACE(file);
    disk_.Flip(file, 20);
    ExpectOneDamage(file);
    disk_.Flip(file, 20);
  }
  ASSERT_TRUE(disk_.Delete(table).ok());
  ExpectOneDamage(table);
}

TEST_F(RecoverTest, CheckComparesDigests) {
  // Records that are whole, as far as LevelDB can tell, but not those of the revision.
  absl::StatusOr<State> state = OpenState(&disk_, "state-1", options_);
  std::vector<io::StoreWrite> window;
  window.push_back(WriteOf(21, {{"k1", "other"}}));
  window[0].digest = DigestOf(history_[20]);
  ASSERT_TRUE(StoreWindow(*state, window).ok());
  *state = State();
  ExpectOneDamage("state-1/tree");
}

TEST_F(RecoverTest, RebuildsFromTheNewestSnapshotWhenATableIsLost) {
  ASSERT_TRUE(disk_.Delete(ATable()).ok());
  ASSERT_TRUE(absl::IsDataLoss(OpenState(&disk_, "state-1", options_).status()));
  const absl::StatusOr<io::StateMark> mark = Recover(&disk_, Digest, options_);
  ASSERT_TRUE(mark.ok()) << mark.status();
  EXPECT_EQ(mark->revision, R(15));
  ExpectState(15);
  absl::StatusOr<DataDir> dir = DataDir::OpenExisting(&disk_);
  EXPECT_EQ(dir->current()->state_dir(), "state-2");
  ASSERT_TRUE(dir->DeleteOtherStates().ok());
  EXPECT_TRUE(absl::IsNotFound(disk_.List("state-1").status()));
  ExpectState(15);
  EXPECT_TRUE(Check(&disk_, Digest)->damages.empty());
}

TEST_F(RecoverTest, ADamagedSnapshotIsPassedOver) {
  disk_.Flip(SnapshotPath(R(15)), 1000);
  EXPECT_EQ(Recover(&disk_, Digest, options_)->revision, R(10));
  ExpectState(10);
}

TEST_F(RecoverTest, WithDamagedSnapshotsOnlyItRefuses) {
  disk_.Flip(SnapshotPath(R(15)), 1000);
  disk_.Flip(SnapshotPath(R(10)), 1000);
  const Records before = Files();
  const absl::Status status = Recover(&disk_, Digest, options_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find(SnapshotPath(R(15))), absl::string_view::npos);
  EXPECT_EQ(Files(), before);
}

TEST_F(RecoverTest, WithoutAnySnapshotItBeginsWithNothing) {
  ASSERT_TRUE(disk_.DeleteTree("snapshots").ok());
  EXPECT_EQ(Recover(&disk_, Digest, options_)->revision, R(0));
  ExpectState(0);
}

TEST_F(RecoverTest, APowerCutLeavesTheOldStateOrTheNew) {
  for (uint64_t cut = 1;; ++cut) {
    CrashDisk fresh;
    disk_.CutAfter(cut);
    const absl::StatusOr<io::StateMark> mark = Recover(&disk_, Digest, options_);
    const bool cut_off = disk_.cut();
    disk_.LosePower(cut);
    const absl::StatusOr<DataDir> dir = DataDir::OpenExisting(&disk_);
    ASSERT_TRUE(dir.ok()) << dir.status();
    if (mark.ok()) {
      ExpectState(15);
    } else if (dir->current()->state == 1) {
      const absl::StatusOr<CheckResult> result = Check(&disk_, Digest);
      EXPECT_TRUE(result->damages.empty()) << ::testing::PrintToString(result->damages);
    } else {
      ExpectState(15);
    }
    if (!cut_off) break;
    ASSERT_LT(cut, 1000u);
  }
}

TEST_F(RecoverTest, ADirThatIsNobodysIsRefused) {
  CrashDisk empty;
  EXPECT_TRUE(absl::IsNotFound(Check(&empty, Digest).status()));
  EXPECT_TRUE(absl::IsNotFound(Recover(&empty, Digest, options_).status()));
}

}  // namespace
}  // namespace pando::store
