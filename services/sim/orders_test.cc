// Several servers, step by step: what becomes of an order that the ensemble is given.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "sim/testing/small_ensemble.h"

namespace pando::sim {
namespace {

class OrdersTest : public EnsembleTest {
 protected:
  auto Order(uint64_t asked, io::AdminOrder order, model::Revision config = {}) {
    io::Request request;
    request.body = io::Administer{.order = std::move(order), .config = config};
    return Ask(asked, std::move(request));
  }
  // The revision of the node that tells the members, which is made here.
  model::Revision TellMembers() {
    for (const char* path : {"/zookeeper", "/zookeeper/config"}) {
      io::Request make;
      make.body =
          model::Command{.identities = {{"super", ""}}, .body = model::Create{.path = path}};
      EXPECT_TRUE(Call(leader_, std::move(make))->ok());
    }
    return ReplicaOf(leader_).machine().config_revision();
  }
  void StartFive() {
    Make(5);
    StartAll();
    leader_ = Leader();
    ASSERT_NE(leader_, 0u);
    schedule_.RunFor(seconds(1));
  }
  // Steps until server `id` leads nobody and follows nobody.
  void AwaitNoLeader(uint64_t id) {
    const base::Instant end = schedule_.now() + seconds(10);
    while (ReplicaOf(id).raft().leader()) ASSERT_TRUE(schedule_.Step(end));
  }
};

// --- To whom ------------------------------------------------------------------------------------

// What is sent where no channel is, is lost, and nobody says so.
TEST_F(OrdersTest, WhatWasLostOnTheWayToTheLeaderIsSentAgain) {
  StartThree();
  const io::AdminOrder orders[] = {
      io::AddMember{{.id = ServerId(9), .peer_address = "nowhere:9"}},
      io::PromoteMember{ServerId(other_)},
      io::TransferLeadership{ServerId(other_)},
      io::TransferLeadership{},
      io::RemoveMember{ServerId(9)},
  };
  for (const io::AdminOrder& order : orders) {
    SCOPED_TRACE(testing::Message() << "order " << order.index());
    const uint64_t leader = Leader();
    const uint64_t asked = leader % 3 + 1;
    network_.Break(ServerId(asked), ServerId(leader));
    const std::optional<Reply> reply = Administer(asked, order);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->ok()) << reply->error.detail;
    const bool moves = std::holds_alternative<io::TransferLeadership>(order);
    EXPECT_EQ(Leader() != leader, moves);
    schedule_.RunFor(seconds(1));
  }
}

// However often a leader was asked: nobody can have removed it.
TEST_F(OrdersTest, WhatIsSentAgainMakesNoUnknownMemberARemovedOne) {
  StartThree();
  network_.Break(ServerId(follower_), ServerId(leader_));
  EXPECT_EQ(Administer(follower_, io::RemoveMember{ServerId(99)})->error.reason,
            model::Reason::kNoNode);
}

TEST_F(OrdersTest, WhoeverAsksWhileNobodyLeadsIsToldOfAnUnknownMember) {
  StartThree();
  servers_.at(leader_)->Kill();
  AwaitNoLeader(follower_);
  const auto answer = Order(follower_, io::RemoveMember{ServerId(99)});
  schedule_.RunFor(seconds(3));
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error.reason, model::Reason::kNoNode) << (*answer)->error.detail;
}

// It took no order up: it led, but had nothing committed yet, and then others led.
TEST_F(OrdersTest, WhoeverAsksALeaderOfAMomentIsToldOfAnUnknownMember) {
  StartThree();
  servers_.at(leader_)->Kill();
  const uint64_t next = Leader();
  ASSERT_NE(next, 0u);
  const auto answer = Order(next, io::RemoveMember{ServerId(99)});
  CutOff(next);
  Start(leader_);
  schedule_.RunFor(seconds(5) / 2);
  ASSERT_NE(ReplicaOf(next).raft().role(), raft::Role::kLeader);
  ASSERT_FALSE(*answer);
  network_.UnblockAll();
  schedule_.RunFor(seconds(5) / 2);
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error.reason, model::Reason::kNoNode) << (*answer)->error.detail;
}

// --- What it does -------------------------------------------------------------------------------

// The leader that was asked has done it and died before it said so.
TEST_F(OrdersTest, WhoIsRemovedAlreadyIsNoErrorForWhoAskedBefore) {
  StartFive();
  const uint64_t asked = leader_ % 5 + 1;
  const uint64_t removed = asked % 5 + 1;
  const auto answer = Order(asked, io::RemoveMember{ServerId(removed)});
  network_.Block(ServerId(leader_), ServerId(asked));
  schedule_.RunFor(milliseconds(100));
  ASSERT_FALSE(*answer);
  ASSERT_EQ(ReplicaOf(leader_).machine().membership().Find(ServerId(removed)), nullptr);
  servers_.at(leader_)->Kill();
  network_.UnblockAll();
  schedule_.RunFor(seconds(2));
  ASSERT_TRUE(*answer);
  EXPECT_TRUE((*answer)->ok()) << (*answer)->error.detail;
  // Who asks for the first time is told.
  EXPECT_EQ(Administer(asked, io::RemoveMember{ServerId(removed)})->error.reason,
            model::Reason::kNoNode);
}

// It hands over; whoever leads next has committed nothing of its term yet when it is asked.
TEST_F(OrdersTest, ALeaderCanBeRemoved) {
  StartThree();
  const std::optional<Reply> reply = Administer(follower_, io::RemoveMember{ServerId(leader_)});
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->ok()) << reply->error.detail;
  EXPECT_EQ(ReplicaOf(follower_).machine().membership().Find(ServerId(leader_)), nullptr);
}

TEST_F(OrdersTest, AnOrderForAnotherConfigurationMovesNobody) {
  StartThree();
  const model::Revision config = TellMembers();
  ASSERT_TRUE(config);
  for (const uint64_t id : {leader_, follower_}) {
    const auto answer = Order(other_, io::RemoveMember{ServerId(id)}, config + 1);
    schedule_.RunFor(seconds(1));
    ASSERT_TRUE(*answer);
    EXPECT_EQ((*answer)->error.reason, model::Reason::kBadVersion) << (*answer)->error.detail;
  }
  EXPECT_EQ(Leader(), leader_);
  EXPECT_EQ(ReplicaOf(leader_).machine().membership().members.size(), 3u);
}

// The change that made it so is undone by the next leader.
TEST_F(OrdersTest, NobodyIsToldOfAMembershipThatIsNotCommitted) {
  StartFive();
  CutOff(leader_);
  const uint64_t removed = leader_ % 5 + 1;
  const auto proposed = Order(leader_, io::RemoveMember{ServerId(removed)});
  const auto repeated = Order(leader_, io::RemoveMember{ServerId(removed)});
  schedule_.RunFor(milliseconds(100));
  ASSERT_EQ(ReplicaOf(leader_).raft().membership().Find(ServerId(removed)), nullptr);
  EXPECT_FALSE(*repeated) << (*repeated)->error.detail;
  schedule_.RunFor(seconds(2));
  network_.UnblockAll();
  schedule_.RunFor(seconds(5));
  // It was asked for again of who leads now.
  ASSERT_TRUE(*proposed && *repeated);
  EXPECT_TRUE((*repeated)->ok()) << (*repeated)->error.detail;
  EXPECT_EQ(ReplicaOf(Leader()).machine().membership().Find(ServerId(removed)), nullptr);
}

// The change may be what its caller does not know of. A leader that is to be removed would hand
// over before anything else refused it.
TEST_F(OrdersTest, AnOrderForAConfigurationIsRefusedWhileThatIsBeingChanged) {
  StartThree();
  const model::Revision config = TellMembers();
  ASSERT_TRUE(config);
  CutOff(leader_);
  const auto changing = Order(leader_, io::RemoveMember{ServerId(other_)});
  schedule_.RunFor(milliseconds(50));
  ASSERT_FALSE(*changing);
  for (const uint64_t id : {leader_, follower_}) {
    const auto answer = Order(leader_, io::RemoveMember{ServerId(id)}, config);
    schedule_.RunFor(milliseconds(10));
    ASSERT_TRUE(*answer) << "of server " << id;
    EXPECT_EQ((*answer)->error.reason, model::Reason::kConfigInProgress);
    EXPECT_EQ((*answer)->error.detail, "the membership is being changed");
  }
}

}  // namespace
}  // namespace pando::sim
