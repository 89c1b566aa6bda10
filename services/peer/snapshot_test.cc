// Snapshots from one server to another over real sockets.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "peer/testing/server.h"

namespace pando::peer {
namespace {

using model::ServerId;

constexpr io::StateMark kMark{model::Revision(70), model::Term(7), 0xfedcba9876543210};

// What a store would build; the calls come from one of gRPC's threads.
class Received {
 public:
  io::ReceiveSnapshot Receive() {
    return
        [this](const io::StateMark& mark) -> absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> {
          const std::lock_guard lock(mutex_);
          mark_ = mark;
          records_.clear();
          finished_ = false;
          return std::make_unique<Receiver>(this);
        };
  }
  io::StateMark mark() { return Locked(mark_); }
  bool finished() { return Locked(finished_); }
  std::vector<model::RecordWrite> records() { return Locked(records_); }
  // Every Take waits, until GoOn.
  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    goes_on_.notify_all();
  }
  // The next Take fails with this.
  void FailWith(absl::Status status) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(status);
  }

 private:
  class Receiver : public io::SnapshotReceiver {
   public:
    explicit Receiver(Received* received) : received_(received) {}
    absl::Status Take(const std::vector<model::RecordWrite>& records) override {
      std::unique_lock lock(received_->mutex_);
      received_->goes_on_.wait(lock, [this] { return !received_->held_; });
      if (!received_->failure_.ok()) return received_->failure_;
      received_->records_.insert(received_->records_.end(), records.begin(), records.end());
      return absl::OkStatus();
    }
    absl::Status Finish() override {
      const std::lock_guard lock(received_->mutex_);
      received_->finished_ = true;
      return absl::OkStatus();
    }

   private:
    Received* const received_;
  };

  template <class T>
  T Locked(const T& value) {
    const std::lock_guard lock(mutex_);
    return value;
  }

  std::mutex mutex_;
  std::condition_variable goes_on_;
  bool held_ = false;
  io::StateMark mark_;
  std::vector<model::RecordWrite> records_;
  bool finished_ = false;
  absl::Status failure_;
};

class Snapshot : public testing::Test {
 protected:
  Snapshot() : to_(2, 0, std::chrono::hours(1), received_.Receive()) {
    from_.Call({to_.address()});
    from_.Next<io::PeerReady>();
  }

  // Offers until it is taken, as the scan thread does.
  io::Taken Offer(io::ScanSink* sink, const std::vector<model::RecordWrite>& records) {
    for (;;) {
      const io::Taken taken = sink->Take(kMark.revision, records);
      if (taken != io::Taken::kFull) return taken;
      ++full_;
    }
  }
  static std::vector<model::RecordWrite> Chunk(int number) {
    return {{"key" + std::to_string(100 + number) + "a", std::string(100'000, 'x')},
            {"key" + std::to_string(100 + number) + "b", std::string()}};
  }

  Received received_;
  Server from_{1};
  Server to_;
  size_t full_ = 0;
};

TEST_F(Snapshot, ComesWholeAndInOrder) {
  const auto sink = from_.peers().SendSnapshot(ServerId(2));
  sink->Begin(kMark);
  std::vector<model::RecordWrite> sent;
  for (int i = 0; i < 50; ++i) {
    const auto chunk = Chunk(i);
    sent.insert(sent.end(), chunk.begin(), chunk.end());
    ASSERT_EQ(Offer(sink.get(), chunk), io::Taken::kTaken);
  }
  sink->Finish(kMark.revision, absl::OkStatus());
  const auto ended = from_.Next<io::SnapshotSent>();
  EXPECT_TRUE(ended.good);
  EXPECT_EQ(ended.to, ServerId(2));
  EXPECT_TRUE(received_.finished());
  EXPECT_EQ(received_.mark(), kMark);
  EXPECT_EQ(received_.records(), sent);
  EXPECT_GT(full_, 0u);  // one part at a time
}

TEST_F(Snapshot, BrokenOffScanIsNotTaken) {
  const auto sink = from_.peers().SendSnapshot(ServerId(2));
  sink->Begin(kMark);
  ASSERT_EQ(Offer(sink.get(), Chunk(1)), io::Taken::kTaken);
  sink->Finish(kMark.revision, absl::UnavailableError("the store has to be reopened"));
  EXPECT_FALSE(from_.Next<io::SnapshotSent>().good);
  EXPECT_FALSE(received_.finished());
}

TEST_F(Snapshot, ScanThatNeverBeganIsToldToo) {
  const auto sink = from_.peers().SendSnapshot(ServerId(2));
  sink->Finish(model::Revision(), absl::ResourceExhaustedError("too many scans wait"));
  EXPECT_FALSE(from_.Next<io::SnapshotSent>().good);
}

TEST_F(Snapshot, FailureOverThereEndsTheScan) {
  received_.FailWith(absl::DataLossError("no record of this program"));
  const auto sink = from_.peers().SendSnapshot(ServerId(2));
  sink->Begin(kMark);
  io::Taken taken = io::Taken::kTaken;
  for (int i = 0; i < 10'000 && taken == io::Taken::kTaken; ++i)
    taken = Offer(sink.get(), Chunk(i));
  EXPECT_EQ(taken, io::Taken::kCancelled);
  sink->Finish(kMark.revision, absl::CancelledError(""));
  EXPECT_FALSE(from_.Next<io::SnapshotSent>().good);
}

TEST_F(Snapshot, StrangerIsNotListenedTo) {
  Server stranger(3);
  stranger.Call({to_.address()});
  stranger.Next<io::PeerReady>();
  to_.Await<io::PeerOpened>();
  to_.peers().Refuse(to_.Next<io::PeerOpened>().channel, io::Refusal::kNotAMember, "who?");
  stranger.Await<io::PeerRefused>();
  const auto sink = stranger.peers().SendSnapshot(ServerId(2));
  sink->Begin(kMark);
  sink->Finish(kMark.revision, absl::OkStatus());
  EXPECT_FALSE(stranger.Next<io::SnapshotSent>().good);
  EXPECT_FALSE(received_.finished());
}

// A heartbeat that came behind a snapshot would come after its follower has stood.
TEST_F(Snapshot, MessagesDoNotWaitBehindOneThatIsReadSlowly) {
  to_.Call({from_.address()});
  to_.Next<io::PeerOpened>();
  const auto to_from = from_.Next<io::PeerOpened>();
  to_.Next<io::PeerReady>();
  received_.Hold();
  const auto sink = from_.peers().SendSnapshot(ServerId(2));
  sink->Begin(kMark);
  // As much as fits into the connection, and then some.
  size_t full_in_a_row = 0;
  for (int i = 0; full_in_a_row < 100'000;) {
    const bool taken = sink->Take(kMark.revision, Chunk(i)) == io::Taken::kTaken;
    full_in_a_row = taken ? 0 : full_in_a_row + 1;
    if (taken) ++i;
  }
  for (uint64_t i = 0; i < 100; ++i) {
    from_.Send(to_, {Numbered(i)});
    EXPECT_EQ(std::get<raft::ReadRequest>(
                  std::get<raft::Message>(to_.Next<io::PeerMessages>().messages.at(0)))
                  .id,
              i);
    to_.Send(from_, {Numbered(i)});
    EXPECT_EQ(from_.NextNumbers(to_from.channel, 1), std::vector<uint64_t>{i});
  }
  EXPECT_FALSE(received_.finished());
  received_.GoOn();
  sink->Finish(kMark.revision, absl::OkStatus());
  EXPECT_TRUE(from_.Next<io::SnapshotSent>().good);
}

// Shutdown ends the calls that it finds, while the scan thread may be about to start one.
TEST_F(Snapshot, CallThatIsEndedBeforeItStartsIsOver) {
  io::Inbox inbox;
  std::promise<void> done;
  Options options;
  options.now = SteadyNow;
  SnapshotCall call(options, &inbox, to_.address(), [&](SnapshotCall*) { done.set_value(); });
  call.Finish(false);
  call.Start({});
  done.get_future().wait();
  EXPECT_EQ(call.Take(Chunk(1)), io::Taken::kCancelled);
  EXPECT_FALSE(received_.finished());
}

TEST_F(Snapshot, ShutdownDoesNotWaitForIt) {
  const auto sink = from_.peers().SendSnapshot(ServerId(2));
  sink->Begin(kMark);
  from_.peers().Shutdown();
  EXPECT_NE(Offer(sink.get(), Chunk(1)), io::Taken::kTaken);
  sink->Finish(kMark.revision, absl::CancelledError(""));
}

}  // namespace
}  // namespace pando::peer
