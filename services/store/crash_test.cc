// Power cuts and kill -9 at every kind of moment: while windows are stored, while a snapshot is
// taken, while a start recovers. What a start has once read, it has promised.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "store/data_dir.h"
#include "store/snapshot_file.h"
#include "store/state.h"
#include "store/testing/crash_disk.h"
#include "store/testing/window.h"

namespace pando::store {
namespace {

constexpr uint64_t kSeeds = 400;
constexpr int kLivesPerSeed = 4;

model::Revision R(uint64_t revision) { return model::Revision(revision); }

// One data dir through some lives.
class CrashingDir {
 public:
  explicit CrashingDir(uint64_t seed) : rng_(seed) {
    options_.tree.write_buffer_bytes = 64 << 10;  // tables and compactions within a few windows
    options_.changes.bytes_max = 128 << 10;       // segments and trimming too
    options_.changes.wall_clock = [] { return base::WallTime{1'000'000}; };
    history_[0] = {};
  }

  // A start, some work, and a cut at a random change of the disk.
  void Live() {
    disk_.CutAfter(rng_.Between(1, 150));
    if (Open()) {
      while (StoreSomething()) {
      }
    }
    state_ = State();
    EXPECT_TRUE(disk_.cut());
    ++cuts_;
    if (rng_.Chance(300)) {
      disk_.Restart();
      ++kills_;
      // A start that reads what the killed one wrote, and then the power goes, perhaps within it.
      if (rng_.Chance(500)) disk_.CutAfter(rng_.Between(1, 40));
      if (Open()) ++kept_;
      state_ = State();
    }
    disk_.LosePower(rng_.Next());
  }

  // What is left is whole.
  void Finish() {
    EXPECT_TRUE(Open());
    state_ = State();
  }
  uint64_t cuts() const { return cuts_; }
  uint64_t kills() const { return kills_; }
  uint64_t kept() const { return kept_; }
  uint64_t snapshots() const { return snapshots_; }

 private:
  // False: the power went off meanwhile; anything else that fails is a failure of the test.
  bool Went(const absl::Status& status) {
    if (status.ok()) return true;
    EXPECT_TRUE(disk_.cut()) << status;
    return false;
  }

  bool Open() {
    absl::StatusOr<DataDir> dir =
        DataDir::Open(&disk_, model::ServerId(1), model::StorageId(rng_.Next() | 1));
    if (!Went(dir.status())) return false;
    if (!dir->current()) {
      EXPECT_EQ(stored_, 0u) << "CURRENT is lost";
      if (!Went(dir->DeleteOtherStates())) return false;
    }
    const Current current = dir->current().value_or(Current{1, std::nullopt});
    absl::StatusOr<State> state = dir->current()
                                      ? OpenState(&disk_, current.state_dir(), options_)
                                      : CreateState(&disk_, current.state_dir(), R(0), options_);
    if (!Went(state.status())) return false;
    if (!dir->current() && !Went(dir->SetCurrent(current))) return false;
    state_ = *std::move(state);
    return CheckTree() && CheckChanges() && CheckSnapshots();
  }

  bool CheckTree() {
    const io::StateMark mark = state_.tree->mark();
    EXPECT_GE(mark.revision.value(), stored_) << "a stored window is lost";
    EXPECT_TRUE(history_.contains(mark.revision.value())) << "revision " << mark.revision;
    Records records;
    const absl::Status loaded =
        state_.tree->Load([&](std::string_view key, std::string_view value) -> absl::Status {
          records.emplace(key, value);
          return absl::OkStatus();
        });
    if (!Went(loaded)) return false;
    EXPECT_EQ(records, history_[mark.revision.value()]) << "revision " << mark.revision;
    EXPECT_EQ(mark.digest, DigestOf(records));
    // What is above it never was, as far as this server knows; and this is a promise.
    stored_ = mark.revision.value();
    revision_ = stored_;
    history_.erase(history_.upper_bound(stored_), history_.end());
    batches_.erase(batches_.upper_bound(stored_), batches_.end());
    return true;
  }

  bool CheckChanges() {
    const ChangeLog& changes = *state_.changes;
    EXPECT_EQ(changes.last().value(), stored_);
    const ChangeLog::Reading reading = state_.changes->Read(changes.oldest(), SIZE_MAX);
    if (disk_.cut()) return false;
    EXPECT_EQ(reading.oldest, changes.oldest()) << "damage in what was synced";
    auto want = batches_.lower_bound(reading.oldest.value());
    for (const auto& batch : reading.batches) {
      if (want == batches_.end() || want->first != batch->revision.value()) {
        ADD_FAILURE() << "change " << batch->revision << " is not what comes next";
        return false;
      }
      EXPECT_EQ(batch->changes[0].data, want->second->changes[0].data);
      ++want;
    }
    EXPECT_EQ(want, batches_.end()) << "the change log ends too early";
    EXPECT_LE(changes.bytes(), options_.changes.bytes_max + (64 << 10));
    // It never starts anew by itself: only trimming takes changes away.
    EXPECT_LE(changes.oldest().value(), oldest_max_ + 1) << "changes are lost";
    return true;
  }

  bool CheckSnapshots() {
    const absl::StatusOr<model::Revision> newest = NewestSnapshot(&disk_);
    if (!Went(newest.status())) return false;
    EXPECT_GE(newest->value(), snapshot_) << "a snapshot is lost";
    snapshot_ = newest->value();
    if (!*newest) return true;
    const absl::StatusOr<SnapshotHeader> header = ReadSnapshot(&disk_, SnapshotPath(*newest), {});
    if (!Went(header.status())) return false;
    EXPECT_EQ(header->mark.revision, *newest);
    return true;
  }

  bool StoreSomething() {
    if (rng_.Chance(60) && !TakeSnapshot()) return false;
    std::vector<io::StoreWrite> window;
    Records records = history_[revision_];
    for (uint64_t i = rng_.Between(1, 6); i > 0; --i) {
      revision_ += rng_.Between(1, 2);
      std::vector<model::RecordWrite> writes;
      for (uint64_t j = rng_.Between(0, 3); j > 0; --j) {
        std::optional<std::string> value;
        if (rng_.Chance(800)) value = absl::StrCat(rng_.Next(), std::string(rng_.Below(4000), 'v'));
        writes.push_back({absl::StrCat("k", rng_.Below(30)), std::move(value)});
      }
      window.push_back(WriteOf(revision_, std::move(writes)));
      io::StoreWrite& write = window.back();
      Apply(write.delta, &records);
      write.digest = DigestOf(records);
      history_[revision_] = records;
      if (rng_.Chance(200)) {
        write.changes = nullptr;
        continue;
      }
      // Not to be mistaken for that of an earlier life.
      auto batch = std::make_shared<model::ChangeBatch>(*write.changes);
      batch->changes[0].data = absl::StrCat(rng_.Next(), std::string(rng_.Below(2000), 'c'));
      batches_[revision_] = batch;
      write.changes = batch;
    }
    const absl::Status status = StoreWindow(state_, window);
    // The change log may have been trimmed before the tree met the cut.
    oldest_max_ = std::max(oldest_max_, state_.changes->oldest().value());
    if (!Went(status)) return false;
    stored_ = revision_;
    return true;
  }

  bool TakeSnapshot() {
    if (stored_ == 0) return true;
    absl::StatusOr<std::unique_ptr<SnapshotWriter>> writer = SnapshotWriter::Create(
        &disk_, SnapshotPath(R(stored_)), {model::ClusterId(7), state_.tree->mark()});
    if (!Went(writer.status())) return false;
    for (const auto& [key, value] : history_[stored_]) {
      if (!Went((*writer)->Add(key, value))) return false;
    }
    if (!Went((*writer)->Finish()) || !Went(DeleteOldSnapshots(&disk_))) return false;
    snapshot_ = stored_;
    ++snapshots_;
    return true;
  }

  base::Rng rng_;
  CrashDisk disk_;
  StateOptions options_;
  State state_;
  std::map<uint64_t, Records> history_;
  std::map<uint64_t, std::shared_ptr<const model::ChangeBatch>> batches_;
  uint64_t revision_ = 0;  // of the last write
  uint64_t stored_ = 0;    // promised
  uint64_t snapshot_ = 0;  // promised
  uint64_t oldest_max_ = 1;
  uint64_t cuts_ = 0;
  uint64_t kills_ = 0;
  uint64_t kept_ = 0;
  uint64_t snapshots_ = 0;
};

TEST(Crash, EveryCutLeavesExactlyAStoredRevision) {
  uint64_t cuts = 0, kills = 0, kept = 0, snapshots = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    CrashingDir dir(seed);
    for (int life = 0; life < kLivesPerSeed; ++life) dir.Live();
    dir.Finish();
    cuts += dir.cuts();
    kills += dir.kills();
    kept += dir.kept();
    snapshots += dir.snapshots();
    if (::testing::Test::HasFailure()) break;
  }
  RecordProperty("cuts", static_cast<int>(cuts));
  EXPECT_GE(cuts, 1000u);
  EXPECT_GE(kills, 200u);
  EXPECT_GE(kept, 100u);
  EXPECT_GE(snapshots, 100u);
}

}  // namespace
}  // namespace pando::store
