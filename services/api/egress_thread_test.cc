#include "api/egress_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace pando::api {
namespace {

// Keeps what it is told, and on which thread. `full` is told once all of `expected` is here.
class Sink : public io::ReplySink {
 public:
  explicit Sink(size_t expected) : expected_(expected) {}

  void Deliver(std::vector<io::Completion> completions) override {
    base::MutexLock lock(&mutex_);
    for (const io::Completion& completion : completions) {
      tags_.push_back(completion.tag);
      threads_.push_back(std::this_thread::get_id());
    }
    if (tags_.size() == expected_) full_.set_value();
  }

  void WaitUntilFull() { full_.get_future().wait(); }
  std::vector<uint64_t> tags() {
    base::MutexLock lock(&mutex_);
    return tags_;
  }
  std::thread::id thread_of(size_t index) {
    base::MutexLock lock(&mutex_);
    return threads_.at(index);
  }

 private:
  const size_t expected_;
  base::Mutex mutex_;
  std::vector<uint64_t> tags_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::thread::id> threads_ PANDO_GUARDED_BY(mutex_);
  std::promise<void> full_;
};

// Replies first to last, of one call.
std::vector<io::Egress::Parcel> Replies(const std::shared_ptr<Sink>& sink, uint64_t first,
                                        uint64_t last) {
  std::vector<io::Egress::Parcel> parcels(1);
  parcels.front().sink = sink;
  for (uint64_t tag = first; tag <= last; ++tag) {
    parcels.front().completions.push_back({.tag = tag});
  }
  return parcels;
}

TEST(EgressThread, WhatIsSentIsDeliveredOnItsThread) {
  EgressThread egress;
  const auto sink = std::make_shared<Sink>(1);
  egress.Send(Replies(sink, 1, 1));
  sink->WaitUntilFull();
  EXPECT_NE(sink->thread_of(0), std::this_thread::get_id());
}

TEST(EgressThread, WhoeverHoldsItDeliversWhenItReleasesIt) {
  EgressThread egress;
  const auto sink = std::make_shared<Sink>(1);
  ASSERT_TRUE(egress.Hold());
  egress.Send(Replies(sink, 1, 1));
  EXPECT_TRUE(sink->tags().empty());
  egress.Release();
  ASSERT_EQ(sink->tags().size(), 1u);
  EXPECT_EQ(sink->thread_of(0), std::this_thread::get_id());
}

TEST(EgressThread, OneHoldsItAtATime) {
  EgressThread egress;
  ASSERT_TRUE(egress.Hold());
  EXPECT_FALSE(egress.Hold());
  egress.Release();
  EXPECT_TRUE(egress.Hold());
  egress.Release();
}

TEST(EgressThread, ManyRepliesAreItsThreads) {
  EgressThread egress;
  const auto sink = std::make_shared<Sink>(17);
  ASSERT_TRUE(egress.Hold());
  egress.Send(Replies(sink, 1, 17));
  egress.Release();
  sink->WaitUntilFull();
  EXPECT_NE(sink->thread_of(0), std::this_thread::get_id());
}

TEST(EgressThread, RepliesOfSeveralCallsAreItsThreads) {
  EgressThread egress;
  const auto one = std::make_shared<Sink>(1);
  const auto other = std::make_shared<Sink>(1);
  ASSERT_TRUE(egress.Hold());
  egress.Send(Replies(one, 1, 1));
  egress.Send(Replies(other, 1, 1));
  egress.Release();
  one->WaitUntilFull();
  other->WaitUntilFull();
  EXPECT_NE(one->thread_of(0), std::this_thread::get_id());
}

// What the core's own thread sends, while a lender delivers, comes after that.
TEST(EgressThread, ASinkGetsItsRepliesInTheirOrder) {
  constexpr uint64_t kTurns = 2'000;
  EgressThread egress;
  const auto sink = std::make_shared<Sink>(2 * kTurns);
  for (uint64_t turn = 0; turn < kTurns; ++turn) {
    const bool held = egress.Hold();
    egress.Send(Replies(sink, 2 * turn, 2 * turn));
    std::thread release([&] {
      if (held) egress.Release();
    });
    egress.Send(Replies(sink, 2 * turn + 1, 2 * turn + 1));
    release.join();
  }
  sink->WaitUntilFull();
  std::vector<uint64_t> wanted(2 * kTurns);
  for (uint64_t tag = 0; tag < wanted.size(); ++tag) wanted[tag] = tag;
  EXPECT_EQ(sink->tags(), wanted);
}

TEST(EgressThread, EndsAfterWhatIsHeldIsDelivered) {
  const auto sink = std::make_shared<Sink>(1);
  std::thread releases;
  {
    EgressThread egress;
    ASSERT_TRUE(egress.Hold());
    egress.Send(Replies(sink, 1, 1));
    releases = std::thread([&] { egress.Release(); });
  }
  EXPECT_EQ(sink->tags().size(), 1u);
  releases.join();
}

TEST(EgressThread, NobodyDeliversWithALockThatASinkMayWant) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EgressThread egress;
  base::Mutex mutex;
  EXPECT_DEATH(
      {
        ASSERT_TRUE(egress.Hold());
        base::MutexLock lock(&mutex);
        egress.Release();
      },
      "locks_held");
}

}  // namespace
}  // namespace pando::api
