#include "io/inbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "io/testing/drain.h"
#include "model/limits.h"

namespace pando::io {
namespace {

using By = Inbox::By;

constexpr base::Duration kLong = std::chrono::hours(1);

base::Instant Now() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

Event Numbered(uint64_t id) { return Persisted{raft::AppendId(id)}; }

RequestBatch Requests(size_t count) {
  RequestBatch batch;
  batch.requests.resize(count);
  return batch;
}

class RecordingEgress : public Egress {
 public:
  void Send(std::vector<Parcel>) override {}
  bool Hold() override {
    ++holds;
    return can_hold;
  }
  void Release() override {
    ++releases;
    if (in_release) in_release();
  }

  bool can_hold = true;
  size_t holds = 0;
  size_t releases = 0;
  std::function<void()> in_release;
};

// A core that counts its turns on other threads than its own, and what they bring.
class InboxTest : public testing::Test {
 protected:
  void LendTurns() {
    inbox_.SetTurn(
        [this](std::vector<Event>* events) {
          ++lent_turns_;
          lent_events_ += events->size();
          events->clear();
          if (in_turn_) in_turn_();
          return due_;
        },
        &egress_);
  }
  // What the core's own thread finds.
  size_t Drained(base::Duration timeout = base::Duration(0)) {
    std::vector<Event> events;
    Drain(&inbox_, timeout, &events);
    return events.size();
  }

  Inbox inbox_;
  RecordingEgress egress_;
  size_t lent_turns_ = 0;
  size_t lent_events_ = 0;
  std::function<void()> in_turn_;
  base::Instant due_ = Now() + 2 * kLong;  // after a sleeper looks by itself
};

TEST_F(InboxTest, TheTurnRunsOnTheThreadThatLendsItself) {
  LendTurns();
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Post(Numbered(2), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(lent_turns_, 1u);
  EXPECT_EQ(lent_events_, 2u);
}

TEST_F(InboxTest, NothingToDoIsNoTurn) {
  LendTurns();
  inbox_.Lend();
  EXPECT_EQ(lent_turns_, 0u);
}

TEST_F(InboxTest, OneTurnAtATime) {
  LendTurns();
  EXPECT_EQ(Drained(), 0u);  // the core's own thread has it now
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(lent_turns_, 0u);
  EXPECT_EQ(Drained(), 1u);
}

TEST_F(InboxTest, WhatComesDuringALentTurnIsTheCoresOwn) {
  LendTurns();
  in_turn_ = [this] {
    inbox_.Post(Numbered(2), By::kCaller);
    inbox_.Lend();
  };
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(lent_turns_, 1u);
  EXPECT_EQ(Drained(), 1u);
}

TEST_F(InboxTest, ManyRequestsAreTheCoresOwn) {
  LendTurns();
  ASSERT_TRUE(inbox_.TryPost(Requests(Inbox::kLentRequestsMax + 1), nullptr, By::kCaller));
  inbox_.Lend();
  EXPECT_EQ(lent_turns_, 0u);
  EXPECT_EQ(Drained(kLong), 1u);
  EXPECT_EQ(Drained(), 0u);
}

TEST_F(InboxTest, AsManyRequestsAsAreLentForAreNot) {
  LendTurns();
  ASSERT_TRUE(inbox_.TryPost(Requests(Inbox::kLentRequestsMax), nullptr, By::kCaller));
  inbox_.Lend();
  EXPECT_EQ(lent_turns_, 1u);
}

TEST_F(InboxTest, WhoeverWaitsForRoomHearsOfALentTurn) {
  LendTurns();
  bool room = false;
  ASSERT_TRUE(inbox_.TryPost(Requests(1), nullptr, By::kCaller));
  ASSERT_FALSE(inbox_.TryPost(Requests(model::kInboxRequestsMax), [&] { room = true; }));
  inbox_.Lend();
  EXPECT_TRUE(room);
}

// A call's lock may be held by somebody who posts, or waits for one who does: no turn takes it.
TEST_F(InboxTest, RepliesAreDeliveredAfterTheTurnIsGivenBack) {
  LendTurns();
  in_turn_ = [this] {
    EXPECT_EQ(egress_.holds, lent_turns_);
    EXPECT_EQ(egress_.releases, lent_turns_ - 1);
  };
  egress_.in_release = [this] {
    if (egress_.releases > 1) return;
    inbox_.Post(Numbered(2), By::kCaller);
    inbox_.Lend();
    EXPECT_EQ(lent_turns_, 2u) << "somebody has the turn";
  };
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(egress_.releases, 2u);
}

TEST_F(InboxTest, WhoeverCannotDeliverLeavesTheRepliesAlone) {
  LendTurns();
  egress_.can_hold = false;
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(lent_turns_, 1u);
  EXPECT_EQ(egress_.releases, 0u);
}

TEST_F(InboxTest, NobodyLendsWhatOthersWaitForWithALock) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  LendTurns();
  base::Mutex mutex;
  EXPECT_DEATH(
      {
        base::MutexLock lock(&mutex);
        inbox_.Lend();
      },
      "locks_held");
}

// The rest is about a core's thread that sleeps. It looks at a clock of the test's to know whether
// to sleep, so that the test knows when it is about to; should it not be woken, the test hangs.
class SleepingCore : public InboxTest {
 protected:
  ~SleepingCore() override {
    if (thread_.joinable()) thread_.join();
  }
  void Sleep() {
    thread_ = std::thread([this] {
      std::vector<Event> events;
      const auto clock = [this] {
        if (!looked_) about_to_sleep_.set_value();
        looked_ = true;
        return Now();
      };
      inbox_.Take(clock, Now() + kLong, &events);
      found_.set_value(events.size());
    });
    about_to_sleep_.get_future().wait();
  }
  size_t Found() { return found_.get_future().get(); }

  std::thread thread_;
  bool looked_ = false;
  std::promise<void> about_to_sleep_;
  std::promise<size_t> found_;
};

TEST_F(SleepingCore, IsWokenByAPost) {
  LendTurns();
  Sleep();
  inbox_.Post(Numbered(1));
  EXPECT_EQ(Found(), 1u);
}

TEST_F(SleepingCore, IsWokenByAPostAfterOneThatWasToBeLentFor) {
  LendTurns();
  Sleep();
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Post(Numbered(2));
  EXPECT_EQ(Found(), 2u);
}

TEST_F(SleepingCore, IsWokenByALenderThatCannotRunTurns) {
  Sleep();
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(Found(), 1u);
}

TEST_F(SleepingCore, IsWokenForWhatALentTurnLeaves) {
  LendTurns();
  in_turn_ = [this] { inbox_.Post(Numbered(2)); };
  Sleep();
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(Found(), 1u);
}

TEST_F(SleepingCore, IsWokenIfALentTurnMakesTheNextOneDueEarlier) {
  LendTurns();
  Sleep();
  due_ = Now();
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(Found(), 0u);
  EXPECT_EQ(lent_turns_, 1u);
}

TEST_F(SleepingCore, WaitsForTheEndOfALentTurn) {
  LendTurns();
  std::future<size_t> found = found_.get_future();
  in_turn_ = [&] {
    inbox_.Post(Numbered(2));
    thread_ = std::thread([this] { found_.set_value(Drained(kLong)); });
    EXPECT_EQ(found.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  };
  inbox_.Post(Numbered(1), By::kCaller);
  inbox_.Lend();
  EXPECT_EQ(found.get(), 1u);
}

}  // namespace
}  // namespace pando::io
