#include "store/change_log.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "store/testing/crash_disk.h"
#include "store/testing/window.h"

namespace pando::store {
namespace {

model::Revision R(uint64_t revision) { return model::Revision(revision); }

class ChangeLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.wall_clock = [this] { return now_; };
    log_.reset();
    ASSERT_TRUE(disk_.DeleteTree("changes").ok());
    absl::StatusOr<std::unique_ptr<ChangeLog>> made =
        ChangeLog::Create(&disk_, "changes", R(0), options_);
    ASSERT_TRUE(made.ok()) << made.status();
    log_ = *std::move(made);
    ASSERT_TRUE(disk_.SyncDir(".").ok());
  }

  // Appends one window: a change of `bytes` at each revision of [first, last].
  absl::Status Append(uint64_t first, uint64_t last, size_t bytes = 10) {
    std::vector<io::StoreWrite> window;
    for (uint64_t r = first; r <= last; ++r) window.push_back(WriteOf(r, {}, bytes));
    return log_->Append(window);
  }
  void Reopen(uint64_t stored) {
    log_.reset();
    absl::StatusOr<std::unique_ptr<ChangeLog>> opened =
        ChangeLog::Open(&disk_, "changes", R(stored), options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    log_ = *std::move(opened);
  }
  // "oldest: the revisions read from `from` on -> through"
  std::string Read(uint64_t from, size_t bytes_max = SIZE_MAX) {
    return Describe(log_->Read(R(from), bytes_max));
  }
  static std::string Describe(const ChangeLog::Reading& reading) {
    std::string text = absl::StrCat(reading.oldest.value(), ":");
    for (const auto& batch : reading.batches) {
      const model::Change& change = batch->changes.at(0);
      EXPECT_EQ(change.path, absl::StrCat("/node-", batch->revision.value()));
      EXPECT_EQ(change.data,
                BatchOf(batch->revision.value(), change.data->size())->changes[0].data);
      absl::StrAppend(&text, " ", batch->revision.value());
    }
    return absl::StrCat(text, " -> ", reading.through.value());
  }
  std::vector<std::string> Files() { return *disk_.List("changes"); }

  CrashDisk disk_;
  base::WallTime now_{1'000'000};
  ChangeLogOptions options_;
  std::unique_ptr<ChangeLog> log_;
};

TEST_F(ChangeLogTest, GivesWhatWasAppended) {
  EXPECT_EQ(Read(1), "1: -> 0");
  ASSERT_TRUE(Append(2, 4).ok());
  ASSERT_TRUE(Append(7, 8).ok());
  EXPECT_EQ(Read(1), "1: 2 3 4 7 8 -> 8");
  EXPECT_EQ(Read(3), "1: 3 4 7 8 -> 8");
  EXPECT_EQ(Read(5), "1: 7 8 -> 8");
  EXPECT_EQ(Read(8), "1: 8 -> 8");
  EXPECT_EQ(Read(9), "1: -> 8");
}

TEST_F(ChangeLogTest, KeepsEveryFieldOfAChange) {
  auto batch = std::make_shared<model::ChangeBatch>();
  batch->revision = R(5);
  const auto open = std::make_shared<const model::Acl>(model::OpenAcl());
  const auto strict = std::make_shared<const model::Acl>(
      model::Acl{{model::kRead | model::kAdmin, {"digest", "user:hash"}}});
  model::Change set{.revision = R(5),
                    .kind = model::ChangeKind::kDataChanged,
                    .path = "/a",
                    .stat = {R(1), R(5), R(3), {-7}, {8}, 4, 5, 6, model::SessionId(9), 2, 1},
                    .data = "xy",
                    .acl = strict,
                    .parent_acl = open};
  model::Change deleted = set;
  deleted.kind = model::ChangeKind::kDeleted;
  deleted.data = std::nullopt;
  deleted.acl = open;
  model::Change empty = set;
  empty.data = "";
  batch->changes = {set, deleted, empty};
  std::vector<io::StoreWrite> window;
  window.push_back(WriteOf(5, {}));
  window.back().changes = batch;
  ASSERT_TRUE(log_->Append(window).ok());
  const ChangeLog::Reading reading = log_->Read(R(1), 100);
  ASSERT_EQ(reading.batches.size(), 1u);
  ASSERT_EQ(reading.batches[0]->changes.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const model::Change& got = reading.batches[0]->changes[i];
    const model::Change& want = batch->changes[i];
    EXPECT_EQ(got.revision, want.revision);
    EXPECT_EQ(got.kind, want.kind);
    EXPECT_EQ(got.path, want.path);
    EXPECT_EQ(got.stat, want.stat);
    EXPECT_EQ(got.data, want.data);
    EXPECT_EQ(*got.acl, *want.acl);
    EXPECT_EQ(*got.parent_acl, *want.parent_acl);
  }
}

TEST_F(ChangeLogTest, SaysThatNothingChanged) {
  std::vector<io::StoreWrite> window;
  window.push_back(WriteOf(9, {}));
  window.back().changes = nullptr;
  ASSERT_TRUE(log_->Append(window).ok());
  EXPECT_EQ(Read(1), "1: -> 9");
  Reopen(9);
  EXPECT_EQ(Read(1), "1: -> 9");
}

TEST_F(ChangeLogTest, ReadsWholeBatchesUpToTheLimit) {
  ASSERT_TRUE(Append(1, 4, 1000).ok());
  const size_t one = BatchOf(1, 1000)->bytes();
  EXPECT_EQ(Read(1, 1), "1: 1 -> 1");
  EXPECT_EQ(Read(1, 2 * one - 1), "1: 1 -> 1");
  EXPECT_EQ(Read(1, 2 * one), "1: 1 2 -> 2");
  EXPECT_EQ(Read(3, 3 * one), "1: 3 4 -> 4");
}

TEST_F(ChangeLogTest, AnAppendThatIsRepeatedIsNone) {
  ASSERT_TRUE(Append(1, 3).ok());
  const uint64_t bytes = log_->bytes();
  ASSERT_TRUE(Append(1, 3).ok());
  EXPECT_EQ(log_->bytes(), bytes);
}

TEST_F(ChangeLogTest, DropsWholeSegmentsBeyondItsBytes) {
  options_.bytes_max = 16 * 4096;
  Reopen(0);
  for (uint64_t r = 1; r <= 200; ++r) ASSERT_TRUE(Append(r, r, 1000).ok());
  EXPECT_LE(log_->bytes(), options_.bytes_max);
  EXPECT_GT(log_->bytes(), options_.bytes_max - 2 * 5120);
  const uint64_t oldest = log_->oldest().value();
  ASSERT_GT(oldest, 100u);
  EXPECT_EQ(log_->Read(R(oldest), SIZE_MAX).batches.size(), 200 - oldest + 1);
  // One below is COMPACTED: nothing is given, not a part.
  EXPECT_EQ(Read(oldest - 1), absl::StrCat(oldest, ": -> ", oldest - 2));
  // Over every boundary of segments, one batch at a time.
  for (uint64_t r = oldest; r <= 200; ++r) {
    EXPECT_EQ(Read(r, 1), absl::StrCat(oldest, ": ", r, " -> ", r));
  }
  Reopen(200);
  EXPECT_EQ(log_->oldest(), R(oldest));
  EXPECT_EQ(log_->Read(R(oldest), SIZE_MAX).batches.size(), 200 - oldest + 1);
}

TEST_F(ChangeLogTest, DropsSegmentsBeyondItsAge) {
  options_.age_max = std::chrono::seconds(160);
  Reopen(0);
  for (uint64_t r = 1; r <= 20; ++r) {
    ASSERT_TRUE(Append(r, r).ok());
    now_.ms += 10'000;  // a sixteenth of the age: a segment each
  }
  // Revision 20 came at 190 s. A segment was shut when the next one began: that of revision 3, at
  // 30 s, is 160 s old by then, and that of 4 is younger.
  EXPECT_EQ(log_->oldest(), R(4));
  now_.ms += 10'000'000;
  ASSERT_TRUE(Append(21, 21).ok());
  EXPECT_EQ(Read(20), "20: 20 21 -> 21") << "its segment was shut only now";
}

TEST_F(ChangeLogTest, CutsWhatIsAboveTheStoredRevision) {
  ASSERT_TRUE(Append(1, 3).ok());
  ASSERT_TRUE(Append(4, 6).ok());
  Reopen(3);
  EXPECT_EQ(Read(1), "1: 1 2 3 -> 3");
  ASSERT_TRUE(Append(4, 5).ok());
  Reopen(5);
  EXPECT_EQ(Read(1), "1: 1 2 3 4 5 -> 5");
}

TEST_F(ChangeLogTest, CutsWholeSegmentsAboveTheStoredRevision) {
  options_.bytes_max = 16 * 4096;
  Reopen(0);
  ASSERT_TRUE(Append(1, 3).ok());
  for (uint64_t r = 4; r <= 20; ++r) ASSERT_TRUE(Append(r, r, 3000).ok());
  ASSERT_GT(Files().size(), 5u);
  Reopen(3);
  EXPECT_EQ(Files().size(), 1u);
  EXPECT_EQ(Read(1), "1: 1 2 3 -> 3");
}

TEST_F(ChangeLogTest, StartsAnewWhereItsEndIsMissing) {
  ASSERT_TRUE(Append(1, 3).ok());
  Reopen(7);  // the tree is further: something is lost
  EXPECT_EQ(Read(1), "8: -> 0");
  EXPECT_EQ(Read(8), "8: -> 7");
  ASSERT_TRUE(Append(8, 9).ok());
  Reopen(9);
  EXPECT_EQ(Read(8), "8: 8 9 -> 9");
}

TEST_F(ChangeLogTest, StartsAnewWhereTheStoredRevisionIsInsideABlock) {
  ASSERT_TRUE(Append(1, 6).ok());
  Reopen(3);
  EXPECT_EQ(Read(1), "4: -> 0");
}

TEST_F(ChangeLogTest, AnyFlippedByteIsForgottenAndNeverAWrongChange) {
  options_.bytes_max = 16 * 4096;
  Reopen(0);
  for (uint64_t r = 1; r <= 12; ++r) ASSERT_TRUE(Append(r, r, 1500).ok());
  const std::vector<std::string> files = Files();
  ASSERT_GE(files.size(), 3u);
  for (const std::string& name : files) {
    const std::string path = "changes/" + name;
    const uint64_t size = *(*disk_.Open(path, io::OpenMode::kRead))->Size();
    for (uint64_t offset = 0; offset < size; offset += offset < 100 ? 1 : 97) {
      SCOPED_TRACE(absl::StrCat(path, " at ", offset));
      disk_.Flip(path, offset);
      const absl::Status damage = ChangeLog::Check(&disk_, "changes", R(12));
      EXPECT_TRUE(absl::IsDataLoss(damage)) << damage;
      EXPECT_NE(damage.message().find(path), absl::string_view::npos) << damage;
      // The header of a segment counts at open only; a block counts when it is read.
      for (const bool reopened : {false, true}) {
        if (reopened) Reopen(12);
        const ChangeLog::Reading first = log_->Read(R(1), SIZE_MAX);
        if (reopened || offset >= kSegmentHeaderBytes) {
          EXPECT_TRUE(first.batches.empty()) << "what is before the damage, with a hole after it";
          EXPECT_GT(first.oldest, R(1));
        }
        const ChangeLog::Reading rest = log_->Read(first.oldest, SIZE_MAX);
        Describe(rest);
        EXPECT_EQ(rest.batches.size(), 12 - first.oldest.value() + 1);
      }
      SetUp();
      options_.bytes_max = 16 * 4096;
      Reopen(0);
      for (uint64_t r = 1; r <= 12; ++r) ASSERT_TRUE(Append(r, r, 1500).ok());
      ASSERT_EQ(Files(), files);
    }
  }
}

TEST_F(ChangeLogTest, GoesOnAfterDamageInTheNewestSegment) {
  ASSERT_TRUE(Append(1, 3).ok());
  disk_.Flip("changes/" + Files().at(0), 100);
  EXPECT_EQ(Read(2), "4: -> 1");
  ASSERT_TRUE(Append(4, 5).ok());
  EXPECT_EQ(Read(4), "4: 4 5 -> 5");
  EXPECT_EQ(Files().size(), 1u) << "the damaged segment is gone";
  Reopen(5);
  EXPECT_EQ(Read(4), "4: 4 5 -> 5");
}

TEST_F(ChangeLogTest, AMissingSegmentIsForgottenWithAllThatIsOlder) {
  options_.bytes_max = 16 * 4096;
  Reopen(0);
  for (uint64_t r = 1; r <= 12; ++r) ASSERT_TRUE(Append(r, r, 3000).ok());
  const std::vector<std::string> files = Files();
  ASSERT_GE(files.size(), 5u);
  ASSERT_TRUE(disk_.Delete("changes/" + files[2]).ok());
  Reopen(12);
  const uint64_t oldest = log_->oldest().value();
  EXPECT_GT(oldest, 1u);
  EXPECT_EQ(log_->Read(R(oldest), SIZE_MAX).batches.size(), 12 - oldest + 1);
  EXPECT_EQ(Files().size(), files.size() - 3);
}

TEST_F(ChangeLogTest, AFullDiskLeavesNothingOfTheWindow) {
  options_.bytes_max = 16 * 4096;
  Reopen(0);
  ASSERT_TRUE(Append(1, 3).ok());
  disk_.SetFull(true);
  EXPECT_TRUE(absl::IsResourceExhausted(Append(4, 20, 2000)));
  EXPECT_TRUE(absl::IsResourceExhausted(Append(4, 20, 2000)));
  EXPECT_EQ(Read(1), "1: 1 2 3 -> 3");
  disk_.SetFull(false);
  ASSERT_TRUE(Append(4, 20, 2000).ok());
  EXPECT_EQ(log_->Read(R(1), SIZE_MAX).batches.size(), 20u);
  Reopen(20);
  EXPECT_EQ(log_->Read(R(1), SIZE_MAX).batches.size(), 20u);
}

TEST_F(ChangeLogTest, TheTailHoldsTheNewestBatches) {
  options_.bytes_max = 16 * 4096;
  Reopen(0);
  EXPECT_EQ(Describe(log_->ReadTail(100)), "1: -> 0");
  for (uint64_t r = 1; r <= 20; ++r) ASSERT_TRUE(Append(r, r, 1000).ok());
  const size_t one = BatchOf(20, 1000)->bytes();
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen(20);
    ChangeLog::Reading tail = log_->ReadTail(3 * one);
    EXPECT_EQ(Describe(tail), "1: 18 19 20 -> 20");
    EXPECT_EQ(tail.from, R(18));
    tail = log_->ReadTail(SIZE_MAX);
    EXPECT_EQ(tail.batches.size(), 20u);
    EXPECT_EQ(tail.from, R(1));
  }
}

}  // namespace
}  // namespace pando::store
