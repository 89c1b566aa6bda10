// What io/store.h promises, asked of both stores: the one on LevelDB and the simulated one.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "io/event.h"
#include "io/install.h"
#include "io/store.h"
#include "model/limits.h"
#include "sim/schedule.h"
#include "sim/sim_store.h"
#include "store/data_dir.h"
#include "store/state.h"
#include "store/store_thread.h"
#include "store/testing/crash_disk.h"
#include "store/testing/window.h"

namespace pando::store {
namespace {

model::Revision R(uint64_t revision) { return model::Revision(revision); }

// A store that a test drives.
class Driven {
 public:
  virtual ~Driven() = default;
  virtual io::Store* store() = 0;
  // The next event; nothing if none comes for a long time.
  virtual std::optional<io::Event> Next() = 0;
  // Until `done`; false: not for a long time.
  virtual bool WaitFor(const std::function<bool()>& done) = 0;
  virtual absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> Receive(
      const io::StateMark& mark) = 0;
  virtual void SetFull(bool full) = 0;
  // Loses power and starts again; then what it holds.
  virtual void Crash(uint64_t seed) = 0;
  virtual Records records() = 0;
  virtual io::StateMark mark() = 0;
  // After which the WAL has to begin anew.
  virtual std::optional<std::pair<model::Revision, model::Term>> wal_reset() = 0;
};

constexpr size_t kChangesBytesMax = size_t{1} << 20;

class DrivenThread final : public Driven {
 public:
  DrivenThread() { Start(); }
  ~DrivenThread() override { store_.reset(); }

  io::Store* store() override { return store_.get(); }
  std::optional<io::Event> Next() override {
    const base::MutexLock lock(&mutex_);
    for (int i = 0; events_.empty() && i < 3000; ++i) {
      posted_.WaitFor(&mutex_, std::chrono::milliseconds(10));
    }
    if (events_.empty()) return std::nullopt;
    io::Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  bool WaitFor(const std::function<bool()>& done) override {
    for (int i = 0; i < 30'000 && !done(); ++i) {
      const base::MutexLock lock(&mutex_);
      posted_.WaitFor(&mutex_, std::chrono::milliseconds(1));
    }
    return done();
  }
  absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> Receive(
      const io::StateMark& mark) override {
    return store_->Receive(mark);
  }
  void SetFull(bool full) override { disk_.SetFull(full); }
  void Crash(uint64_t seed) override {
    // Nothing that is written from here on is there after it.
    disk_.SetFull(true);
    store_.reset();
    disk_.SetFull(false);
    disk_.LosePower(seed);
    Start();
  }
  Records records() override { return at_start_; }
  io::StateMark mark() override { return mark_at_start_; }
  std::optional<std::pair<model::Revision, model::Term>> wal_reset() override {
    return wal_reset_at_start_;
  }

 private:
  void Start() {
    events_.clear();
    absl::StatusOr<DataDir> dir =
        DataDir::Open(&disk_, model::ServerId(1), model::StorageId(0xabc));
    ASSERT_TRUE(dir.ok()) << dir.status();
    StateOptions options;
    options.changes.wall_clock = [] { return base::WallTime{1'000'000}; };
    options.changes.bytes_max = kChangesBytesMax;
    dir_ = *dir;
    const Current current = dir->current().value_or(Current{1, std::nullopt});
    wal_reset_at_start_.reset();
    if (const auto& reset = current.wal_reset) wal_reset_at_start_ = {reset->revision, reset->term};
    absl::StatusOr<State> state = dir->current()
                                      ? OpenState(&disk_, current.state_dir(), options)
                                      : CreateState(&disk_, current.state_dir(), R(0), options);
    ASSERT_TRUE(state.ok()) << state.status();
    // As a start does once the WAL has begun anew.
    ASSERT_TRUE(dir_->SetCurrent({.state = current.state}).ok());
    ASSERT_TRUE(dir_->DeleteOtherStates().ok());
    at_start_.clear();
    ASSERT_TRUE(state->tree
                    ->Load([this](std::string_view key, std::string_view value) -> absl::Status {
                      at_start_.emplace(key, value);
                      return absl::OkStatus();
                    })
                    .ok());
    mark_at_start_ = state->tree->mark();
    StoreOptions store_options;
    store_options.interval = std::chrono::milliseconds(1);
    store_options.full_retry = std::chrono::milliseconds(1);
    store_options.states = options;
    store_options.builder = [] { return std::make_shared<RecordsBuilder>(); };
    store_ = std::make_unique<StoreThread>(&disk_, &*dir_, *std::move(state), model::Revision(),
                                           store_options, [this](io::Event event) {
                                             const base::MutexLock lock(&mutex_);
                                             events_.push_back(std::move(event));
                                             posted_.NotifyAll();
                                           });
  }

  CrashDisk disk_;
  std::optional<DataDir> dir_;
  base::Mutex mutex_;
  base::CondVar posted_;
  std::deque<io::Event> events_ PANDO_GUARDED_BY(mutex_);
  Records at_start_;
  io::StateMark mark_at_start_;
  std::optional<std::pair<model::Revision, model::Term>> wal_reset_at_start_;
  std::unique_ptr<StoreThread> store_;
};

class DrivenSim final : public Driven {
 public:
  DrivenSim() { Start({}); }

  io::Store* store() override { return store_.get(); }
  std::optional<io::Event> Next() override {
    WaitFor([this] { return !events_.empty(); });
    if (events_.empty()) return std::nullopt;
    io::Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  bool WaitFor(const std::function<bool()>& done) override {
    const base::Instant end = schedule_.now() + std::chrono::seconds(30);
    while (!done() && schedule_.Step(end)) {
    }
    return done();
  }
  absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> Receive(
      const io::StateMark& mark) override {
    return store_->Receive(mark);
  }
  void SetFull(bool full) override { store_->SetFull(full); }
  void Crash(uint64_t) override { Start(store_->Crash()); }
  Records records() override { return at_start_.records; }
  io::StateMark mark() override { return at_start_.mark(); }
  std::optional<std::pair<model::Revision, model::Term>> wal_reset() override {
    return at_start_.wal_reset;
  }

 private:
  void Start(sim::StoredState state) {
    events_.clear();
    at_start_ = state;
    state.wal_reset.reset();
    sim::SimStoreOptions options;
    options.builder = [] { return std::make_shared<RecordsBuilder>(); };
    options.changes_bytes_max = kChangesBytesMax;
    store_ = std::make_unique<sim::SimStore>(
        &schedule_, base::Rng(++starts_), options, std::move(state),
        [this](io::Event event) { events_.push_back(std::move(event)); });
  }

  sim::Schedule schedule_;
  uint64_t starts_ = 0;
  std::deque<io::Event> events_;
  sim::StoredState at_start_;
  std::unique_ptr<sim::SimStore> store_;
};

// Keeps what it is given; refuses as long as it is told to.
class Sink final : public io::ScanSink {
 public:
  enum class Mood { kOpen, kFull, kCancel };

  void Begin(const io::StateMark& mark) override {
    const base::MutexLock lock(&mutex_);
    EXPECT_FALSE(mark_.has_value());
    EXPECT_FALSE(offered_);
    EXPECT_FALSE(finished_);
    mark_ = mark;
  }
  io::Taken Take(model::Revision revision,
                 const std::vector<model::RecordWrite>& records) override {
    const base::MutexLock lock(&mutex_);
    EXPECT_FALSE(finished_);
    EXPECT_TRUE(mark_.has_value());
    EXPECT_FALSE(records.empty());
    size_t bytes = 0;
    for (const model::RecordWrite& record : records) bytes += record.bytes();
    EXPECT_TRUE(records.size() == 1 || bytes <= model::kScanChunkBytesMax);
    offered_ = true;
    if (mood_ == Mood::kFull) return io::Taken::kFull;
    if (mood_ == Mood::kCancel) return io::Taken::kCancelled;
    for (const model::RecordWrite& record : records) {
      EXPECT_TRUE(records_.emplace(record.key, *record.value).second);
      keys_.push_back(record.key);
    }
    ++chunks_;
    EXPECT_EQ(revision, mark_->revision);
    revision_ = revision;
    return io::Taken::kTaken;
  }
  void Finish(model::Revision revision, absl::Status status) override {
    const base::MutexLock lock(&mutex_);
    EXPECT_FALSE(finished_);
    finished_ = true;
    revision_ = revision;
    status_ = std::move(status);
  }

  void SetMood(Mood mood) {
    const base::MutexLock lock(&mutex_);
    mood_ = mood;
  }
  bool finished() const {
    const base::MutexLock lock(&mutex_);
    return finished_;
  }
  bool offered() const {
    const base::MutexLock lock(&mutex_);
    return offered_;
  }
  absl::Status status() const {
    const base::MutexLock lock(&mutex_);
    return status_;
  }
  Records records() const {
    const base::MutexLock lock(&mutex_);
    return records_;
  }
  std::vector<std::string> keys() const {
    const base::MutexLock lock(&mutex_);
    return keys_;
  }
  model::Revision revision() const {
    const base::MutexLock lock(&mutex_);
    return revision_;
  }
  std::optional<io::StateMark> mark() const {
    const base::MutexLock lock(&mutex_);
    return mark_;
  }
  size_t chunks() const {
    const base::MutexLock lock(&mutex_);
    return chunks_;
  }

 private:
  mutable base::Mutex mutex_;
  Mood mood_ PANDO_GUARDED_BY(mutex_) = Mood::kOpen;
  bool offered_ PANDO_GUARDED_BY(mutex_) = false;
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;
  size_t chunks_ PANDO_GUARDED_BY(mutex_) = 0;
  std::optional<io::StateMark> mark_ PANDO_GUARDED_BY(mutex_);
  model::Revision revision_ PANDO_GUARDED_BY(mutex_);
  absl::Status status_ PANDO_GUARDED_BY(mutex_);
  Records records_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::string> keys_ PANDO_GUARDED_BY(mutex_);
};

enum class Kind { kThread, kSim };

class StoreContract : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kThread) {
      driven_ = std::make_unique<DrivenThread>();
    } else {
      driven_ = std::make_unique<DrivenSim>();
    }
  }
  io::Store* store() { return driven_->store(); }

  void Write(uint64_t revision, std::vector<model::RecordWrite> writes, size_t data_bytes = 10) {
    io::StoreWrite write = WriteOf(revision, std::move(writes), data_bytes);
    Apply(write.delta, &expected_);
    write.digest = DigestOf(expected_);
    if (keep_history_) history_[revision] = expected_;
    store()->Write(std::move(write));
  }
  // Waits until the store has told that it holds `revision`; other events must not come.
  io::Stored AwaitStored(uint64_t revision) {
    while (true) {
      const std::optional<io::Event> event = driven_->Next();
      if (!event || !std::holds_alternative<io::Stored>(*event)) {
        ADD_FAILURE() << "no Stored for " << revision;
        return {};
      }
      const auto& stored = std::get<io::Stored>(*event);
      EXPECT_GT(stored.revision, stored_);
      stored_ = stored.revision;
      if (stored.revision >= R(revision)) return stored;
    }
  }
  io::ChangesRead ReadChanges(uint64_t from, size_t bytes_max = SIZE_MAX) {
    store()->ReadChanges(R(from), bytes_max);
    const std::optional<io::Event> event = driven_->Next();
    if (!event || !std::holds_alternative<io::ChangesRead>(*event)) {
      ADD_FAILURE() << "no ChangesRead";
      return {};
    }
    return std::get<io::ChangesRead>(*event);
  }
  static std::vector<uint64_t> Revisions(const io::ChangesRead& read) {
    std::vector<uint64_t> revisions;
    for (const auto& batch : read.batches) revisions.push_back(batch->revision.value());
    return revisions;
  }
  std::shared_ptr<Sink> Scan(std::vector<io::Scan::Range> ranges = {},
                             Sink::Mood mood = Sink::Mood::kOpen) {
    auto sink = std::make_shared<Sink>();
    sink->SetMood(mood);
    store()->StartScan({std::move(ranges), sink});
    return sink;
  }
  std::shared_ptr<Sink> ScanForMember() {
    auto sink = std::make_shared<Sink>();
    store()->StartScan({.ranges = {}, .sink = sink, .for_member = true});
    return sink;
  }
  // A snapshot of `records`, all of it.
  absl::Status Send(uint64_t revision, const Records& records, uint64_t digest) {
    absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> receiver =
        driven_->Receive({R(revision), model::Term(7), digest});
    if (!receiver.ok()) return receiver.status();
    for (const auto& [key, value] : records) {
      PANDO_RETURN_IF_ERROR((*receiver)->Take({{key, value}}));
    }
    return (*receiver)->Finish();
  }
  io::SnapshotReceived Receive(uint64_t revision, const Records& records) {
    EXPECT_EQ(Send(revision, records, DigestOf(records)), absl::OkStatus());
    return Await<io::SnapshotReceived>();
  }
  // Of what comes until then, nothing but Stored.
  template <class Event>
  Event Await() {
    while (const std::optional<io::Event> event = driven_->Next()) {
      if (std::holds_alternative<Event>(*event)) return std::get<Event>(*event);
      if (!std::holds_alternative<io::Stored>(*event)) break;
    }
    ADD_FAILURE() << "it does not come";
    return {};
  }
  bool Finished(const std::shared_ptr<Sink>& sink) {
    return driven_->WaitFor([&] { return sink->finished(); });
  }

  std::unique_ptr<Driven> driven_;
  Records expected_;
  bool keep_history_ = false;
  std::map<uint64_t, Records> history_;
  model::Revision stored_;
};

TEST_P(StoreContract, WhatIsStoredSurvives) {
  Write(1, {{"a", "1"}, {"b", "2"}});
  Write(5, {{"a", "3"}, {"b", std::nullopt}, {"c", ""}});
  EXPECT_EQ(AwaitStored(5).oldest_change, R(1));
  driven_->Crash(3);
  EXPECT_EQ(driven_->records(), expected_);
  EXPECT_EQ(driven_->mark(), (io::StateMark{R(5), model::Term(1), DigestOf(expected_)}));
  EXPECT_EQ(Revisions(ReadChanges(1)), (std::vector<uint64_t>{1, 5}));
}

TEST_P(StoreContract, ACrashLeavesTheStateOfOneRevision) {
  keep_history_ = true;
  base::Rng rng(11);
  uint64_t revision = 0;
  for (uint64_t life = 1; life <= 30; ++life) {
    const uint64_t last = revision + rng.Between(1, 40);
    const uint64_t awaited = rng.Between(revision, last);
    while (revision < last) {
      ++revision;
      Write(revision, {{absl::StrCat("k", rng.Below(8)), absl::StrCat(revision)}});
      if (revision == awaited) AwaitStored(awaited);
    }
    driven_->Crash(life);
    const io::StateMark mark = driven_->mark();
    ASSERT_GE(mark.revision, stored_) << "life " << life;
    ASSERT_LE(mark.revision, R(last));
    revision = mark.revision.value();
    expected_ = history_[revision];
    ASSERT_EQ(driven_->records(), expected_);
    ASSERT_EQ(mark.digest, DigestOf(expected_));
    const io::ChangesRead read = ReadChanges(1);
    ASSERT_EQ(read.through, mark.revision);
    ASSERT_EQ(read.batches.size(), revision);
    stored_ = mark.revision;
  }
}

TEST_P(StoreContract, AScanSeesOneRevisionWhileWritesGoOn) {
  for (uint64_t r = 1; r <= 600; ++r) {
    Write(r, {{absl::StrCat("key-", 1000 + r), std::string(1000, 'x')}});
  }
  const Records then = expected_;
  const std::shared_ptr<Sink> sink = Scan({}, Sink::Mood::kFull);
  ASSERT_TRUE(driven_->WaitFor([&] { return sink->offered(); }));
  for (uint64_t r = 601; r <= 1200; ++r) {
    Write(r, {{absl::StrCat("key-", 1000 + r - 600), std::nullopt}, {"new", absl::StrCat(r)}});
  }
  AwaitStored(1200);
  sink->SetMood(Sink::Mood::kOpen);
  ASSERT_TRUE(Finished(sink));
  EXPECT_TRUE(sink->status().ok()) << sink->status();
  EXPECT_EQ(sink->revision(), R(600));
  EXPECT_EQ(sink->records(), then);
  EXPECT_GT(sink->chunks(), 1u);
  const std::vector<std::string> keys = sink->keys();
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST_P(StoreContract, AScanHasAllThatWasWrittenBeforeIt) {
  for (uint64_t r = 1; r <= 20; ++r) {
    Write(r, {{absl::StrCat("k", r % 3), absl::StrCat(r)}});
    const std::shared_ptr<Sink> sink = Scan();
    ASSERT_TRUE(Finished(sink));
    EXPECT_EQ(sink->mark(), (io::StateMark{R(r), model::Term(1), DigestOf(expected_)}));
    EXPECT_EQ(sink->revision(), R(r));
    EXPECT_EQ(sink->records(), expected_);
  }
}

TEST_P(StoreContract, AScanOfNothingEnds) {
  const std::shared_ptr<Sink> all = Scan();
  ASSERT_TRUE(Finished(all));
  EXPECT_TRUE(all->status().ok());
  EXPECT_EQ(all->mark(), io::StateMark());
  Write(1, {{"a", "1"}, {"b", "2"}});
  const std::shared_ptr<Sink> none = Scan({{"c", "d"}});
  ASSERT_TRUE(Finished(none));
  EXPECT_TRUE(none->status().ok());
  EXPECT_EQ(none->revision(), R(1));
  EXPECT_FALSE(none->offered());
}

TEST_P(StoreContract, AScanReadsItsRangesInOrder) {
  Write(1, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}});
  const std::shared_ptr<Sink> sink = Scan({{"d", "e"}, {"x", "z"}, {"a", "c"}});
  ASSERT_TRUE(Finished(sink));
  EXPECT_EQ(sink->keys(), (std::vector<std::string>{"d", "a", "b"}));
}

TEST_P(StoreContract, ACancelledScanIsFinished) {
  Write(1, {{"a", "1"}});
  const std::shared_ptr<Sink> sink = Scan({}, Sink::Mood::kCancel);
  ASSERT_TRUE(Finished(sink));
  EXPECT_TRUE(absl::IsCancelled(sink->status()));
}

TEST_P(StoreContract, ScansAreBounded) {
  Write(1, {{"a", "1"}});
  std::vector<std::shared_ptr<Sink>> sinks;
  for (size_t i = 0; i < model::kScansMax + model::kScansQueuedMax; ++i) {
    sinks.push_back(Scan({}, Sink::Mood::kFull));
    ASSERT_FALSE(sinks.back()->finished()) << i;
  }
  const std::shared_ptr<Sink> beyond = Scan();
  EXPECT_TRUE(beyond->finished());
  EXPECT_TRUE(absl::IsResourceExhausted(beyond->status()));
  EXPECT_FALSE(beyond->mark().has_value());
  ASSERT_TRUE(driven_->WaitFor([&] { return sinks[model::kScansMax - 1]->offered(); }));
  EXPECT_FALSE(sinks[model::kScansMax]->offered()) << "only so many run at once";
  for (const auto& sink : sinks) sink->SetMood(Sink::Mood::kOpen);
  for (const auto& sink : sinks) {
    ASSERT_TRUE(Finished(sink));
    EXPECT_TRUE(sink->status().ok());
  }
  ASSERT_TRUE(Finished(Scan()));
}

TEST_P(StoreContract, AScanForAMemberWaitsForNoClient) {
  Write(1, {{"a", "1"}});
  std::vector<std::shared_ptr<Sink>> sinks;
  for (size_t i = 0; i < model::kScansMax + model::kScansQueuedMax; ++i) {
    sinks.push_back(Scan({}, Sink::Mood::kFull));
  }
  ASSERT_TRUE(driven_->WaitFor([&] { return sinks[model::kScansMax - 1]->offered(); }));
  const std::shared_ptr<Sink> member = ScanForMember();
  ASSERT_TRUE(Finished(member));
  EXPECT_TRUE(member->status().ok()) << member->status();
  EXPECT_EQ(member->keys(), (std::vector<std::string>{"a"}));
  EXPECT_FALSE(sinks[model::kScansMax]->offered()) << "it took no client's place, and left none";
  for (const auto& sink : sinks) sink->SetMood(Sink::Mood::kOpen);
  for (const auto& sink : sinks) ASSERT_TRUE(Finished(sink));
}

TEST_P(StoreContract, ChangesAreReadInWholeBatches) {
  for (uint64_t r = 2; r <= 10; r += 2) Write(r, {{"a", "1"}}, 1000);
  AwaitStored(10);
  const size_t one = BatchOf(4, 1000)->bytes();
  io::ChangesRead read = ReadChanges(1, 1);
  EXPECT_EQ(Revisions(read), (std::vector<uint64_t>{2}));
  EXPECT_EQ(read.from, R(1));
  EXPECT_GE(read.through, R(2));
  EXPECT_LT(read.through, R(4));
  EXPECT_EQ(Revisions(ReadChanges(3, 2 * one)), (std::vector<uint64_t>{4, 6}));
  EXPECT_EQ(Revisions(ReadChanges(4, 2 * one - 1)), (std::vector<uint64_t>{4}));
  read = ReadChanges(9, SIZE_MAX);
  EXPECT_EQ(Revisions(read), (std::vector<uint64_t>{10}));
  EXPECT_EQ(read.through, R(10));
  read = ReadChanges(11, SIZE_MAX);
  EXPECT_EQ(Revisions(read), (std::vector<uint64_t>{}));
  EXPECT_LT(read.through, R(11));
}

TEST_P(StoreContract, OldChangesGoAndSaySo) {
  uint64_t revision = 0;
  model::Revision oldest(1);
  while (oldest < R(20)) {
    for (int i = 0; i < 10; ++i) Write(++revision, {{"a", absl::StrCat(revision)}}, 50'000);
    oldest = AwaitStored(revision).oldest_change;
    ASSERT_LT(revision, 1000u);
  }
  const io::ChangesRead gone = ReadChanges(oldest.value() - 1);
  EXPECT_EQ(gone.oldest_change, oldest);
  EXPECT_TRUE(gone.batches.empty());
  const io::ChangesRead kept = ReadChanges(oldest.value());
  EXPECT_EQ(kept.oldest_change, oldest);
  EXPECT_EQ(kept.batches.size(), revision - oldest.value() + 1);
  EXPECT_EQ(kept.through, R(revision));
}

TEST_P(StoreContract, AFullDiskIsWaitedOut) {
  Write(1, {{"a", "1"}});
  AwaitStored(1);
  driven_->SetFull(true);
  for (uint64_t r = 2; r <= 50; ++r) Write(r, {{absl::StrCat("k", r), std::string(10'000, 'x')}});
  const std::shared_ptr<Sink> waiting = Scan();
  driven_->SetFull(false);
  AwaitStored(50);
  ASSERT_TRUE(Finished(waiting));
  // Either it waited too, or it was told to ask again.
  EXPECT_TRUE(waiting->status().ok() || absl::IsUnavailable(waiting->status()));
  driven_->Crash(1);
  EXPECT_EQ(driven_->records(), expected_);
  EXPECT_EQ(driven_->mark().revision, R(50));
}

// --- Snapshots that arrive --------------------------------------------------------------------

TEST_P(StoreContract, AReceivedSnapshotIsInForceOnceItIsInstalled) {
  Write(1, {{"a", "old"}, {"b", "old"}});
  AwaitStored(1);
  const Records snapshot = {{"b", "new"}, {"c", std::string(300'000, 'c')}, {"d", ""}};
  const io::SnapshotReceived received = Receive(50, snapshot);
  EXPECT_EQ(received.mark, (io::StateMark{R(50), model::Term(7), DigestOf(snapshot)}));
  EXPECT_EQ(dynamic_cast<const RecordsBuilder&>(*received.state).records(), snapshot);
  // It arrived beside the state, which goes on.
  Write(2, {{"a", "older"}});
  AwaitStored(2);

  store()->Install(received.install);
  EXPECT_EQ(Await<io::Installed>().install, received.install);
  EXPECT_EQ(ReadChanges(2).oldest_change, R(51));
  const std::shared_ptr<Sink> sink = Scan();
  ASSERT_TRUE(Finished(sink));
  EXPECT_EQ(sink->mark(), received.mark);
  EXPECT_EQ(sink->records(), snapshot);
  expected_ = snapshot;
  Write(51, {{"e", "after"}});
  EXPECT_EQ(AwaitStored(51).oldest_change, R(51));
  driven_->Crash(1);
  EXPECT_EQ(driven_->records(), expected_);
  EXPECT_EQ(driven_->mark().revision, R(51));
  EXPECT_EQ(driven_->wal_reset(), (std::pair{R(50), model::Term(7)}));
  EXPECT_EQ(Revisions(ReadChanges(51)), (std::vector<uint64_t>{51}));
  driven_->Crash(2);
  EXPECT_EQ(driven_->wal_reset(), std::nullopt);
}

TEST_P(StoreContract, WhatIsWrittenRightAfterAnInstallIsOfTheNewState) {
  for (uint64_t r = 1; r <= 20; ++r) Write(r, {{"a", absl::StrCat(r)}});
  const Records snapshot = {{"s", "1"}};
  const io::SnapshotReceived received = Receive(50, snapshot);
  for (uint64_t r = 21; r <= 40; ++r) Write(r, {{"a", absl::StrCat(r)}});
  store()->Install(received.install);
  expected_ = snapshot;
  Write(51, {{"t", "2"}});
  Write(52, {{"s", std::nullopt}});
  EXPECT_EQ(Await<io::Installed>().install, received.install);
  while (Await<io::Stored>().revision < R(52)) {
  }
  driven_->Crash(1);
  EXPECT_EQ(driven_->records(), expected_);
  EXPECT_EQ(driven_->mark(), (io::StateMark{R(52), model::Term(1), DigestOf(expected_)}));
}

TEST_P(StoreContract, WhatIsNoStateIsRefused) {
  Write(1, {{"a", "1"}});
  AwaitStored(1);
  const Records snapshot = {{"b", "2"}, {"c", "3"}};
  const io::StateMark mark{R(9), model::Term(1), DigestOf(snapshot)};
  EXPECT_TRUE(absl::IsDataLoss(Send(9, snapshot, mark.digest + 1)));
  EXPECT_TRUE(absl::IsDataLoss(Send(9, {{"b", "no record"}}, mark.digest)));
  const std::vector<std::vector<model::RecordWrite>> bad = {
      {{"b", "2"}, {"b", "2"}}, {{"c", "2"}, {"b", "2"}}, {{"", "2"}}, {{"b", std::nullopt}}};
  for (const std::vector<model::RecordWrite>& records : bad) {
    auto receiver = driven_->Receive(mark);
    ASSERT_TRUE(receiver.ok()) << receiver.status();
    EXPECT_TRUE(absl::IsDataLoss((*receiver)->Take(records)));
  }
  // None of them was announced.
  Write(2, {{"a", "2"}});
  AwaitStored(2);
  driven_->Crash(1);
  EXPECT_EQ(driven_->records(), expected_);
}

TEST_P(StoreContract, ADiscardedSnapshotMakesRoomForTheNext) {
  Write(1, {{"a", "1"}});
  AwaitStored(1);
  const Records snapshot = {{"b", "2"}};
  const io::SnapshotReceived first = Receive(9, snapshot);
  const io::SnapshotReceived second = Receive(10, snapshot);
  EXPECT_NE(first.install, second.install);
  EXPECT_TRUE(absl::IsResourceExhausted(Send(11, snapshot, DigestOf(snapshot))));
  store()->Discard(first.install);
  ASSERT_TRUE(driven_->WaitFor([&] { return driven_->Receive({R(11), model::Term(7), 0}).ok(); }));
  store()->Install(second.install);
  EXPECT_EQ(Await<io::Installed>().install, second.install);
  // And there is room for all of them again.
  const auto one = driven_->Receive({R(12), model::Term(7), 0});
  const auto two = driven_->Receive({R(13), model::Term(7), 0});
  EXPECT_TRUE(one.ok() && two.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(driven_->Receive({R(14), model::Term(7), 0}).status()));
}

TEST_P(StoreContract, AnInstallEndsTheScansOfTheOldState) {
  Write(1, {{"a", "1"}});
  const std::shared_ptr<Sink> old = Scan({}, Sink::Mood::kFull);
  ASSERT_TRUE(driven_->WaitFor([&] { return old->offered(); }));
  const io::SnapshotReceived received = Receive(9, {{"b", "2"}});
  store()->Install(received.install);
  const std::shared_ptr<Sink> after = Scan();
  ASSERT_TRUE(Finished(old));
  EXPECT_TRUE(absl::IsUnavailable(old->status()));
  ASSERT_TRUE(Finished(after));
  EXPECT_TRUE(after->status().ok());
  EXPECT_EQ(after->mark(), received.mark);
}

TEST_P(StoreContract, AnInstallWaitsForRoomAndGivesUpWhatIsOfTheOldState) {
  Write(1, {{"a", "1"}});
  AwaitStored(1);
  const io::SnapshotReceived received = Receive(9, {{"b", "2"}});
  driven_->SetFull(true);
  const std::shared_ptr<Sink> waiting = Scan();
  Write(2, {{"a", "2"}});
  Write(3, {{"a", "3"}});
  store()->Install(received.install);
  Write(10, {{"c", "3"}});
  driven_->SetFull(false);
  EXPECT_EQ(Await<io::Installed>().install, received.install);
  EXPECT_EQ(Await<io::Stored>().revision, R(10));
  ASSERT_TRUE(Finished(waiting));
  driven_->Crash(1);
  EXPECT_EQ(driven_->records(), (Records{{"b", "2"}, {"c", "3"}}));
}

TEST_P(StoreContract, ACrashFindsTheOldStateOrTheNewWhole) {
  const Records snapshot = {{"b", "2"}, {"c", "3"}};
  uint64_t revision = 0, old_found = 0, new_found = 0;
  for (uint64_t life = 1; life <= 40; ++life) {
    Write(++revision, {{"a", absl::StrCat(life)}});
    AwaitStored(revision);
    const io::SnapshotReceived received = Receive(revision + 9, snapshot);
    store()->Install(received.install);
    if (life % 4 == 0) Await<io::Installed>();
    driven_->Crash(life);
    if (driven_->mark().revision == R(revision)) {
      ++old_found;
      EXPECT_NE(life % 4, 0u);
      EXPECT_EQ(driven_->records(), expected_);
      EXPECT_EQ(driven_->wal_reset(), std::nullopt);
    } else {
      ++new_found;
      EXPECT_EQ(driven_->mark(), received.mark);
      EXPECT_EQ(driven_->records(), snapshot);
      EXPECT_EQ(driven_->wal_reset(), (std::pair{received.mark.revision, received.mark.term}));
      revision = received.mark.revision.value();
      expected_ = snapshot;
    }
    stored_ = R(revision);
  }
  EXPECT_GT(new_found, 0u);
  if (GetParam() == Kind::kSim) {
    EXPECT_GT(old_found, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, ::testing::Values(Kind::kThread, Kind::kSim),
                         [](const auto& info) {
                           return info.param == Kind::kThread ? "LevelDb" : "Sim";
                         });

}  // namespace
}  // namespace pando::store
