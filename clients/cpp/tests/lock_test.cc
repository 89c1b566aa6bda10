#include "pando/client/lock.h"

#include <future>

#include "world.h"

namespace pando::client {
namespace {

using Locks = World;

TEST_F(Locks, ALockGoesFromHolderToHolderWithHigherTokens) {
  const auto ann = World::Connect(), bob = World::Connect();
  const std::string name = root_ + "/lock";
  auto first = Must(Lock::Take(ann.get(), name, seconds(0)));
  EXPECT_THAT(Lock::Take(bob.get(), name, seconds(0)), FailedWith(Reason::kTimeout));
  auto waiting =
      std::async(std::launch::async, [&] { return Lock::Take(bob.get(), name, seconds(10)); });
  const int64_t token = first->fencing_token();
  first.reset();
  const auto second = Must(waiting.get());
  EXPECT_GT(second->fencing_token(), token);
  EXPECT_TRUE(second->Release().ok());
  Must(Lock::Take(ann.get(), name, seconds(0)));
}

// Nothing may be waited for there.
TEST_F(Locks, ALockThatIsDroppedOnTheSessionsThreadIsGivenBack) {
  const auto ann = World::Connect(), bob = World::Connect();
  const std::string name = root_ + "/lock";
  auto lock = Must(Lock::Take(ann.get(), name, seconds(0)));
  ann->AsyncGet(GetOf(root_), [&](const absl::StatusOr<v1::GetResponse>&) { lock.reset(); });
  Must(Lock::Take(bob.get(), name, seconds(10)));
}

TEST_F(Locks, WhoWaitsForEverWaits) {
  const auto session = World::Connect();
  Must(Lock::Take(session.get(), root_ + "/lock", std::chrono::milliseconds::max()));
}

// The servers wait for as long as they have promised; the holder, for less.
TEST_F(Locks, WhoIsCutOffKnowsItBeforeTheNextHasTheLock) {
  const std::string front = Front(1);
  const auto ann = World::Connect({.endpoints = {front}, .session_timeout = seconds(2)});
  const auto bob = World::Connect();
  const auto held = Must(Lock::Take(ann.get(), root_ + "/lock", seconds(0)));
  const auto events = ann->Events();
  auto next = std::async(std::launch::async, [&] {
    Must(Lock::Take(bob.get(), root_ + "/lock", seconds(20)));
    return Clock::now();
  });
  Ask("silence " + front);
  EXPECT_TRUE(Until(events.get(), SessionEvent::kLost, milliseconds(2500)));
  const Clock::time_point known = Clock::now();
  EXPECT_LT(known, next.get());
}

// Whoever has lost a lock changes nothing with it.
TEST_F(Locks, AWriteIsGuardedByItsLock) {
  const auto session = World::Connect();
  const auto lock = Must(Lock::Take(session.get(), root_ + "/lock", seconds(0)));
  v1::TransactRequest guarded;
  *guarded.add_compares() = lock->Guard();
  *guarded.add_then_operations()->mutable_set() = SetOf(root_, "x");
  EXPECT_TRUE(Must(session->Transact(guarded)).compared_true());
  EXPECT_TRUE(lock->Release().ok());
  EXPECT_FALSE(Must(session->Transact(guarded)).compared_true());
}

TEST_F(Locks, ALeaderIsElectedWhenTheOneBeforeResigns) {
  const auto ann = World::Connect(), bob = World::Connect();
  const std::string name = root_ + "/election";
  const auto first = Must(Leadership::Campaign(ann.get(), name, seconds(0), "ann"));
  auto standing = std::async(std::launch::async, [&] {
    return Leadership::Campaign(bob.get(), name, seconds(10), "bob");
  });
  EXPECT_TRUE(first->Resign().ok());
  const auto second = Must(standing.get());
  EXPECT_GT(second->fencing_token(), first->fencing_token());
  EXPECT_EQ(Must(bob->Get(GetOf(second->ownership_path()))).data(), "bob");
}

}  // namespace
}  // namespace pando::client
