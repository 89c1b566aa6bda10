#include "wal/wal.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "wal/testing/entries.h"

namespace pando::wal {
namespace {

using Payloads = std::vector<std::string>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kBlock = model::kWalBlockBytes;

class WalTest : public testing::Test {
 protected:
  WalTest() { options_.segment_bytes = 4 * kBlock; }

  void Open() { ASSERT_EQ(TryOpen(), absl::OkStatus()); }
  absl::Status TryOpen() {
    wal_.reset();
    absl::StatusOr<std::unique_ptr<Wal>> wal =
        Wal::Open(disk_.get(), "wal", options_, base::Rng(++seed_), &recovered_);
    if (!wal.ok()) return wal.status();
    wal_ = *std::move(wal);
    return absl::OkStatus();
  }
  void KillAndOpen() {
    disk_ = disk_->Kill();
    Open();
  }

  absl::Status Write(const std::vector<io::Append>& appends) { return wal_->Write(appends); }
  void Append(uint64_t first, uint64_t term, Payloads payloads) {
    ASSERT_EQ(Write({MakeAppend(first, term, std::move(payloads))}), absl::OkStatus());
  }
  // A batch that takes `blocks` of its segment, of one entry.
  void AppendBlocks(uint64_t index, uint64_t blocks) {
    Append(index, 1, {std::string(blocks * kBlock - 200, 'x')});
  }
  void Tend() { ASSERT_EQ(wal_->spares()->Tend(), absl::OkStatus()); }

  Payloads Read(uint64_t first, size_t bytes_max = 1 << 20) {
    const auto entries = wal_->Read(model::Revision(first), bytes_max);
    EXPECT_EQ(entries.status(), absl::OkStatus());
    Payloads payloads;
    if (!entries.ok()) return payloads;
    for (const model::Entry& entry : *entries) {
      EXPECT_EQ(entry.index.value(), first++);
      payloads.push_back(entry.payload);
    }
    return payloads;
  }
  Payloads RecoveredPayloads() const {
    Payloads payloads;
    for (const model::Entry& entry : recovered_.entries) payloads.push_back(entry.payload);
    return payloads;
  }
  std::vector<std::string> Segments() {
    const std::vector<std::string> files = disk_->List("wal").value();
    std::vector<std::string> segments;
    std::copy_if(files.begin(), files.end(), std::back_inserter(segments),
                 [](const std::string& file) { return SegmentName::Parse(file).has_value(); });
    return segments;
  }

  static Position At(uint64_t index, uint64_t term) {
    return {model::Revision(index), model::Term(term)};
  }

  std::unique_ptr<sim::SimDisk> disk_ = std::make_unique<sim::SimDisk>();
  Options options_;
  uint64_t seed_ = 0;
  std::unique_ptr<Wal> wal_;
  Recovered recovered_;
};

TEST_F(WalTest, ANewDirIsAnEmptyLog) {
  Open();
  EXPECT_EQ(wal_->previous(), Position());
  EXPECT_EQ(wal_->last(), Position());
  EXPECT_EQ(recovered_.start_count, model::StartCount(1));
  EXPECT_EQ(recovered_.first_on_disk, model::Revision(1));
  EXPECT_THAT(recovered_.entries, IsEmpty());
}

TEST_F(WalTest, EntriesComeBackAsTheyWereWritten) {
  Open();
  std::vector<model::Entry> entries = {MakeEntry(1, 1, "a"), MakeEntry(2, 1, ""),
                                       MakeEntry(3, 4, std::string(10'000, 'c'))};
  entries[1].kind = model::EntryKind::kNoop;
  entries[2].kind = model::EntryKind::kMembership;
  io::Append append;
  for (const model::Entry& entry : entries) {
    append.entries.push_back(std::make_shared<const model::Entry>(entry));
  }
  ASSERT_EQ(Write({append}), absl::OkStatus());
  EXPECT_EQ(wal_->last(), At(3, 4));
  KillAndOpen();
  EXPECT_EQ(recovered_.entries, entries);
  EXPECT_EQ(recovered_.previous, Position());
  EXPECT_EQ(wal_->last(), At(3, 4));
}

TEST_F(WalTest, SeveralAppendsAreOneBatchAndOneSync) {
  Open();
  int syncs = 0;
  disk_->SetProbe([&](const std::string&) { ++syncs; });
  const uint64_t batches = wal_->stats().batches;
  ASSERT_EQ(Write({MakeVote(2, 1), MakeAppend(1, 2, {"a"}), MakeAppend(2, 2, {"b", "c"})}),
            absl::OkStatus());
  EXPECT_EQ(wal_->stats().batches, batches + 1);
  EXPECT_EQ(syncs, 2);  // and one write
  EXPECT_THAT(Read(1), ElementsAre("a", "b", "c"));
}

TEST_F(WalTest, OverlappingEntriesCutWhatWasThere) {
  Open();
  Append(1, 1, {"a", "b", "c", "d"});
  Append(3, 2, {"C"});
  EXPECT_EQ(wal_->last(), At(3, 2));
  EXPECT_THAT(Read(1), ElementsAre("a", "b", "C"));
  Append(4, 2, {"D"});
  KillAndOpen();
  EXPECT_THAT(RecoveredPayloads(), ElementsAre("a", "b", "C", "D"));
}

TEST_F(WalTest, OverlappingEntriesCutAlsoWithinOneBatch) {
  Open();
  ASSERT_EQ(Write({MakeAppend(1, 1, {"a", "b", "c", "d"}), MakeAppend(2, 2, {"B", "C"}),
                   MakeAppend(3, 3, {"CC"})}),
            absl::OkStatus());
  EXPECT_EQ(wal_->last(), At(3, 3));
  EXPECT_THAT(Read(2), ElementsAre("B", "CC"));
  KillAndOpen();
  EXPECT_THAT(RecoveredPayloads(), ElementsAre("a", "B", "CC"));
}

TEST_F(WalTest, AllEntriesMayBeCut) {
  Open();
  Append(1, 1, {"a", "b"});
  Append(1, 2, {"A"});
  KillAndOpen();
  EXPECT_THAT(RecoveredPayloads(), ElementsAre("A"));
  EXPECT_EQ(recovered_.previous, Position());
}

TEST_F(WalTest, TermAndVoteAreKept) {
  Open();
  ASSERT_EQ(Write({MakeVote(7, 3)}), absl::OkStatus());
  KillAndOpen();
  EXPECT_EQ(recovered_.term, model::Term(7));
  EXPECT_EQ(recovered_.vote, model::ServerId(3));
  ASSERT_EQ(Write({MakeVote(8, 0)}), absl::OkStatus());
  KillAndOpen();
  EXPECT_EQ(recovered_.term, model::Term(8));
  EXPECT_EQ(recovered_.vote, model::ServerId());
}

TEST_F(WalTest, TermAndVoteOutliveTheSegmentTheyWereWrittenIn) {
  Open();
  ASSERT_EQ(Write({MakeVote(7, 3)}), absl::OkStatus());
  for (uint64_t i = 1; i <= 6; ++i) AppendBlocks(i, 2);
  ASSERT_EQ(wal_->DropPrefix(model::Revision(6)), absl::OkStatus());
  Tend();
  KillAndOpen();
  EXPECT_GT(recovered_.first_on_disk, model::Revision(1));
  EXPECT_EQ(recovered_.term, model::Term(7));
  EXPECT_EQ(recovered_.vote, model::ServerId(3));
  EXPECT_EQ(recovered_.start_count, model::StartCount(2));
}

TEST_F(WalTest, TheNewestFormationIsKept) {
  Open();
  EXPECT_EQ(recovered_.formation, std::nullopt);
  const uint64_t batches = wal_->stats().batches;
  ASSERT_EQ(Write({MakeFormation(0, false), MakeVote(3, 1), MakeFormation(7, false)}),
            absl::OkStatus());
  EXPECT_EQ(wal_->stats().batches, batches + 1);
  KillAndOpen();
  EXPECT_EQ(recovered_.formation, MakeFormation(7, false).formation);
  EXPECT_EQ(recovered_.term, model::Term(3));
  ASSERT_EQ(Write({MakeFormation(7, true)}), absl::OkStatus());
  KillAndOpen();
  EXPECT_EQ(recovered_.formation, MakeFormation(7, true).formation);
}

TEST_F(WalTest, TheFormationOutlivesItsSegmentAndAReset) {
  Open();
  ASSERT_EQ(Write({MakeFormation(7, true)}), absl::OkStatus());
  for (uint64_t i = 1; i <= 6; ++i) AppendBlocks(i, 2);
  ASSERT_EQ(wal_->Reset(model::Revision(50), model::Term(1)), absl::OkStatus());
  for (uint64_t i = 51; i <= 56; ++i) AppendBlocks(i, 2);
  ASSERT_EQ(wal_->DropPrefix(model::Revision(56)), absl::OkStatus());
  Tend();
  for (int start = 0; start < 3; ++start) {
    KillAndOpen();
    EXPECT_GT(recovered_.first_on_disk, model::Revision(51));
    EXPECT_EQ(recovered_.formation, MakeFormation(7, true).formation);
  }
}

TEST_F(WalTest, EveryStartRaisesTheStartCount) {
  for (uint64_t start = 1; start <= 20; ++start) {
    KillAndOpen();
    EXPECT_EQ(recovered_.start_count, model::StartCount(start));
  }
}

TEST_F(WalTest, ASegmentEndsWithTheBatchThatWouldNotFit) {
  Open();
  AppendBlocks(1, 3);
  EXPECT_EQ(Segments().size(), 1u);  // 4 blocks, with the start count's
  AppendBlocks(2, 1);
  EXPECT_EQ(Segments().size(), 2u);
  AppendBlocks(3, 9);  // has one of its own
  EXPECT_EQ(Segments().size(), 3u);
  AppendBlocks(4, 1);
  EXPECT_EQ(Segments().size(), 4u);
  EXPECT_EQ(wal_->bytes(), (4 + 1 + 9 + 1) * kBlock);
  KillAndOpen();
  EXPECT_EQ(recovered_.entries.size(), 4u);
  EXPECT_EQ(wal_->bytes(), (4 + 1 + 9 + 1 + 1) * kBlock);
}

TEST_F(WalTest, DropPrefixDeletesWholeSegments) {
  Open();
  for (uint64_t i = 1; i <= 8; ++i) AppendBlocks(i, 2);
  // 1 | 2 3 | 4 5 | 6 7 | 8: the first segment begins with the start count.
  ASSERT_EQ(Segments().size(), 5u);
  ASSERT_EQ(wal_->DropPrefix(model::Revision(5)), absl::OkStatus());
  EXPECT_EQ(wal_->previous(), At(3, 1));
  EXPECT_EQ(wal_->stats().retired_segments, 2u);
  Tend();
  EXPECT_EQ(Segments().size(), 3u);
  EXPECT_EQ(Read(4).size(), 5u);
  EXPECT_EQ(wal_->Read(model::Revision(3), 1).status().code(), absl::StatusCode::kOutOfRange);
  KillAndOpen();
  EXPECT_EQ(recovered_.first_on_disk, model::Revision(4));
  EXPECT_EQ(recovered_.previous, At(3, 1));
  EXPECT_EQ(recovered_.entries.size(), 5u);
}

TEST_F(WalTest, DropPrefixKeepsTheSegmentThatIsWritten) {
  Open();
  Append(1, 1, {"a"});
  ASSERT_EQ(wal_->DropPrefix(model::Revision(100)), absl::OkStatus());
  Tend();
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_THAT(Read(1), ElementsAre("a"));
}

TEST_F(WalTest, ACutBelowTheOldestSegmentsHeadIsReplayed) {
  Open();
  AppendBlocks(1, 1);
  Append(2, 1, {std::string(2 * kBlock - 200, 'x'), "c", "d"});
  // In the second segment, whose head knows of entry 4.
  Append(2, 2, {std::string(2 * kBlock - 200, 'B')});
  AppendBlocks(3, 1);
  ASSERT_EQ(Segments().size(), 2u);
  ASSERT_EQ(wal_->DropPrefix(model::Revision(2)), absl::OkStatus());
  Tend();
  ASSERT_EQ(Segments().size(), 1u);
  KillAndOpen();
  EXPECT_EQ(recovered_.previous, At(1, 1));
  EXPECT_EQ(recovered_.entries.size(), 2u);
  EXPECT_EQ(recovered_.entries[0].payload[0], 'B');
}

TEST_F(WalTest, ResetBeginsAnew) {
  Open();
  ASSERT_EQ(Write({MakeVote(5, 2)}), absl::OkStatus());
  for (uint64_t i = 1; i <= 5; ++i) AppendBlocks(i, 2);
  ASSERT_EQ(wal_->Reset(model::Revision(100), model::Term(4)), absl::OkStatus());
  EXPECT_EQ(wal_->previous(), At(100, 4));
  EXPECT_EQ(wal_->last(), At(100, 4));
  Tend();
  EXPECT_EQ(Segments().size(), 1u);
  Append(101, 5, {"a"});
  KillAndOpen();
  EXPECT_EQ(recovered_.previous, At(100, 4));
  EXPECT_EQ(recovered_.first_on_disk, model::Revision(101));
  EXPECT_THAT(RecoveredPayloads(), ElementsAre("a"));
  EXPECT_EQ(recovered_.term, model::Term(5));
  EXPECT_EQ(recovered_.vote, model::ServerId(2));
}

TEST_F(WalTest, ResetWithinTheLogButOfAnotherTermBeginsAnew) {
  Open();
  Append(1, 1, {"a", "b", "c"});
  ASSERT_EQ(wal_->Reset(model::Revision(2), model::Term(9)), absl::OkStatus());
  EXPECT_EQ(wal_->last(), At(2, 9));
  KillAndOpen();
  EXPECT_EQ(recovered_.previous, At(2, 9));
  EXPECT_THAT(recovered_.entries, IsEmpty());
}

TEST_F(WalTest, ResetToAnEntryOfTheLogKeepsTheSuffix) {
  Open();
  Append(1, 1, {"a", "b", "c", "d"});
  ASSERT_EQ(wal_->Reset(model::Revision(2), model::Term(1)), absl::OkStatus());
  EXPECT_EQ(wal_->previous(), At(2, 1));
  EXPECT_THAT(Read(3), ElementsAre("c", "d"));
  KillAndOpen();
  EXPECT_EQ(recovered_.previous, At(2, 1));
  EXPECT_THAT(RecoveredPayloads(), ElementsAre("c", "d"));
}

TEST_F(WalTest, AKeptSuffixOutlivesTheSegmentsBeforeTheReset) {
  Open();
  for (uint64_t i = 1; i <= 4; ++i) AppendBlocks(i, 2);
  ASSERT_EQ(wal_->Reset(model::Revision(1), model::Term(1)), absl::OkStatus());
  for (uint64_t i = 5; i <= 6; ++i) AppendBlocks(i, 2);
  ASSERT_EQ(wal_->DropPrefix(model::Revision(4)), absl::OkStatus());
  Tend();
  KillAndOpen();
  EXPECT_EQ(recovered_.previous, At(3, 1));
  EXPECT_EQ(recovered_.entries.size(), 3u);
}

TEST_F(WalTest, OpenDoesNotRepeatAReset) {
  Open();
  Append(1, 1, {"a", "b"});
  options_.reset = At(50, 3);
  KillAndOpen();
  for (uint64_t i = 51; i <= 56; ++i) AppendBlocks(i, 2);
  KillAndOpen();
  EXPECT_EQ(recovered_.previous, At(50, 3));
  EXPECT_EQ(recovered_.entries.size(), 6u);
  // The entry that it was reset to is not known any more.
  ASSERT_EQ(wal_->DropPrefix(model::Revision(55)), absl::OkStatus());
  Tend();
  KillAndOpen();
  EXPECT_GT(recovered_.first_on_disk, model::Revision(51));
  EXPECT_EQ(wal_->last(), At(56, 1));
}

TEST_F(WalTest, OpenFinishesAResetBeforeItHandsOver) {
  Open();
  Append(1, 1, {"a", "b", "c"});
  options_.reset = At(2, 1);
  for (int i = 0; i < 2; ++i) {  // the second time it is done already
    KillAndOpen();
    EXPECT_EQ(recovered_.previous, At(2, 1));
    EXPECT_THAT(RecoveredPayloads(), ElementsAre("c"));
  }
  options_.reset = At(50, 3);
  KillAndOpen();
  EXPECT_EQ(recovered_.previous, At(50, 3));
  EXPECT_EQ(recovered_.first_on_disk, model::Revision(51));
  EXPECT_THAT(recovered_.entries, IsEmpty());
}

TEST_F(WalTest, ReadGivesAtLeastOneEntryAndKeepsToItsBound) {
  Open();
  Append(1, 1, {"a", "b"});
  Append(3, 1, {std::string(3 * kBlock, 'c'), "d"});
  AppendBlocks(5, 3);
  ASSERT_GT(Segments().size(), 1u);
  const size_t one = MakeEntry(1, 1, "a").bytes();
  EXPECT_EQ(Read(1).size(), 5u);
  EXPECT_EQ(Read(4).size(), 2u);
  EXPECT_THAT(Read(1, 0), ElementsAre("a"));
  EXPECT_THAT(Read(1, one), ElementsAre("a"));
  EXPECT_THAT(Read(1, 2 * one - 1), ElementsAre("a"));
  EXPECT_THAT(Read(1, 2 * one), ElementsAre("a", "b"));
  EXPECT_THAT(Read(1, 3 * one), ElementsAre("a", "b"));
  EXPECT_EQ(Read(3, one).size(), 1u);
  for (const uint64_t index : {uint64_t{0}, uint64_t{6}, uint64_t{100}}) {
    EXPECT_EQ(wal_->Read(model::Revision(index), 1).status().code(), absl::StatusCode::kOutOfRange);
  }
}

TEST_F(WalTest, ReadNamesFileAndOffsetOfARottenBatch) {
  Open();
  Append(1, 1, {"a"});
  Append(2, 1, {"b"});
  disk_->FlipBit("wal/" + Segments()[0], kBlock + kHeaderBytes + 3, 0);
  const absl::Status status = wal_->Read(model::Revision(1), 1 << 20).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("wal/" + Segments()[0]));
  EXPECT_THAT(std::string(status.message()), HasSubstr("offset 4096"));
}

TEST_F(WalTest, OnlyTheTailWithinTheBudgetIsHandedOver) {
  Open();
  for (uint64_t i = 1; i <= 10; ++i) Append(i, i, {std::string(100, 'x')});
  const size_t one = MakeEntry(1, 1, std::string(100, 'x')).bytes();
  options_.keep_from = model::Revision(8);
  options_.tail_bytes_max = 3 * one - 1;
  KillAndOpen();
  EXPECT_EQ(recovered_.entries.size(), 5u);  // 8 to 10, and two below
  EXPECT_EQ(recovered_.previous, At(5, 5));
  EXPECT_EQ(recovered_.first_on_disk, model::Revision(1));
  EXPECT_EQ(Read(1).size(), 10u);

  options_.keep_from = model::Revision(11);
  options_.tail_bytes_max = 0;
  KillAndOpen();
  EXPECT_THAT(recovered_.entries, IsEmpty());
  EXPECT_EQ(recovered_.previous, At(10, 10));
}

TEST_F(WalTest, AWriteLargerThanABatchBecomesSeveral) {
  options_.segment_bytes = uint64_t{64} << 20;
  Open();
  const std::string largest(model::kCommandBytesMax, 'x');
  const uint64_t batches = wal_->stats().batches;
  Append(1, 1, {largest, largest, largest, largest, "e"});
  EXPECT_EQ(wal_->stats().batches, batches + 2);
  EXPECT_EQ(Read(4, 1 << 30).size(), 2u);
  KillAndOpen();
  EXPECT_EQ(recovered_.entries.size(), 5u);
}

TEST_F(WalTest, AnEntryBeyondABatchHasABatchOfItsOwn) {
  Open();
  Append(1, 1, {"a", std::string(model::kWalBatchBytesMax + 1, 'x'), "c"});
  EXPECT_EQ(Read(1, 1 << 30).size(), 3u);
  KillAndOpen();
  EXPECT_EQ(recovered_.entries.size(), 3u);
}

TEST_F(WalTest, AFullDiskIsTriedAgain) {
  Open();
  Append(1, 1, {"a"});
  disk_->SetCapacity(disk_->used_bytes() + kBlock);
  const io::Append large = MakeAppend(2, 1, {std::string(2 * kBlock, 'b')});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Write({large}).code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(wal_->last(), At(1, 1));
  }
  disk_->SetCapacity(1 << 20);
  EXPECT_EQ(Write({large, MakeVote(2, 1), MakeAppend(3, 2, {"c"})}), absl::OkStatus());
  KillAndOpen();
  EXPECT_EQ(recovered_.entries.size(), 3u);
  EXPECT_EQ(recovered_.term, model::Term(2));
}

TEST_F(WalTest, WhatAFullDiskTookInPartIsNotReadWhenTheNextSegmentHasItWhole) {
  Open();
  AppendBlocks(1, 2);
  // The batch fits the segment's last block, but for its padding: it is whole and fails.
  disk_->SetCapacity(disk_->used_bytes() + kBlock / 2);
  ASSERT_EQ(Write({MakeAppend(2, 1, {"b"})}).code(), absl::StatusCode::kResourceExhausted);
  disk_->SetCapacity(1 << 20);
  ASSERT_EQ(Write({MakeAppend(2, 1, {"b"}), MakeAppend(3, 1, {std::string(kBlock, 'c')})}),
            absl::OkStatus());
  ASSERT_EQ(Segments().size(), 2u);
  KillAndOpen();
  EXPECT_EQ(recovered_.entries.size(), 3u);
}

TEST_F(WalTest, ASegmentIsKeptUntilTheNextOneHasItsHead) {
  Open();
  ASSERT_EQ(Write({MakeVote(3, 1)}), absl::OkStatus());
  Append(1, 3, {"a"});
  // The next segment is begun, but there is no room for its first batch.
  disk_->SetCapacity(disk_->used_bytes());
  ASSERT_EQ(Write({MakeAppend(2, 3, {std::string(4 * kBlock, 'b')})}).code(),
            absl::StatusCode::kResourceExhausted);
  ASSERT_EQ(Segments().size(), 2u);
  ASSERT_EQ(wal_->DropPrefix(model::Revision(2)), absl::OkStatus());
  disk_->SetCapacity(1 << 20);
  Tend();
  KillAndOpen();
  EXPECT_EQ(recovered_.term, model::Term(3));
  EXPECT_EQ(wal_->last(), At(1, 3));
}

TEST_F(WalTest, AfterAFailedSyncEveryCallFails) {
  Open();
  disk_->FailSyncs(1);
  EXPECT_EQ(Write({MakeAppend(1, 1, {"a"})}).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Write({MakeAppend(1, 1, {"a"})}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(wal_->Reset(model::Revision(1), model::Term(1)).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(wal_->DropPrefix(model::Revision(1)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(wal_->Read(model::Revision(1), 1).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(WalTest, SyncsAreTimed) {
  base::Instant now;
  std::vector<base::Duration> took;
  options_.clock = [&] { return now = now + base::Duration(5); };
  options_.on_sync = [&](base::Duration duration) { took.push_back(duration); };
  Open();
  Append(1, 1, {"a"});
  EXPECT_THAT(took, ElementsAre(base::Duration(5), base::Duration(5)));
}

TEST_F(WalTest, TheNextSegmentIsTheSpare) {
  Open();
  AppendBlocks(1, 3);
  EXPECT_TRUE(wal_->spares()->wants_tending());
  Tend();
  EXPECT_FALSE(wal_->spares()->wants_tending());
  const uint64_t used = disk_->used_bytes();
  AppendBlocks(2, 4);
  ASSERT_EQ(Segments().size(), 2u);
  EXPECT_EQ(disk_->used_bytes(), used);  // overwritten, not grown
  EXPECT_TRUE(wal_->spares()->wants_tending());
}

TEST_F(WalTest, ASegmentThatGrowsEndsWhenThereIsASpare) {
  Open();
  AppendBlocks(1, 1);
  ASSERT_EQ(Segments().size(), 1u);
  Tend();
  const uint64_t used = disk_->used_bytes();
  AppendBlocks(2, 1);
  EXPECT_EQ(Segments().size(), 2u);
  Tend();  // the next one: this segment does not grow, and goes on
  AppendBlocks(3, 1);
  EXPECT_EQ(Segments().size(), 2u);
  EXPECT_EQ(disk_->used_bytes(), used + options_.segment_bytes);
  KillAndOpen();
  Tend();
  AppendBlocks(4, 1);
  EXPECT_EQ(Segments().size(), 2u);
  EXPECT_EQ(recovered_.entries.size(), 3u);
}

TEST_F(WalTest, ADroppedSegmentIsUsedAgain) {
  Open();
  uint64_t index = 0;
  std::vector<uint64_t> used;
  for (int round = 0; round < 10; ++round) {
    Tend();
    for (int i = 0; i < 4; ++i) AppendBlocks(++index, 1);
    ASSERT_EQ(wal_->DropPrefix(model::Revision(index)), absl::OkStatus());
    used.push_back(disk_->used_bytes());
  }
  EXPECT_EQ(used.back(), used[2]);
  KillAndOpen();
  EXPECT_EQ(wal_->last(), At(index, 1));
  EXPECT_EQ(Read(wal_->previous().index.value() + 1).size(),
            index - wal_->previous().index.value());
}

TEST_F(WalTest, ADroppedSegmentOfAnotherSizeIsNotUsedAgain) {
  Open();
  AppendBlocks(1, 9);
  AppendBlocks(2, 2);
  ASSERT_EQ(wal_->DropPrefix(model::Revision(2)), absl::OkStatus());
  Tend();
  EXPECT_EQ(disk_->Open("wal/spare", io::OpenMode::kRead).value()->Size().value(),
            options_.segment_bytes);
}

TEST_F(WalTest, ASpareIsOnDiskBeforeItIsUsed) {
  Open();
  disk_->FailSyncs(1);
  EXPECT_EQ(wal_->spares()->Tend().code(), absl::StatusCode::kDataLoss);
  AppendBlocks(1, 4);
  EXPECT_EQ(disk_->Open("wal/spare", io::OpenMode::kRead).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(WalTest, SparesAreTendedByAnotherThreadMeanwhile) {
  Open();
  std::atomic<bool> done{false};
  std::atomic<int> failures{0};
  std::thread tender([&] {
    while (!done) {
      if (!wal_->spares()->Tend().ok()) ++failures;
    }
  });
  for (uint64_t index = 1; index <= 300; ++index) {
    AppendBlocks(index, 1 + index % 3);
    EXPECT_EQ(wal_->DropPrefix(model::Revision(std::max<uint64_t>(index, 10) - 9)),
              absl::OkStatus());
  }
  done = true;
  tender.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Read(291).size(), 10u);
  Tend();
  KillAndOpen();
  EXPECT_EQ(wal_->last(), At(300, 1));
  EXPECT_GT(recovered_.first_on_disk, model::Revision(280));
}

TEST_F(WalTest, WithoutRoomThereIsNoSpareAndTheLogGoesOn) {
  Open();
  disk_->SetCapacity(disk_->used_bytes() + options_.segment_bytes - 1);
  EXPECT_EQ(wal_->spares()->Tend().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(wal_->spares()->wants_tending());
  AppendBlocks(1, 3);
  disk_->SetCapacity(1 << 20);
  Tend();
  AppendBlocks(2, 3);
  KillAndOpen();
  EXPECT_EQ(recovered_.entries.size(), 2u);
}

TEST_F(WalTest, CheckReportsAndChangesNothing) {
  CheckReport report;
  EXPECT_EQ(Wal::Check(disk_.get(), "wal", &report), absl::OkStatus());
  EXPECT_EQ(report.segments, 0u);
  Open();
  ASSERT_EQ(Write({MakeVote(2, 1), MakeAppend(1, 2, {"a", "b", "c"})}), absl::OkStatus());
  Append(3, 2, {"C"});
  AppendBlocks(4, 3);
  disk_->StopAfter(0);
  (void)Write({MakeAppend(5, 2, {std::string(kBlock, 'x')})});
  disk_ = disk_->Kill();
  const uint64_t operations = disk_->operations();
  ASSERT_EQ(Wal::Check(disk_.get(), "wal", &report), absl::OkStatus());
  EXPECT_EQ(disk_->operations(), operations);
  EXPECT_EQ(report.segments, 2u);
  EXPECT_EQ(report.batches, 4u);
  EXPECT_EQ(report.entries, 4u);
  EXPECT_EQ(report.state.term, model::Term(2));
  EXPECT_EQ(report.last, At(4, 1));
}

TEST_F(WalTest, CheckTellsATornTail) {
  Open();
  Append(1, 1, {"a"});
  Append(2, 1, {std::string(kBlock, 'b')});
  const std::string path = "wal/" + Segments()[0];
  auto file = disk_->Open(path, io::OpenMode::kReadWrite).value();
  ASSERT_EQ(file->Truncate(3 * kBlock), absl::OkStatus());
  CheckReport report;
  ASSERT_EQ(Wal::Check(disk_.get(), "wal", &report), absl::OkStatus());
  EXPECT_EQ(report.torn_file, path);
  EXPECT_EQ(report.torn_offset, 2 * kBlock);
  EXPECT_EQ(report.last, At(1, 1));
}

}  // namespace
}  // namespace pando::wal
