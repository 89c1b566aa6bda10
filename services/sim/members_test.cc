// Several servers, step by step: who may take part, and with what room.
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "sim/testing/small_ensemble.h"

namespace pando::sim {
namespace {

class MembersTest : public EnsembleTest {
 protected:
  model::Revision LastOf(uint64_t id) { return ReplicaOf(id).raft().last_index(); }
  model::Reason WriteReason(uint64_t id) {
    const std::optional<Reply> reply = Write(id, "x");
    return reply ? reply->error.reason : model::Reason::kTimeout;
  }
};

// --- Who ---------------------------------------------------------------------------------------

// Otherwise a joiner's lost log would not be missed: its channel is older than its membership.
TEST_F(MembersTest, TheLifeOfWhoJoinedIsKnown) {
  StartThree();
  MakeJoiner(4);
  Start(4);
  schedule_.RunFor(seconds(5));
  const raft::Progress* progress = ReplicaOf(leader_).raft().FindProgress(ServerId(4));
  ASSERT_NE(progress, nullptr);
  EXPECT_EQ(progress->match(), LastOf(leader_));
  EXPECT_EQ(progress->start, model::StartCount(1));
}

// etcd 21178: an id whose data is gone must not come back under it, with an empty log and a vote to
// give away.
TEST_F(MembersTest, WhoIsWipedStopsAndTakesNoPart) {
  StartThree();
  servers_.at(follower_)->Kill();
  servers_.at(follower_)->Wipe();
  Start(follower_);
  schedule_.RunFor(seconds(5));
  EXPECT_NE(servers_.at(follower_)->stopped_because().find("data of this one is gone"),
            std::string::npos)
      << servers_.at(follower_)->stopped_because();
  EXPECT_TRUE(Write(leader_, "a")->ok());
}

// The wrong server answers at a member's address (NuRaft 504, 640).
TEST_F(MembersTest, AServerOfAnotherClusterIsRefusedByName) {
  StartThree();
  servers_.at(follower_)->Kill();
  options_.initial = {ServerId(follower_)};
  options_.id = ServerId(follower_);
  // What it had planned still refers to it.
  const std::unique_ptr<SimServer> before = std::move(servers_[follower_]);
  servers_[follower_] = std::make_unique<SimServer>(&schedule_, base::Rng(77), options_);
  Start(follower_);
  schedule_.RunFor(seconds(10));
  EXPECT_TRUE(HasTold(leader_, "refuses this one: WRONG_CLUSTER"));
  EXPECT_EQ(ReplicaOf(follower_).raft().leader(), ServerId(follower_));
  EXPECT_NE(ReplicaOf(follower_).machine().cluster(), ReplicaOf(leader_).machine().cluster());
  EXPECT_TRUE(Write(leader_, "a")->ok());
}

// It may not have the entry yet that raised the version, or not on disk. Nobody will lower it.
TEST_F(MembersTest, ABinaryThatIsTooOldForTheEnsembleStops) {
  options_.machine_version_max = 2;
  StartThree();
  options_.machine_version_max = 1;
  MakeJoiner(4);
  Start(4);
  schedule_.RunFor(seconds(5));
  EXPECT_NE(servers_.at(4)->stopped_because().find("TOO_OLD: the ensemble runs version 2"),
            std::string::npos)
      << servers_.at(4)->stopped_because();
}

// Two servers are given one id by mistake. What the member says must be heard all the same: it may
// be the leader.
TEST_F(MembersTest, NobodyTakesTheChannelOfAMember) {
  StartThree();
  const model::Term term = ReplicaOf(leader_).raft().term();
  servers_.at(follower_)->Post(
      io::PeerOpened{.channel = io::ChannelId(1'000'000),
                     .hello = {.id = ServerId(leader_),
                               .storage = model::StorageId(4711),
                               .start = model::StartCount(1),
                               .joins = true,
                               .self = {.id = ServerId(leader_), .version_max = 1}}});
  schedule_.RunFor(seconds(5));
  EXPECT_EQ(ReplicaOf(follower_).raft().leader(), ServerId(leader_));
  EXPECT_EQ(ReplicaOf(leader_).raft().role(), raft::Role::kLeader);
  EXPECT_EQ(ReplicaOf(follower_).raft().term(), term);
}

// It is back before anybody has noticed that it was gone, and its channels seem to be alive.
TEST_F(MembersTest, ALeaderThatIsBackAtOnceIsReplacedAtOnce) {
  StartThree();
  const model::Term term = ReplicaOf(leader_).raft().term();
  servers_.at(leader_)->LosePower();
  const base::Instant lost = schedule_.now();
  Start(leader_);
  uint64_t next = 0;
  while (next == 0) {
    schedule_.RunFor(milliseconds(1));
    ASSERT_LT(schedule_.now() - lost, seconds(5));
    for (const auto& [id, server] : servers_) {
      if (ReplicaOf(id).raft().role() == raft::Role::kLeader) next = id;
    }
  }
  EXPECT_GT(ReplicaOf(next).raft().term(), term);
  EXPECT_LT(schedule_.now() - lost, milliseconds(250));
}

// etcd 3699: it was away while a member was added that leads now; it knows neither its address nor
// that it is a member.
TEST_F(MembersTest, WhoWasAwayIsFoundByALeaderThatItDoesNotKnow) {
  StartThree();
  CutOff(follower_);
  MakeJoiner(4);
  network_.Block(ServerId(4), ServerId(follower_));
  network_.Block(ServerId(follower_), ServerId(4));
  Start(4);
  schedule_.RunFor(seconds(5));
  ASSERT_TRUE(Administer(leader_, io::PromoteMember{ServerId(4)})->ok());
  ASSERT_TRUE(Administer(leader_, io::TransferLeadership{ServerId(4)})->ok());
  ASSERT_EQ(Leader(), 4u);
  servers_.at(leader_)->Kill();
  network_.UnblockAll();
  schedule_.RunFor(seconds(5));
  EXPECT_EQ(ReplicaOf(follower_).raft().leader(), ServerId(4));
  EXPECT_TRUE(Write(follower_, "a")->ok());
}

// Thesis 4.2.3: it would ask for votes for ever if nobody told it.
TEST_F(MembersTest, WhoIsRemovedIsToldSo) {
  StartThree();
  CutOff(follower_);
  ASSERT_TRUE(Administer(leader_, io::RemoveMember{ServerId(follower_)})->ok());
  const model::Term term = ReplicaOf(leader_).raft().term();
  network_.UnblockAll();
  schedule_.RunFor(seconds(10));
  EXPECT_TRUE(HasTold(follower_, "NOT_A_MEMBER"));
  EXPECT_EQ(ReplicaOf(leader_).raft().term(), term);
  EXPECT_EQ(Leader(), leader_);
}

// --- Room --------------------------------------------------------------------------------------

TEST_F(MembersTest, AFullFollowerStopsAcknowledgingAndTheOthersGoOn) {
  StartThree();
  servers_.at(follower_)->SetDiskSpace(SimServer::DiskSpace::kFull);
  schedule_.RunFor(seconds(1));
  const model::Revision last = LastOf(follower_);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Write(leader_, "a")->ok());
  EXPECT_EQ(LastOf(follower_), last);
  servers_.at(follower_)->SetDiskSpace(SimServer::DiskSpace::kEnough);
  schedule_.RunFor(seconds(2));
  EXPECT_EQ(LastOf(follower_), LastOf(leader_));
}

TEST_F(MembersTest, AMajorityThatIsFullIsToldAtEveryEdgeUntilItHeals) {
  StartThree();
  servers_.at(follower_)->SetDiskSpace(SimServer::DiskSpace::kFull);
  servers_.at(other_)->SetDiskSpace(SimServer::DiskSpace::kFull);
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(WriteReason(leader_), model::Reason::kNoSpace);
  EXPECT_EQ(WriteReason(follower_), model::Reason::kNoSpace);
  servers_.at(other_)->SetDiskSpace(SimServer::DiskSpace::kEnough);
  schedule_.RunFor(seconds(2));
  EXPECT_TRUE(Write(leader_, "a")->ok());
  // It could be committed, but not applied here, and so not answered.
  EXPECT_EQ(WriteReason(follower_), model::Reason::kNoSpace);
  servers_.at(follower_)->SetDiskSpace(SimServer::DiskSpace::kEnough);
  schedule_.RunFor(seconds(2));
  EXPECT_TRUE(Write(follower_, "b")->ok());
}

// What is committed piles up there, and in its log if it went on to take entries.
TEST_F(MembersTest, AFollowerWhoseStoreLagsStopsApplyingAndAcknowledging) {
  options_.unstored_bytes_max = 100'000;
  StartThree();
  servers_.at(follower_)->store()->SetFull(true);
  const auto write_on = [this] {
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(Write(leader_, std::string(20'000, 'x'))->ok());
      schedule_.RunFor(milliseconds(600));  // the other stores keep up
    }
  };
  write_on();
  const model::Revision last = LastOf(follower_);
  const model::Revision applied = ReplicaOf(follower_).machine().applied();
  write_on();
  EXPECT_EQ(LastOf(follower_), last);
  EXPECT_EQ(ReplicaOf(follower_).machine().applied(), applied);
  EXPECT_EQ(WriteReason(follower_), model::Reason::kOverloaded);
  servers_.at(follower_)->store()->SetFull(false);
  schedule_.RunFor(seconds(3));
  EXPECT_EQ(ReplicaOf(follower_).machine().applied(), LastOf(leader_));
}

TEST_F(MembersTest, ALeaderWhoseStoreLagsHandsOver) {
  options_.unstored_bytes_max = 100'000;
  StartThree();
  servers_.at(leader_)->store()->SetFull(true);
  const std::string large(20'000, 'x');
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Write(follower_, large)->ok());
  EXPECT_EQ(WriteReason(follower_), model::Reason::kOverloaded);
  EXPECT_EQ(Leader(), leader_);
  schedule_.RunFor(seconds(7));
  EXPECT_TRUE(HasTold(leader_, "the store does not keep up, hands over"));
  EXPECT_NE(Leader(), leader_);
  EXPECT_TRUE(Write(follower_, "a")->ok());
}

}  // namespace
}  // namespace pando::sim
