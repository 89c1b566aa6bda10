#include "posix/disk_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "io/event.h"
#include "io/testing/drain.h"
#include "model/limits.h"
#include "posix/posix_disk.h"
#include "posix/testing/faulty_disk.h"
#include "posix/testing/temp_dir.h"
#include "wal/wal.h"

namespace pando::posix {
namespace {

using ::testing::ElementsAre;
using ::testing::ExitedWithCode;

constexpr char kDir[] = "wal";
constexpr base::Duration kLong = std::chrono::hours(1);
constexpr uint64_t kSegmentBytes = 64 * model::kKiB;

model::Revision R(uint64_t index) { return model::Revision(index); }
model::Term T(uint64_t term) { return model::Term(term); }

raft::EntryRef MakeRef(uint64_t index, uint64_t term, std::string payload) {
  return std::make_shared<const model::Entry>(
      model::Entry{.index = R(index), .term = T(term), .payload = std::move(payload)});
}

// Entries [first, last] of term 1 in one append.
io::Append Entries(uint64_t id, uint64_t first, uint64_t last, size_t payload_bytes = 8) {
  io::Append append{.id = io::AppendId(id)};
  for (uint64_t i = first; i <= last; ++i) {
    append.entries.push_back(MakeRef(i, 1, std::string(payload_bytes, 'x')));
  }
  return append;
}

std::vector<uint64_t> IndicesOf(const std::vector<model::Entry>& entries) {
  std::vector<uint64_t> indices;
  for (const model::Entry& entry : entries) indices.push_back(entry.index.value());
  return indices;
}

class DiskThreadTest : public ::testing::Test {
 protected:
  DiskThreadTest() {
    auto disk = PosixDisk::Open(temp_.path(), PosixDisk::IfMissing::kFail, 0);
    CHECK(disk.ok());
    posix_disk_ = *std::move(disk);
    disk_ = std::make_unique<FaultyDisk>(posix_disk_.get());
    disk_->SetFreeBytes(1'000'000);
    options_.full_retry = std::chrono::milliseconds(1);
    options_.space_interval = kLong;
  }
  ~DiskThreadTest() override { disk_->LetSyncsGo(); }

  std::unique_ptr<wal::Wal> OpenWal(io::Disk* disk, wal::Recovered* recovered) {
    auto wal =
        wal::Wal::Open(disk, kDir, {.segment_bytes = kSegmentBytes}, base::Rng(1), recovered);
    CHECK(wal.ok());
    return *std::move(wal);
  }
  void Start() {
    wal::Recovered recovered;
    log_ = std::make_unique<DiskThread>(OpenWal(disk_.get(), &recovered), disk_.get(), &inbox_,
                                        options_);
  }
  // What a start after this one finds.
  wal::Recovered StopAndRecover() {
    log_.reset();
    wal::Recovered recovered;
    OpenWal(posix_disk_.get(), &recovered);
    return recovered;
  }

  // Entries 1 to `count`, each in a segment of its own.
  void WriteSegments(uint64_t count) {
    for (uint64_t i = 1; i <= count; ++i) {
      log_->Append(Entries(i, i, i, kSegmentBytes));
      ASSERT_EQ(NextPersisted(), i);
    }
  }

  // The next event, DiskSpace left out.
  io::Event Next() {
    while (true) {
      while (next_ == events_.size()) io::Drain(&inbox_, kLong, &events_);
      io::Event event = std::move(events_[next_++]);
      if (!std::holds_alternative<io::DiskSpace>(event)) return event;
    }
  }
  uint64_t NextPersisted() {
    const io::Event event = Next();
    const auto* persisted = std::get_if<io::Persisted>(&event);
    return persisted == nullptr ? 0 : persisted->id.value();
  }
  io::EntriesRead NextRead() {
    io::Event event = Next();
    auto* read = std::get_if<io::EntriesRead>(&event);
    return read == nullptr ? io::EntriesRead{} : std::move(*read);
  }
  uint64_t NextSpace() {
    while (true) {
      while (next_ == events_.size()) io::Drain(&inbox_, kLong, &events_);
      const io::Event event = std::move(events_[next_++]);
      if (const auto* space = std::get_if<io::DiskSpace>(&event)) return space->free_bytes;
    }
  }
  // In all that was posted so far.
  std::vector<uint64_t> SpacesTold() {
    io::Drain(&inbox_, base::Duration::zero(), &events_);
    std::vector<uint64_t> told;
    for (const io::Event& event : events_) {
      if (const auto* space = std::get_if<io::DiskSpace>(&event)) told.push_back(space->free_bytes);
    }
    return told;
  }
  // Of what was posted so far and not looked at.
  size_t CountPersisted() {
    io::Drain(&inbox_, base::Duration::zero(), &events_);
    size_t count = 0;
    for (size_t i = next_; i < events_.size(); ++i) {
      count += std::holds_alternative<io::Persisted>(events_[i]) ? 1u : 0u;
    }
    return count;
  }

  TempDir temp_;
  std::unique_ptr<PosixDisk> posix_disk_;
  std::unique_ptr<FaultyDisk> disk_;
  io::Inbox inbox_;
  std::vector<io::Event> events_;
  size_t next_ = 0;
  DiskThreadOptions options_;
  std::unique_ptr<DiskThread> log_;
};

TEST_F(DiskThreadTest, WhatIsPersistedIsThereAtTheNextStart) {
  Start();
  io::Append append = Entries(1, 1, 3);
  append.vote = {T(1), model::ServerId(2)};
  std::vector<model::Entry> entries;
  for (const raft::EntryRef& entry : append.entries) entries.push_back(*entry);
  log_->Append(std::move(append));
  ASSERT_EQ(NextPersisted(), 1u);
  const wal::Recovered found = StopAndRecover();
  EXPECT_EQ(found.term, T(1));
  EXPECT_EQ(found.vote, model::ServerId(2));
  EXPECT_EQ(found.entries, entries);
}

TEST_F(DiskThreadTest, NothingIsPersistedBeforeItsSync) {
  Start();
  disk_->HoldSyncs();
  log_->Append(Entries(1, 1, 1));
  disk_->AwaitHeldSync();
  EXPECT_EQ(CountPersisted(), 0u);
  disk_->LetSyncsGo();
  ASSERT_EQ(NextPersisted(), 1u);
}

TEST_F(DiskThreadTest, AppendsGatherWhileASyncRunsAndAreOneBatchAndOneEvent) {
  Start();
  disk_->HoldSyncs();
  log_->Append(Entries(1, 1, 1));
  disk_->AwaitHeldSync();
  const uint64_t batches = log_->gauges().batches;
  for (uint64_t i = 2; i <= 50; ++i) log_->Append(Entries(i, i, i));
  disk_->LetSyncsGo();
  ASSERT_EQ(NextPersisted(), 1u);
  ASSERT_EQ(NextPersisted(), 50u);
  log_->Read(R(1), 1);  // after it the gauges are of all that was before
  NextRead();
  EXPECT_EQ(log_->gauges().batches, batches + 2);
  EXPECT_EQ(StopAndRecover().entries.size(), 50u);
}

TEST_F(DiskThreadTest, ABatchIsBounded) {
  constexpr size_t kThird = model::kWalBatchBytesMax / 3 - model::kKiB;
  Start();
  disk_->HoldSyncs();
  log_->Append(Entries(1, 1, 1));
  disk_->AwaitHeldSync();
  for (uint64_t i = 2; i <= 6; ++i) log_->Append(Entries(i, i, i, kThird));
  disk_->LetSyncsGo();
  ASSERT_EQ(NextPersisted(), 1u);
  ASSERT_EQ(NextPersisted(), 4u);
  ASSERT_EQ(NextPersisted(), 6u);
}

TEST_F(DiskThreadTest, AnAppendLargerThanABatchIsWritten) {
  Start();
  log_->Append(Entries(1, 1, 5, model::kWalBatchBytesMax / 4));
  ASSERT_EQ(NextPersisted(), 1u);
  EXPECT_THAT(IndicesOf(StopAndRecover().entries), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(DiskThreadTest, ReadsWhatWasAppendedBefore) {
  Start();
  log_->Append(Entries(1, 1, 9));
  log_->Read(R(4), SIZE_MAX);
  log_->Append(Entries(2, 10, 10));
  ASSERT_EQ(NextPersisted(), 1u);
  const io::EntriesRead read = NextRead();
  EXPECT_EQ(read.first, R(4));
  EXPECT_THAT(IndicesOf(read.entries), ElementsAre(4, 5, 6, 7, 8, 9));
  ASSERT_EQ(NextPersisted(), 2u);
}

TEST_F(DiskThreadTest, ResetBeginsTheLogAnew) {
  Start();
  log_->Append(Entries(1, 1, 9));
  log_->Reset(R(100), T(7));
  io::Append append{.id = io::AppendId(2)};
  append.entries.push_back(MakeRef(101, 7, ""));
  log_->Append(std::move(append));
  ASSERT_EQ(NextPersisted(), 1u);
  ASSERT_EQ(NextPersisted(), 2u);
  const wal::Recovered found = StopAndRecover();
  EXPECT_EQ(found.previous, (wal::Position{R(100), T(7)}));
  EXPECT_THAT(IndicesOf(found.entries), ElementsAre(101));
}

TEST_F(DiskThreadTest, ItsEndWritesWhatIsQueued) {
  Start();
  disk_->HoldSyncs();
  log_->Append(Entries(1, 1, 1));
  disk_->AwaitHeldSync();
  log_->Append(Entries(2, 2, 2));
  log_->Append(Entries(3, 3, 3));
  disk_->LetSyncsGo();
  EXPECT_THAT(IndicesOf(StopAndRecover().entries), ElementsAre(1, 2, 3));
}

// --- A full disk ------------------------------------------------------------------------------

TEST_F(DiskThreadTest, AFullDiskIsWaitedOut) {
  Start();
  disk_->SetFull(true);
  log_->Append(Entries(1, 1, 1));
  disk_->AwaitRefusals(3);
  log_->Append(Entries(2, 2, 2));
  disk_->AwaitRefusals(3);
  EXPECT_EQ(CountPersisted(), 0u);
  disk_->SetFull(false);
  ASSERT_EQ(NextPersisted(), 1u);
  ASSERT_EQ(NextPersisted(), 2u);
  EXPECT_THAT(IndicesOf(StopAndRecover().entries), ElementsAre(1, 2));
}

TEST_F(DiskThreadTest, AFullDiskIsToldOf) {
  Start();
  EXPECT_EQ(NextSpace(), 1'000'000u);
  disk_->SetFreeBytes(1'000'000 + options_.space_step_bytes);
  disk_->SetFull(true);
  log_->Append(Entries(1, 1, 1));
  EXPECT_EQ(NextSpace(), 1'000'000 + options_.space_step_bytes);
  disk_->SetFull(false);
}

// Or the append waits for the room, and what makes room waits for the append.
TEST_F(DiskThreadTest, OnAFullDiskDroppingAPrefixOvertakesTheAppend) {
  options_.space_interval = std::chrono::milliseconds(1);  // of the next try to make a spare, too
  Start();
  WriteSegments(4);
  disk_->SetFullUntilASegmentGoes();
  log_->Append(Entries(5, 5, 5, kSegmentBytes));
  disk_->AwaitRefusals(1);
  log_->DropPrefix(R(4));
  ASSERT_EQ(NextPersisted(), 5u);
}

TEST_F(DiskThreadTest, OnAFullDiskDroppingAPrefixLeavesWhatAnEarlierReadWants) {
  Start();
  WriteSegments(6);
  disk_->SetFull(true);
  log_->Append(Entries(7, 7, 7, kSegmentBytes));
  disk_->AwaitRefusals(1);
  log_->Read(R(3), 1);
  log_->DropPrefix(R(6));
  disk_->AwaitRefusals(3);
  EXPECT_GT(log_->gauges().retired_segments, 0u);  // 1 and 2
  disk_->SetFull(false);
  ASSERT_EQ(NextPersisted(), 7u);
  EXPECT_THAT(IndicesOf(NextRead().entries), ElementsAre(3));
}

TEST_F(DiskThreadTest, ItsEndDoesNotWaitForRoom) {
  Start();
  log_->Append(Entries(1, 1, 1));
  ASSERT_EQ(NextPersisted(), 1u);
  disk_->SetFull(true);
  log_->Append(Entries(2, 2, 2));
  disk_->AwaitRefusals(1);
  log_->Append(Entries(3, 3, 3));
  EXPECT_THAT(IndicesOf(StopAndRecover().entries), ElementsAre(1));
  EXPECT_EQ(CountPersisted(), 0u);
}

TEST_F(DiskThreadTest, AResetWaitsForRoomToo) {
  Start();
  log_->Append(Entries(1, 1, 9));
  ASSERT_EQ(NextPersisted(), 1u);
  disk_->SetFull(true);
  log_->Reset(R(100), T(7));
  disk_->AwaitRefusals(2);
  disk_->SetFull(false);
  io::Append append{.id = io::AppendId(2)};
  append.entries.push_back(MakeRef(101, 7, ""));
  log_->Append(std::move(append));
  ASSERT_EQ(NextPersisted(), 2u);
  EXPECT_EQ(StopAndRecover().previous, (wal::Position{R(100), T(7)}));
}

// --- Other trouble ----------------------------------------------------------------------------

using DiskThreadDeathTest = DiskThreadTest;

TEST_F(DiskThreadDeathTest, AFailedSyncStopsTheProcess) {
  const auto append_to_broken_disk = [&] {
    Start();
    disk_->FailSyncs();
    log_->Append(Entries(1, 1, 1));
    Next();
  };
  EXPECT_EXIT(append_to_broken_disk(), ExitedWithCode(70), "FATAL: .*write the log");
}

// --- Room and spares --------------------------------------------------------------------------

TEST_F(DiskThreadTest, TheFreeSpaceIsToldAtOnceAndWhenItChangesMuch) {
  Start();
  EXPECT_EQ(NextSpace(), 1'000'000u);
  disk_->SetFreeBytes(1'000'000 + options_.space_step_bytes - 1);
  for (uint64_t i = 1; i <= 3; ++i) {
    log_->Append(Entries(i, i, i));
    ASSERT_EQ(NextPersisted(), i);
  }
  EXPECT_THAT(SpacesTold(), ElementsAre(1'000'000));
  disk_->SetFreeBytes(1'000'000 + options_.space_step_bytes);
  log_->Append(Entries(4, 4, 4));
  EXPECT_EQ(NextSpace(), 1'000'000 + options_.space_step_bytes);
}

TEST_F(DiskThreadTest, TheFreeSpaceIsToldNowAndThenThoughNothingHappens) {
  options_.space_interval = std::chrono::milliseconds(1);
  Start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(NextSpace(), 1'000'000u);
}

TEST_F(DiskThreadTest, ASpareSegmentIsMadeAndTaken) {
  Start();
  disk_->AwaitRename("wal/spare");
  // The first segments may come a moment before it is ready. A second one is made only once the
  // first was taken.
  uint64_t i = 0;
  while (!disk_->SawRename("wal/spare")) {
    ++i;
    ASSERT_LT(i, 10'000u);
    log_->Append(Entries(i, i, i, kSegmentBytes));
    log_->DropPrefix(R(i));
    ASSERT_EQ(NextPersisted(), i);
  }
}

TEST_F(DiskThreadTest, TheGaugesCount) {
  Start();
  const DiskGauges before = log_->gauges();
  log_->Append(Entries(1, 1, 1, 1000));
  log_->Read(R(1), 1);
  ASSERT_EQ(NextPersisted(), 1u);
  NextRead();
  const DiskGauges after = log_->gauges();
  EXPECT_EQ(after.batches, before.batches + 1);
  EXPECT_GE(after.written_bytes, before.written_bytes + 1000);
  EXPECT_GE(after.wal_bytes, before.wal_bytes + 1000);
}

}  // namespace
}  // namespace pando::posix
