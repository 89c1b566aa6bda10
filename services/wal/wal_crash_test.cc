// What is left of a log after a torn write, rot, a kill and a power cut.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "wal/testing/entries.h"
#include "wal/wal.h"

namespace pando::wal {
namespace {

using testing::HasSubstr;

constexpr uint64_t kBlock = model::kWalBlockBytes;

struct Opened {
  absl::Status status;
  std::unique_ptr<Wal> wal;
  Recovered recovered;
};

Opened OpenWal(sim::SimDisk* disk, uint64_t seed, uint64_t segment_bytes = 8 * kBlock) {
  Opened opened;
  Options options;
  options.segment_bytes = segment_bytes;
  auto wal = Wal::Open(disk, "wal", options, base::Rng(seed), &opened.recovered);
  opened.status = wal.status();
  if (wal.ok()) opened.wal = *std::move(wal);
  return opened;
}

std::string PathOfSegment(sim::SimDisk* disk, size_t number) {
  std::vector<std::string> segments;
  const std::vector<std::string> files = disk->List("wal").value();
  for (const std::string& file : files) {
    if (SegmentName::Parse(file)) segments.push_back("wal/" + file);
  }
  return segments.at(number);
}

uint64_t SizeOf(sim::SimDisk* disk, const std::string& path) {
  return disk->Open(path, io::OpenMode::kRead).value()->Size().value();
}

// --- Torn tails -------------------------------------------------------------------------------

// How the bytes of a batch look from where they were not written.
enum class Tear { kMissing, kZeros, kOldBytes };

class TornTailTest : public testing::TestWithParam<Tear> {
 protected:
  static void TearAt(sim::SimDisk* disk, const std::string& path, uint64_t at, uint64_t end) {
    auto file = disk->Open(path, io::OpenMode::kReadWrite).value();
    if (GetParam() == Tear::kMissing) {
      ASSERT_EQ(file->Truncate(at), absl::OkStatus());
      return;
    }
    const char fill = GetParam() == Tear::kZeros ? '\0' : '\xa5';
    const std::string bytes(static_cast<size_t>(end - at), fill);
    ASSERT_EQ(file->WriteAt(at, bytes), absl::OkStatus());
  }
};

TEST_P(TornTailTest, IsCutWhereverItIsTorn) {
  sim::SimDisk disk;
  Opened before = OpenWal(&disk, 1);
  ASSERT_EQ(before.status, absl::OkStatus());
  const std::vector<io::Append> sure = {MakeVote(1, 2), MakeAppend(1, 1, {"a", "b"})};
  ASSERT_EQ(before.wal->Write(sure), absl::OkStatus());
  const uint64_t begin = before.wal->bytes();
  const std::vector<io::Append> torn = {MakeVote(2, 3),
                                        MakeAppend(2, 2, {"B", std::string(4200, 'c')})};
  ASSERT_EQ(before.wal->Write(torn), absl::OkStatus());
  const std::string path = PathOfSegment(&disk, 0);
  const uint64_t end = SizeOf(&disk, path);
  ASSERT_EQ(end - begin, 2 * kBlock);
  // The batch is whole without its padding.
  std::string bytes;
  ASSERT_EQ(disk.Open(path, io::OpenMode::kRead).value()->ReadAt(begin, kHeaderBytes, &bytes),
            absl::OkStatus());
  const uint64_t whole = begin + kHeaderBytes + DecodeHeader(bytes)->body_bytes;

  for (uint64_t at = begin; at < end; ++at) {
    SCOPED_TRACE(absl::StrCat("torn at ", at - begin));
    const std::unique_ptr<sim::SimDisk> crashed = disk.Kill();
    TearAt(crashed.get(), path, at, end);
    Opened after = OpenWal(crashed.get(), 2);
    ASSERT_EQ(after.status, absl::OkStatus());
    const bool kept = at >= whole;
    ASSERT_EQ(after.recovered.term, model::Term(kept ? 2 : 1));
    ASSERT_EQ(after.recovered.entries.size(), kept ? 3u : 2u);
    ASSERT_EQ(after.recovered.entries[1].payload, kept ? "B" : "b");

    // Nothing of the tear is in the way of what is written next.
    ASSERT_EQ(after.wal->Write(std::vector{MakeAppend(3, 3, {"c", "d"})}), absl::OkStatus());
    const std::unique_ptr<sim::SimDisk> killed = crashed->Kill();
    const Opened again = OpenWal(killed.get(), 3);
    ASSERT_EQ(again.status, absl::OkStatus());
    ASSERT_EQ(again.recovered.entries.size(), 4u);
    ASSERT_EQ(again.recovered.entries[3].payload, "d");
    ASSERT_EQ(again.recovered.start_count, model::StartCount(3));
  }
}

INSTANTIATE_TEST_SUITE_P(All, TornTailTest,
                         testing::Values(Tear::kMissing, Tear::kZeros, Tear::kOldBytes));

TEST(TornTail, TheVeryFirstBatchMayBeTorn) {
  sim::SimDisk disk;
  ASSERT_EQ(OpenWal(&disk, 1).status, absl::OkStatus());
  disk.FlipBit(PathOfSegment(&disk, 0), kHeaderBytes, 0);
  const Opened opened = OpenWal(&disk, 2);
  ASSERT_EQ(opened.status, absl::OkStatus());
  EXPECT_EQ(opened.recovered.start_count, model::StartCount(1));
}

TEST(TornTail, WhatLiesBehindTheLastBatchIsZeroed) {
  sim::SimDisk disk;
  Opened before = OpenWal(&disk, 1);
  ASSERT_EQ(before.wal->Write(std::vector{MakeAppend(1, 1, {std::string(3 * kBlock, 'x')})}),
            absl::OkStatus());
  const std::string path = PathOfSegment(&disk, 0);
  disk.FlipBit(path, kBlock + 100, 3);
  before.wal.reset();
  ASSERT_EQ(OpenWal(&disk, 2).status, absl::OkStatus());
  std::string rest;
  const uint64_t begin = 2 * kBlock;  // one batch of each start
  ASSERT_EQ(disk.Open(path, io::OpenMode::kRead).value()->ReadAt(begin, 1 << 20, &rest),
            absl::OkStatus());
  EXPECT_EQ(rest, std::string(3 * kBlock, '\0'));
}

// --- Rot --------------------------------------------------------------------------------------

TEST(Rot, AFlippedBitBeforeTheLastBatchIsDataLossWithFileAndOffset) {
  sim::SimDisk disk;
  Opened opened = OpenWal(&disk, 1);
  uint64_t index = 0;
  // 7 blocks in the first segment, 4 in the second.
  for (int i = 0; i < 7; ++i) {
    const std::vector<io::Append> append = {
        MakeVote(1, static_cast<uint64_t>(i)),
        MakeAppend(++index, 1, {i % 3 == 0 ? std::string(kBlock, 'x') : "y"})};
    ASSERT_EQ(opened.wal->Write(append), absl::OkStatus());
  }
  opened.wal.reset();
  struct Place {
    size_t segment;
    uint64_t offset;
  };
  // The last two: a batch before the last one, and the last one of the segment before.
  const Place places[] = {{0, 0}, {0, kBlock}, {0, 3 * kBlock}, {0, 5 * kBlock}, {1, 0}};
  for (const Place& place : places) {
    const std::string path = PathOfSegment(&disk, place.segment);
    std::string block;
    ASSERT_EQ(
        disk.Open(path, io::OpenMode::kRead).value()->ReadAt(place.offset, kHeaderBytes, &block),
        absl::OkStatus());
    const std::optional<BatchHeader> header = DecodeHeader(block);
    ASSERT_TRUE(header.has_value()) << path << " " << place.offset;
    for (uint64_t at = 0; at < kHeaderBytes + header->body_bytes; ++at) {
      const unsigned bit = static_cast<unsigned>(at % 8);
      disk.FlipBit(path, place.offset + at, bit);
      CheckReport report;
      const absl::Status checked = Wal::Check(&disk, "wal", &report);
      ASSERT_EQ(checked.code(), absl::StatusCode::kDataLoss) << path << " " << at;
      ASSERT_THAT(std::string(checked.message()), HasSubstr(path));
      ASSERT_THAT(std::string(checked.message()),
                  HasSubstr(absl::StrCat("offset ", place.offset, " ")));
      disk.FlipBit(path, place.offset + at, bit);
    }
    disk.FlipBit(path, place.offset + kHeaderBytes, 0);
    const uint64_t operations = disk.operations();
    ASSERT_EQ(OpenWal(&disk, 2).status.code(), absl::StatusCode::kDataLoss);
    EXPECT_LE(disk.operations(), operations + 2);  // the folders; no file was touched
    disk.FlipBit(path, place.offset + kHeaderBytes, 0);
  }
  EXPECT_EQ(OpenWal(&disk, 2).status, absl::OkStatus());
}

// A batch as it lies on disk.
std::string Frame(SegmentId segment, uint64_t number, const std::string& body) {
  std::string frame = EncodeHeader({.segment = segment,
                                    .number = BatchNumber(number),
                                    .body_bytes = body.size(),
                                    .body_checksum = base::Hash64(body)});
  frame.append(body);
  frame.resize(BatchBytes(body.size()), '\0');
  return frame;
}

TEST(Rot, BatchesOfAnotherSeriesOrNumberAreNoBatches) {
  sim::SimDisk disk;
  Opened opened = OpenWal(&disk, 1);
  ASSERT_EQ(opened.wal->Write(std::vector{MakeVote(3, 1)}), absl::OkStatus());
  const std::string path = PathOfSegment(&disk, 0);
  const SegmentId id = SegmentName::Parse(path.substr(4))->id;
  std::string body;
  AppendRecord(HardState{.start = model::StartCount(9), .term = model::Term(9), .vote = {}}, &body);
  const std::string none[] = {Frame(id + 1, 3, body), Frame(id + 1, 4, body), Frame(id, 1, body),
                              Frame(id, 2, body)};
  for (const std::string& frame : none) {
    const std::unique_ptr<sim::SimDisk> rotten = disk.Kill();
    ASSERT_EQ(rotten->Open(path, io::OpenMode::kReadWrite).value()->WriteAt(2 * kBlock, frame),
              absl::OkStatus());
    const Opened again = OpenWal(rotten.get(), 2);
    ASSERT_EQ(again.status, absl::OkStatus());
    EXPECT_EQ(again.recovered.term, model::Term(3));
  }
  // The same bytes under the right name are one.
  ASSERT_EQ(
      disk.Open(path, io::OpenMode::kReadWrite).value()->WriteAt(2 * kBlock, Frame(id, 3, body)),
      absl::OkStatus());
  EXPECT_EQ(OpenWal(&disk, 2).recovered.term, model::Term(9));
}

TEST(Rot, WhatDoesNotFollowFromTheLogBeforeItIsDataLoss) {
  const HardState state{.start = model::StartCount(1), .term = model::Term(3), .vote = {}};
  HardState other_state = state;
  other_state.term = model::Term(4);
  const Position last{model::Revision(2), model::Term(3)};
  const auto head = [](const HardState& s, Position p) {
    std::string body;
    AppendRecord(Head{.state = s, .last = p}, &body);
    return body;
  };
  const auto entries = [&](Position previous) {
    std::string body = head(state, last);
    const std::vector<raft::EntryRef> one = {MakeRef(previous.index.value() + 1, 3, "x")};
    AppendRecord(previous, one, &body);
    return body;
  };
  std::string no_head;
  AppendRecord(state, &no_head);
  std::string two_heads = head(state, last) + head(state, last);
  std::string start_goes_back = head(state, last);
  AppendRecord(HardState{.start = {}, .term = state.term, .vote = {}}, &start_goes_back);
  std::string keeps_nothing = head(state, last);
  AppendRecord(ResetTo{.last = {model::Revision(5), model::Term(3)}, .keeps_suffix = true},
               &keeps_nothing);
  const std::pair<std::string, bool> bodies[] = {
      {head(state, last), true},
      {entries(last), true},
      {head(other_state, last), false},
      {head(state, {model::Revision(3), model::Term(3)}), false},
      {head(state, {model::Revision(2), model::Term(2)}), false},
      {entries({model::Revision(3), model::Term(3)}), false},
      {entries({model::Revision(2), model::Term(2)}), false},
      {no_head, false},
      {two_heads, false},
      {start_goes_back, false},
      {keeps_nothing, false},
      {"", false},
      {"no record", false},
  };
  sim::SimDisk disk;
  Opened opened = OpenWal(&disk, 1);
  const std::vector<io::Append> appends = {MakeVote(3, 0), MakeAppend(1, 3, {"a", "b"})};
  ASSERT_EQ(opened.wal->Write(appends), absl::OkStatus());
  const SegmentName next{.first = BatchNumber(3), .id = SegmentId(77)};
  for (size_t i = 0; i < std::size(bodies); ++i) {
    SCOPED_TRACE(i);
    const auto& [body, follows] = bodies[i];
    const std::unique_ptr<sim::SimDisk> rotten = disk.Kill();
    const std::string path = "wal/" + next.ToString();
    ASSERT_EQ(
        rotten->Open(path, io::OpenMode::kCreate).value()->WriteAt(0, Frame(next.id, 3, body)),
        absl::OkStatus());
    const absl::Status status = OpenWal(rotten.get(), 2).status;
    EXPECT_EQ(status.code(), follows ? absl::StatusCode::kOk : absl::StatusCode::kDataLoss);
    EXPECT_EQ(std::string(status.message()).find(path) != std::string::npos, !follows) << status;
  }
}

TEST(Rot, ASegmentThatIsMissingIsDataLoss) {
  for (const size_t missing : {size_t{0}, size_t{1}}) {
    sim::SimDisk disk;
    Opened opened = OpenWal(&disk, 1, kBlock);
    for (uint64_t i = 1; i <= 3; ++i) {
      ASSERT_EQ(opened.wal->Write(std::vector{MakeAppend(i, 1, {"x"})}), absl::OkStatus());
    }
    // The first may have been dropped, but then its entries are missed by whoever needs them.
    ASSERT_EQ(disk.Delete(PathOfSegment(&disk, missing)), absl::OkStatus());
    const Opened again = OpenWal(&disk, 2, kBlock);
    if (missing == 0) {
      EXPECT_EQ(again.status, absl::OkStatus());
      EXPECT_EQ(again.recovered.first_on_disk, model::Revision(1));
    } else {
      EXPECT_EQ(again.status.code(), absl::StatusCode::kDataLoss);
    }
  }
}

// --- Power cuts -------------------------------------------------------------------------------

// What a log holds, by the contract of wal.h; dropped entries included, they may still be there.
struct LogState {
  model::Term term;
  model::ServerId vote;
  std::optional<model::Formation> formation;
  Position floor;  // the log cannot begin earlier
  uint64_t first_kept = 1;
  std::map<uint64_t, model::Entry> entries;

  uint64_t last() const { return entries.empty() ? floor.index.value() : entries.rbegin()->first; }
  model::Term TermAt(uint64_t index) const {
    return index == floor.index.value() ? floor.term : entries.at(index).term;
  }

  void Append(const io::Append& append) {
    if (append.vote) {
      term = append.vote->term;
      vote = append.vote->vote;
    }
    if (append.formation) formation = append.formation;
    if (append.entries.empty()) return;
    entries.erase(entries.lower_bound(append.entries.front()->index.value()), entries.end());
    for (const raft::EntryRef& entry : append.entries) entries[entry->index.value()] = *entry;
  }
  void Reset(Position to) {
    const uint64_t index = to.index.value();
    const bool keeps = index >= floor.index.value() && index <= last() && TermAt(index) == to.term;
    if (keeps) {
      entries.erase(entries.begin(), entries.upper_bound(index));
    } else {
      entries.clear();
    }
    floor = to;
    first_kept = std::max(first_kept, index + 1);
  }
  // Empty, or what is wrong.
  std::string Differs(const Recovered& found) const {
    if (found.term != term || found.vote != vote) {
      return absl::StrCat("term ", found.term.value(), " vote ", found.vote.value());
    }
    if (found.formation != formation) return "another formation";
    const uint64_t previous = found.previous.index.value();
    if (found.first_on_disk.value() != previous + 1) return "not all is handed over";
    if (previous < floor.index.value() || previous >= first_kept || previous > last()) {
      return absl::StrCat("begins after ", previous);
    }
    if (found.previous.term != TermAt(previous)) return "another term before the first";
    if (previous + found.entries.size() != last()) {
      return absl::StrCat("ends with ", previous + found.entries.size(), ", not ", last());
    }
    for (const model::Entry& entry : found.entries) {
      if (entry != entries.at(entry.index.value())) {
        return absl::StrCat("entry ", entry.index.value());
      }
    }
    return {};
  }
};

class PowerCuts {
 public:
  explicit PowerCuts(uint64_t seed) : rng_(seed) {}

  // Some lives of one log, each ended by a kill or a power cut.
  void Run() {
    for (int life = 0; life < 6 && !testing::Test::HasFailure(); ++life) {
      disk_->StopAfter(rng_.Below(60));
      Live();
      End();
    }
    ASSERT_FALSE(testing::Test::HasFailure());
    OpenAndCompare();
    ASSERT_NE(wal_, nullptr);
  }

  int cuts() const { return cuts_; }
  int found_in_flight() const { return found_in_flight_; }

 private:
  void Live() {
    OpenAndCompare();
    // Sometimes only what was recovered is promised, and nothing written after it.
    if (wal_ == nullptr || rng_.Chance(200)) return;
    while (!disk_->stopped() && !testing::Test::HasFailure()) {
      switch (rng_.Below(10)) {
        case 0:
          DropPrefix();
          break;
        case 1:
          Reset();
          break;
        case 2:
          ReadSome();
          break;
        case 3:
        case 4:
          (void)wal_->spares()->Tend();
          break;
        default:
          Write();
          break;
      }
    }
  }

  void End() {
    wal_.reset();
    if (rng_.Chance(400)) {
      disk_ = disk_->Kill();
      return;
    }
    disk_ = disk_->Crash(&rng_);
    ++cuts_;
  }

  void OpenAndCompare() {
    Opened opened = OpenWal(disk_.get(), rng_.Next());
    if (!opened.status.ok()) {
      ASSERT_TRUE(disk_->stopped()) << opened.status;
      return;
    }
    ASSERT_GT(opened.recovered.start_count, start_count_);
    start_count_ = opened.recovered.start_count;
    // From here on, what was found is promised.
    std::string differs = sure_.Differs(opened.recovered);
    if (!differs.empty()) {
      absl::StrAppend(&differs, " (acknowledged)");
      for (const LogState& state : in_flight_) {
        const std::string other = state.Differs(opened.recovered);
        if (other.empty()) {
          ++found_in_flight_;
          sure_ = state;
          differs.clear();
          break;
        }
        absl::StrAppend(&differs, "; ", other);
      }
    }
    ASSERT_EQ(differs, "");
    in_flight_.clear();
    wal_ = std::move(opened.wal);
  }

  void Write() {
    LogState next = sure_;
    std::vector<io::Append> appends;
    for (uint64_t i = rng_.Between(1, 3); i-- > 0;) {
      appends.push_back(DrawAppend(next));
      next.Append(appends.back());
    }
    const bool full = rng_.Chance(200);
    if (full) disk_->SetCapacity(disk_->used_bytes() + rng_.Below(3 * kBlock));
    in_flight_.push_back(next);
    absl::Status written = wal_->Write(appends);
    if (absl::IsResourceExhausted(written)) {
      appends.push_back(DrawAppend(next));
      next.Append(appends.back());
      in_flight_.push_back(next);
      disk_->SetCapacity(uint64_t{1} << 40);
      written = wal_->Write(appends);
    }
    if (full) disk_->SetCapacity(uint64_t{1} << 40);
    Acknowledge(written, next);
  }

  void DropPrefix() {
    const uint64_t first_kept = rng_.Between(sure_.first_kept, sure_.last() + 1);
    // A crash may find more.
    sure_.first_kept = first_kept;
    ASSERT_EQ(wal_->DropPrefix(model::Revision(first_kept)), absl::OkStatus());
  }

  void Reset() {
    LogState next = sure_;
    Position to;
    const uint64_t first = wal_->previous().index.value();
    if (rng_.Chance(700)) {
      to.index = model::Revision(rng_.Between(std::max(first, sure_.first_kept - 1), sure_.last()));
      to.term = sure_.TermAt(to.index.value());
    } else {
      to = {model::Revision(sure_.last() + rng_.Between(1, 100)), sure_.term};
    }
    next.Reset(to);
    in_flight_.push_back(next);
    Acknowledge(wal_->Reset(to.index, to.term), next);
  }

  void ReadSome() {
    const uint64_t previous = wal_->previous().index.value();
    if (previous == sure_.last()) return;
    const uint64_t first = rng_.Between(previous + 1, sure_.last());
    const auto entries = wal_->Read(model::Revision(first), rng_.Below(20'000));
    if (!entries.ok()) {
      ASSERT_TRUE(disk_->stopped()) << entries.status();
      return;
    }
    ASSERT_FALSE(entries->empty());
    for (const model::Entry& entry : *entries) {
      ASSERT_EQ(entry, sure_.entries.at(entry.index.value()));
    }
  }

  io::Append DrawAppend(const LogState& state) {
    io::Append append;
    uint64_t term = state.term.value();
    if (term == 0 || rng_.Chance(200)) {
      append = MakeVote(++term, rng_.Below(4));
      if (rng_.Chance(300)) return append;
    }
    if (rng_.Chance(150)) {
      append.formation = MakeFormation(rng_.Below(4), rng_.Chance(500)).formation;
    }
    uint64_t first = state.last() + 1;
    // Never what was applied.
    if (rng_.Chance(200)) first = rng_.Between(state.first_kept, first);
    std::vector<std::string> payloads(rng_.Below(4));
    for (std::string& payload : payloads) {
      const uint64_t size = rng_.Chance(100) ? rng_.Below(12'000) : rng_.Below(2'500);
      payload.assign(static_cast<size_t>(size), static_cast<char>('a' + rng_.Below(26)));
      payload.append(absl::StrCat("#", ++written_));
    }
    append.entries = MakeAppend(first, term, std::move(payloads)).entries;
    return append;
  }

  void Acknowledge(const absl::Status& status, const LogState& next) {
    if (!status.ok()) {
      ASSERT_TRUE(disk_->stopped()) << status;
      return;
    }
    sure_ = next;
    in_flight_.clear();
  }

  base::Rng rng_;
  std::unique_ptr<sim::SimDisk> disk_ = std::make_unique<sim::SimDisk>();
  std::unique_ptr<Wal> wal_;
  model::StartCount start_count_;
  LogState sure_;                    // acknowledged, or recovered
  std::vector<LogState> in_flight_;  // what a write that failed may have left instead
  uint64_t written_ = 0;
  int cuts_ = 0;
  int found_in_flight_ = 0;
};

TEST(PowerCut, KeepsWhatWasAcknowledgedAndWhatWasRecovered) {
  int cuts = 0;
  int found_in_flight = 0;
  for (uint64_t seed = 1; cuts < 2'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    PowerCuts run(seed);
    run.Run();
    ASSERT_FALSE(HasFailure());
    cuts += run.cuts();
    found_in_flight += run.found_in_flight();
  }
  // The test would be blind if a write that was cut never showed.
  EXPECT_GT(found_in_flight, 20);
}

}  // namespace
}  // namespace pando::wal
