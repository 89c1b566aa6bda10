// Queues against the real machine: each session's Waiter is driven by hand, in any order.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/rng.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "recipe/queue.h"
#include "recipe/waiter.h"

namespace pando::recipe {
namespace {

using model::Reason;

constexpr char kName[] = "/locks/a";

class RecipeTest : public testing::Test {
 protected:
  RecipeTest() { Do(model::Found{model::ClusterId(5)}); }

  model::Reply Do(model::CommandBody body, model::SessionId session = {}) {
    model::Command command;
    command.session = session;
    command.body = std::move(body);
    return machine_.Apply(model::Revision(++revision_), command).reply;
  }
  model::SessionId Open() {
    const model::Reply reply =
        Do(model::OpenSession{.timeout_ms = 10'000, .token_hash = std::string(32, 'x')});
    EXPECT_TRUE(reply.ok());
    return std::get<model::SessionResult>(reply.result).session;
  }

  // One caller of Lock.
  struct Caller {
    model::SessionId session;
    Waiter waiter;
    Waiter::Step step;
    // Where it is: nothing yet, or done.
    const Waiter::Done* done() const { return std::get_if<Waiter::Done>(&step); }
    const Waiter::Watch* watch() const { return std::get_if<Waiter::Watch>(&step); }
  };
  std::unique_ptr<Caller> Call(model::SessionId session) {
    auto caller = std::make_unique<Caller>(
        Caller{session, Waiter(kName, session, "who", {}), Waiter::Done{}});
    caller->step = caller->waiter.Start();
    return caller;
  }
  // Its next step; false if it has to wait, or is done.
  bool Step(Caller* caller) {
    if (const auto* write = std::get_if<Waiter::Write>(&caller->step)) {
      caller->step = caller->waiter.OnReply(Do(write->transaction, caller->session));
    } else if (const auto* read = std::get_if<Waiter::Read>(&caller->step)) {
      caller->step = caller->waiter.OnReply(
          machine_.Query({.identities = {{"super", ""}}, .body = read->list}));
    } else if (caller->watch() != nullptr && IsGone(*caller->watch())) {
      caller->step = caller->waiter.OnGone();
    } else {
      return false;
    }
    return true;
  }
  void Run(Caller* caller) {
    while (Step(caller)) continue;
  }
  bool IsGone(const Waiter::Watch& watch) {
    for (const model::WatchTarget& target : watch.targets) {
      if (!machine_.Query({.body = model::Get{.path = target.path}}).ok()) return true;
    }
    return false;
  }
  std::vector<Place> Places() {
    Listing listing(kName, /*with_data=*/true);
    while (!listing.Add(machine_.Query({.body = listing.NextPage()}))) continue;
    return listing.TakePlaces();
  }
  model::Error Unlock(const std::string& path, model::SessionId session) {
    return ReleasedError(path, Do(Release(path, session), session));
  }

  machine::Machine machine_;
  uint64_t revision_ = 0;
};

TEST_F(RecipeTest, TheFirstHoldsAndTheNextFollows) {
  const auto ann = Call(Open());
  const auto bob = Call(Open());
  Run(ann.get());
  Run(bob.get());
  ASSERT_NE(ann->done(), nullptr);
  EXPECT_TRUE(ann->done()->error.ok());
  ASSERT_NE(bob->watch(), nullptr);
  EXPECT_EQ(bob->watch()->targets[0].path, ann->done()->place.path);
  EXPECT_EQ(Places().size(), 2u);
  EXPECT_EQ(Places()[0].session, ann->session);
  EXPECT_EQ(Places()[0].data, "who");

  EXPECT_TRUE(Unlock(ann->done()->place.path, ann->session).ok());
  Run(bob.get());
  ASSERT_NE(bob->done(), nullptr);
  EXPECT_GT(bob->done()->place.token, ann->done()->place.token);
}

TEST_F(RecipeTest, ARepeatKeepsThePlaceAndTheToken) {
  const auto ann = Call(Open());
  Run(ann.get());
  const auto again = Call(ann->session);
  Run(again.get());
  ASSERT_NE(again->done(), nullptr);
  EXPECT_EQ(again->done()->place.token, ann->done()->place.token);
  EXPECT_EQ(Places().size(), 1u);
}

TEST_F(RecipeTest, InAHurryItLeavesUnlessItIsAtTheHead) {
  const auto ann = Call(Open());
  ann->waiter.Hurry();
  Run(ann.get());
  EXPECT_TRUE(ann->done()->error.ok());
  const auto bob = Call(Open());
  bob->waiter.Hurry();
  Run(bob.get());
  ASSERT_NE(bob->done(), nullptr);
  EXPECT_EQ(bob->done()->error.reason, Reason::kTimeout);
  EXPECT_EQ(Places().size(), 1u);
}

// The first call's server gives up for a client that waits on another server meanwhile.
TEST_F(RecipeTest, ACallThatGivesUpTakesNothingFromALaterOne) {
  const auto ann = Call(Open());
  Run(ann.get());
  const auto bob = Call(Open());
  Run(bob.get());
  const auto again = Call(bob->session);
  Run(again.get());
  bob->waiter.Hurry();
  bob->step = bob->waiter.OnGone();
  Run(bob.get());
  EXPECT_EQ(bob->done()->error.reason, Reason::kTimeout);
  EXPECT_EQ(Places().size(), 2u);
  EXPECT_TRUE(Unlock(ann->done()->place.path, ann->session).ok());
  Run(again.get());
  EXPECT_TRUE(again->done()->error.ok());
}

TEST_F(RecipeTest, TheEndOfASessionIsTheEndOfItsPlace) {
  const auto ann = Call(Open());
  const auto bob = Call(Open());
  const auto cid = Call(Open());
  for (const auto& caller : {ann.get(), bob.get(), cid.get()}) Run(caller);
  Do(model::CloseSession{bob->session}, bob->session);
  Run(cid.get());
  ASSERT_NE(cid->watch(), nullptr) << "ann still holds it";
  EXPECT_EQ(cid->watch()->targets[0].path, ann->done()->place.path);
  Run(bob.get());
  EXPECT_EQ(bob->done()->error.reason, Reason::kSessionExpired);
  Do(model::CloseSession{ann->session}, ann->session);
  Run(cid.get());
  EXPECT_TRUE(cid->done()->error.ok());
}

TEST_F(RecipeTest, OnlyItsOwnSessionGivesAPlaceBack) {
  const auto ann = Call(Open());
  Run(ann.get());
  const std::string path = ann->done()->place.path;
  EXPECT_EQ(Unlock(path, Open()).reason, Reason::kPermissionDenied);
  EXPECT_EQ(Places().size(), 1u);
  EXPECT_TRUE(Unlock(path, ann->session).ok());
  EXPECT_TRUE(Unlock(path, ann->session).ok()) << "what is gone already is success";
}

TEST_F(RecipeTest, AQueueThatIsDeletedIsJoinedAgain) {
  const auto ann = Call(Open());
  const auto bob = Call(Open());
  Run(ann.get());
  Run(bob.get());
  Do(model::Delete{.path = kName, .recursive = true});
  Run(bob.get());
  ASSERT_NE(bob->done(), nullptr);
  EXPECT_TRUE(bob->done()->error.ok());
}

TEST_F(RecipeTest, NodesThatAreNobodysAreNoPlaces) {
  Do(model::Create{.path = std::string(kName) + "/session-0", .create_parents = true});
  Do(model::Create{.path = std::string(kName) + "/other"});
  const auto ann = Call(Open());
  Run(ann.get());
  ASSERT_NE(ann->done(), nullptr);
  EXPECT_TRUE(ann->done()->error.ok());
}

// Whatever the order: at most one holds it, tokens only rise, and everybody's turn comes.
TEST_F(RecipeTest, OneHoldsItAtATimeInAnyOrder) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    base::Rng rng(seed);
    std::map<uint64_t, std::unique_ptr<Caller>> callers;
    std::optional<uint64_t> holder;
    model::Revision last_token;
    int turns = 0;
    for (uint64_t i = 0; i < 6; ++i) callers[i] = Call(Open());
    for (int step = 0; step < 2'000 && turns < 30; ++step) {
      const uint64_t i = rng.Below(6);
      Caller* caller = callers[i].get();
      const Waiter::Done* done = caller->done();
      if (done == nullptr) {
        Step(caller);
        done = caller->done();
        if (done == nullptr) continue;
        ASSERT_TRUE(done->error.ok());
        ASSERT_FALSE(holder) << "two hold it";
        ASSERT_GT(done->place.token, last_token);
        last_token = done->place.token;
        holder = i;
        ++turns;
      } else if (holder == i && rng.Chance(300)) {
        if (rng.Chance(500)) {
          ASSERT_TRUE(Unlock(done->place.path, caller->session).ok());
        } else {
          Do(model::CloseSession{caller->session}, caller->session);
        }
        holder.reset();
        callers[i] = Call(Open());
      }
    }
    EXPECT_EQ(turns, 30);
    for (const auto& [i, caller] : callers)
      Do(model::CloseSession{caller->session}, caller->session);
  }
}

}  // namespace
}  // namespace pando::recipe
