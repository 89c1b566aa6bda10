// Power cuts and kill -9 at every change of the disk while a received snapshot comes in force: the
// next start finds the old state whole or the new one whole, the log that goes with it, and nothing
// else. The steps are those of the store thread, the disk thread and the start, in one thread.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/rng.h"
#include "store/data_dir.h"
#include "store/state_receiver.h"
#include "store/testing/crash_disk.h"
#include "store/testing/window.h"
#include "wal/wal.h"

namespace pando::store {
namespace {

model::Revision R(uint64_t revision) { return model::Revision(revision); }

// Where the snapshot lies, seen from the log of who gets it.
enum class Place {
  kAboveTheLog,
  kInTheLog,       // and the log goes on after it
  kOfAnotherTerm,  // in the log, but what the log has there was never committed
};
constexpr Place kPlaces[] = {Place::kAboveTheLog, Place::kInTheLog, Place::kOfAnotherTerm};

// What a power cut leaves is drawn at random.
constexpr uint64_t kPowerCutsEach = 6;
constexpr uint64_t kStoredBefore = 20;
constexpr uint64_t kLoggedBefore = 30;

class Server {
 public:
  Server(Place place, uint64_t seed) : rng_(seed) {
    options_.tree.write_buffer_bytes = 32 << 10;  // tables, not only LevelDB's own log
    options_.changes.wall_clock = [] { return base::WallTime{1'000'000}; };
    mark_ = {R(place == Place::kAboveTheLog ? 50 : 25),
             model::Term(place == Place::kInTheLog ? 1 : 2)};
    keeps_suffix_ = place == Place::kInTheLog;
    for (int i = 0; i < 60; ++i) {
      snapshot_[absl::StrCat("new-", 100 + i)] =
          std::string(1'500, static_cast<char>('A' + i % 26));
    }
    mark_.digest = DigestOf(snapshot_);
    history_[mark_.revision.value()] = snapshot_;
  }

  CrashDisk& disk() { return disk_; }

  // A life in which nothing goes wrong, until just before the snapshot arrives.
  void LiveBefore() {
    ASSERT_TRUE(Start());
    for (uint64_t revision = 1; revision <= kLoggedBefore; revision += 5) {
      ASSERT_TRUE(Log(revision, 5, 1));
    }
    for (uint64_t revision = 5; revision <= kStoredBefore; revision += 5) {
      ASSERT_TRUE(Store(revision));
    }
  }

  // From the first record of the snapshot to some life on it; false: the power went off meanwhile.
  bool Install() {
    const absl::StatusOr<uint64_t> number = dir_->NewState();
    if (!Went(number.status())) return false;
    std::optional<ReceivedState> received;
    {
      auto receiver = StateReceiver::Begin(
          &disk_, *number, mark_, options_, std::make_shared<RecordsBuilder>(),
          [&](std::optional<ReceivedState> state, std::shared_ptr<io::StateBuilder>) {
            received = std::move(state);
          });
      if (!Went(receiver.status())) return false;
      std::vector<model::RecordWrite> part;
      for (const auto& [key, value] : snapshot_) {
        part.push_back({key, value});
        if (part.size() < 7) continue;
        if (!Went((*receiver)->Take(part))) return false;
        part.clear();
      }
      if (!Went((*receiver)->Take(part)) || !Went((*receiver)->Finish())) return false;
    }
    // Until the core knows, the log still gets what the leader sends.
    if (!Log(kLoggedBefore + 1, 1, 1)) return false;

    const uint64_t old = dir_->current()->state;
    // The cut may come after the rename is on disk.
    may_be_new_ = true;
    if (!Went(dir_->SetCurrent(received->ToCurrent()))) return false;
    must_be_new_ = true;
    std::swap(state_, received->state);
    DeleteState(&disk_, std::move(received->state), old);
    if (disk_.cut() || !Went(wal_->Reset(mark_.revision, mark_.term))) return false;
    if (!keeps_suffix_) logged_.clear();
    const uint64_t next = wal_->last().index.value() + 1;
    if (!Log(next, 2, 2) || !Store(mark_.revision.value() + 1)) return false;
    return Log(next + 2, 2, 2);
  }

  // The order of pandod's start; false: the power went off meanwhile.
  bool Start() {
    absl::StatusOr<DataDir> dir = DataDir::Open(&disk_, model::ServerId(1), model::StorageId(7));
    if (!Went(dir.status())) return false;
    dir_.emplace(*std::move(dir));
    if (!dir_->current()) {
      absl::StatusOr<State> fresh = CreateState(&disk_, "state-1", R(0), options_);
      if (!Went(fresh.status()) || !Went(dir_->SetCurrent({.state = 1}))) return false;
    }
    const Current current = *dir_->current();
    absl::StatusOr<State> state = OpenState(&disk_, current.state_dir(), options_);
    if (!Went(state.status()) || !CheckState(*state)) return false;
    state_ = *std::move(state);

    const io::StateMark mark = state_.tree->mark();
    wal::Options options;
    options.segment_bytes = 16 << 10;
    options.keep_from = mark.revision + 1;
    if (current.wal_reset) {
      options.reset = wal::Position{current.wal_reset->revision, current.wal_reset->term};
    }
    wal::Recovered log;
    absl::StatusOr<std::unique_ptr<wal::Wal>> wal =
        wal::Wal::Open(&disk_, "wal", options, base::Rng(rng_.Next()), &log);
    if (!Went(wal.status())) return false;
    wal_ = *std::move(wal);
    CheckLog(mark, log);
    if (current.wal_reset && !Went(dir_->SetCurrent({.state = current.state}))) return false;
    if (!Went(dir_->DeleteOtherStates())) return false;
    CheckNothingElse();
    return true;
  }

  // The process is gone; what its files held stays as the disk says.
  void Die() {
    wal_.reset();
    state_ = State();
    dir_.reset();
  }

  bool is_new() const { return must_be_new_; }

 private:
  bool Went(const absl::Status& status) {
    if (status.ok()) return true;
    EXPECT_TRUE(disk_.cut()) << status;
    return false;
  }

  bool Log(uint64_t first, uint64_t count, uint64_t term) {
    io::Append append;
    for (uint64_t i = first; i < first + count; ++i) {
      append.entries.push_back(std::make_shared<const model::Entry>(
          model::Entry{.index = R(i),
                       .term = model::Term(term),
                       .payload = absl::StrCat("entry ", i, " of ", term)}));
      attempted_[i] = append.entries.back()->payload;
    }
    if (!Went(wal_->Write(std::vector<io::Append>{append}))) return false;
    for (const raft::EntryRef& entry : append.entries) {
      logged_[entry->index.value()] = entry->payload;
    }
    return true;
  }

  // One window of two writes, the second at `revision`.
  bool Store(uint64_t revision) {
    Records records = history_.at(state_.tree->mark().revision.value());
    io::StoreWrite write =
        WriteOf(revision,
                {{absl::StrCat("k", revision % 7), absl::StrCat(revision, std::string(900, 'v'))}});
    Apply(write.delta, &records);
    write.digest = DigestOf(records);
    history_[revision] = records;
    if (!Went(StoreWindow(state_, {write}))) return false;
    stored_ = revision;
    return true;
  }

  bool CheckState(const State& state) {
    const io::StateMark mark = state.tree->mark();
    Records records;
    const absl::Status loaded =
        state.tree->Load([&](std::string_view key, std::string_view value) -> absl::Status {
          records.emplace(key, value);
          return absl::OkStatus();
        });
    if (!Went(loaded)) return false;
    EXPECT_EQ(mark.digest, DigestOf(records));
    const bool is_new = mark.revision >= mark_.revision;
    if (is_new) {
      EXPECT_TRUE(may_be_new_);
      must_be_new_ = true;  // what a start has read stays
    } else {
      EXPECT_FALSE(must_be_new_) << "the new state is lost";
    }
    EXPECT_GE(mark.revision.value(), must_be_new_ ? mark_.revision.value() : stored_);
    EXPECT_TRUE(records == history_[mark.revision.value()]) << "at revision " << mark.revision;
    EXPECT_EQ(state.changes->last(), mark.revision);
    return true;
  }

  void CheckLog(const io::StateMark& mark, const wal::Recovered& log) {
    const wal::Position last = wal_->last();
    // It reaches the state, and what it says of that entry is what the state says.
    EXPECT_LE(log.first_on_disk, mark.revision + 1);
    EXPECT_GE(last.index, mark.revision);
    if (last.index == mark.revision) {
      EXPECT_EQ(last.term, mark.term);
    }
    // All that was promised and is not in the state; and nothing that nobody wrote.
    std::map<uint64_t, std::string> found;
    for (const model::Entry& entry : log.entries) {
      if (entry.index > mark.revision) found[entry.index.value()] = entry.payload;
    }
    const bool reset = mark.revision >= mark_.revision && !keeps_suffix_;
    for (const auto& [index, payload] : logged_) {
      if (index <= mark.revision.value() || (reset && payload.ends_with("of 1"))) continue;
      EXPECT_EQ(found[index], payload) << "entry " << index << " is lost";
    }
    for (const auto& [index, payload] : found) {
      EXPECT_EQ(attempted_[index], payload) << "entry " << index;
      EXPECT_FALSE(reset && payload.ends_with("of 1")) << index << " is of a log that is gone";
    }
  }

  // The state in force, and what every data dir has.
  void CheckNothingElse() {
    const absl::StatusOr<std::vector<std::string>> names = disk_.List(".");
    ASSERT_TRUE(names.ok());
    for (const std::string& name : *names) {
      EXPECT_TRUE(name == "identity" || name == "CURRENT" || name == "wal" ||
                  name == dir_->current()->state_dir() ||
                  name == "CURRENT.new")  // the next one takes its place
          << name << " is left";
    }
  }

  base::Rng rng_;
  CrashDisk disk_;
  StateOptions options_;
  Records snapshot_;
  io::StateMark mark_;
  bool keeps_suffix_ = false;

  std::optional<DataDir> dir_;
  State state_;
  std::unique_ptr<wal::Wal> wal_;

  std::map<uint64_t, Records> history_{{0, {}}};
  std::map<uint64_t, std::string> logged_;     // promised
  std::map<uint64_t, std::string> attempted_;  // or on its way when the power went
  uint64_t stored_ = 0;                        // promised, of the old state
  bool may_be_new_ = false;
  bool must_be_new_ = false;
};

// How many changes of the disk an install is, if nothing cuts it.
uint64_t CountChanges(Place place) {
  Server server(place, 1);
  server.LiveBefore();
  const uint64_t before = server.disk().operations();
  EXPECT_TRUE(server.Install());
  const uint64_t changes = server.disk().operations() - before;
  server.Die();
  return changes;
}

struct Totals {
  uint64_t cuts = 0;
  uint64_t old_states = 0;
  uint64_t new_states = 0;
  uint64_t cut_starts = 0;
};

// The `at`-th change of an install is the last. Then a start that is perhaps cut itself, and one
// that goes through.
void CutAt(Place place, uint64_t at, bool power, uint64_t seed, Totals* totals) {
  SCOPED_TRACE(absl::StrCat("place ", static_cast<int>(place), ", cut at ", at,
                            power ? ", power" : ", kill", ", seed ", seed));
  Server server(place, seed);
  server.LiveBefore();
  base::Rng rng(seed);
  const auto fail = [&] {
    server.Die();
    if (power) {
      server.disk().LosePower(rng.Next());
    } else {
      server.disk().Restart();
    }
  };
  server.disk().CutAfter(at);
  if (!server.Install()) ++totals->cuts;
  fail();
  server.disk().CutAfter(rng.Between(1, 60));
  if (!server.Start()) ++totals->cut_starts;
  fail();
  EXPECT_TRUE(server.Start());
  ++(server.is_new() ? totals->new_states : totals->old_states);
  // It is one to go on with.
  server.Die();
  server.disk().Restart();
  EXPECT_TRUE(server.Start());
  server.Die();
}

TEST(InstallCrash, EveryCutLeavesTheOldStateOrTheNewOne) {
  // A state that cannot be deleted any more is told each time.
  base::ConfigureLog(base::LogFormat::kText, base::Severity::kError);
  Totals totals;
  for (const Place place : kPlaces) {
    const uint64_t changes = CountChanges(place);
    for (uint64_t at = 1; at <= changes && !::testing::Test::HasFailure(); ++at) {
      for (uint64_t seed = 1; seed <= kPowerCutsEach; ++seed)
        CutAt(place, at, true, 1000 * at + seed, &totals);
      CutAt(place, at, false, at, &totals);
    }
  }
  RecordProperty("cuts", static_cast<int>(totals.cuts));
  EXPECT_GE(totals.cuts, 1000u);
  EXPECT_GE(totals.old_states, 100u);
  EXPECT_GE(totals.new_states, 100u);
  EXPECT_GE(totals.cut_starts, 100u);
}

}  // namespace
}  // namespace pando::store
