// Several servers, step by step: what the simulator has found once, as small as it can be told.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/testing/small_ensemble.h"

namespace pando::sim {
namespace {

// Seed 341: there was no channel for the answer, and nobody asked again.
TEST_F(EnsembleTest, FormsThoughAnAnswerHadNoChannel) {
  Make(2);
  network_.Block(ServerId(2), ServerId(1));
  Start(1);
  Start(2);
  schedule_.RunFor(seconds(1));
  network_.Unblock(ServerId(2), ServerId(1));
  schedule_.RunFor(seconds(4));
  EXPECT_EQ(ReplicaOf(1).raft().membership().members.size(), 2u);
  EXPECT_EQ(ReplicaOf(2).raft().membership().members.size(), 2u);
  EXPECT_NE(Leader(), 0u);
}

// Seed 517: an expiry that the last leader proposed may be in the new one's log, and be committed
// with the first entry of its term.
TEST_F(EnsembleTest, ANewLeaderPromisesNoSessionAnythingBeforeItKnowsWhoHasExpired) {
  Make(3);
  for (uint64_t id = 1; id <= 3; ++id) Start(id);
  const uint64_t old = Leader();
  ASSERT_NE(old, 0u);
  const model::SessionId session = OpenSession(old);
  ASSERT_TRUE(session);
  schedule_.RunFor(seconds(1));
  servers_.at(old)->Kill();
  const uint64_t next = Leader();
  ASSERT_NE(next, 0u);

  const std::optional<Reply> early = KeepAlive(next, session);
  ASSERT_TRUE(early);
  EXPECT_EQ(early->error.reason, model::Reason::kNoLeader);
  schedule_.RunFor(seconds(1));
  const std::optional<Reply> late = KeepAlive(next, session);
  ASSERT_TRUE(late && late->ok());
  EXPECT_GT(std::get<model::SessionResult>(late->result).time_left_ms, 0);
}

// Telling the followers costs a write to a socket each, for which no caller should wait.
TEST_F(EnsembleTest, ACallerIsAnsweredBeforeTheFollowersHearOfTheCommit) {
  options_.disk_delay_max = std::chrono::microseconds(1);  // the commit waits for followers alone
  Make(3);
  StartAll();
  const uint64_t leader = Leader();
  ASSERT_TRUE(Write(leader, "first")->ok());
  schedule_.RunFor(seconds(1));

  std::optional<uint64_t> sent_before;
  const auto calls = std::make_shared<Calls>(servers_.at(leader).get());
  io::Request request;
  request.deadline = schedule_.now() + seconds(5);
  model::Command command;
  command.body = model::Set{"/", "second"};
  request.body = std::move(command);
  calls->Send(std::move(request), {}, [&](const Reply& reply) {
    EXPECT_TRUE(reply.ok());
    sent_before = network_.totals().sent;
  });
  const base::Instant end = schedule_.now() + seconds(5);
  while (!sent_before && schedule_.Step(end)) {
  }
  ASSERT_TRUE(sent_before.has_value());
  EXPECT_EQ(network_.totals().sent - *sent_before, 2u) << "in the same turn, one a follower";
}

// A core thread that finds something due at every look would never sleep.
TEST_F(EnsembleTest, IsSeldomWokenWhileNothingHappens) {
  Make(3);
  for (uint64_t id = 1; id <= 3; ++id) Start(id);
  ASSERT_NE(Leader(), 0u);
  schedule_.RunFor(seconds(5));
  std::map<uint64_t, uint64_t> before;
  for (const auto& [id, server] : servers_) before[id] = server->turns();
  schedule_.RunFor(seconds(1));
  for (const auto& [id, server] : servers_) {
    EXPECT_LT(server->turns() - before[id], 100u) << "server " << id;
  }
}

// It believes that it leads, and that nobody else gives revisions out.
TEST_F(EnsembleTest, AnOutdatedLeaderRefusesNoRevisionThatAnotherHasGivenOut) {
  Make(3);
  StartAll();
  const uint64_t outdated = Leader();
  ASSERT_NE(outdated, 0u);
  schedule_.RunFor(seconds(1));
  CutOff(outdated);
  const uint64_t other = outdated % 3 + 1;
  const std::optional<Reply> written = Write(other, "a");
  ASSERT_TRUE(written && written->ok());
  io::Request read;
  read.min_revision = written->revision;
  read.body = model::Query{.identities = {{"world", "anyone"}}, .body = model::Get{"/"}};
  // As long as it has not noticed.
  ASSERT_EQ(ReplicaOf(outdated).raft().role(), raft::Role::kLeader);
  const std::optional<Reply> reply = Call(outdated, std::move(read));
  ASSERT_TRUE(reply);
  EXPECT_NE(reply->error.reason, model::Reason::kInvalidArgument) << reply->error.detail;
}

// What one lane of a server is answered, in order.
class LaneTest : public EnsembleTest {
 protected:
  LaneTest() { StartThree(); }
  void UseLaneOf(uint64_t id) {
    calls_ = std::make_shared<Calls>(servers_.at(id).get());
    answers_.clear();
  }
  void Send(io::Request request) {
    request.deadline = schedule_.now() + milliseconds(500);
    calls_->Send(std::move(request), model::LaneId(1),
                 [this](const Reply& reply) { answers_.push_back(reply.error); });
  }
  static io::Request Write(model::CommandBody body) {
    io::Request request;
    request.body = model::Command{.identities = {{"world", "anyone"}}, .body = std::move(body)};
    return request;
  }
  static io::Request Read(const std::string& path) {
    io::Request request;
    request.body = model::Query{.identities = {{"world", "anyone"}}, .body = model::Get{path}};
    return request;
  }
  std::vector<model::Reason> Reasons() const {
    std::vector<model::Reason> reasons;
    for (const model::Error& error : answers_) reasons.push_back(error.reason);
    return reasons;
  }

  std::shared_ptr<Calls> calls_;
  std::vector<model::Error> answers_;
};

// Though it waits for a revision that the write behind it would be the first to reach.
TEST_F(LaneTest, AReadThatWaitsSeesNoneOfTheWritesAfterIt) {
  using enum model::Reason;
  const uint64_t follower = leader_ % 3 + 1;
  UseLaneOf(follower);
  io::Request ahead = Read("/a");
  ahead.min_revision = ReplicaOf(follower).machine().applied() + 1;
  Send(std::move(ahead));
  Send(Read("/a"));
  Send(Write(model::Create{.path = "/a"}));
  Send(Read("/a"));
  schedule_.RunFor(milliseconds(100));
  EXPECT_EQ(Reasons(), std::vector<model::Reason>());
  ASSERT_TRUE(EnsembleTest::Write(leader_, "x")->ok());
  schedule_.RunFor(milliseconds(100));
  EXPECT_EQ(Reasons(), (std::vector{kNoNode, kNoNode, kOk, kOk}));
}

TEST_F(LaneTest, AWriteBehindAReadThatWasNotGrantedInTimeWasNeverSent) {
  UseLaneOf(leader_ % 3 + 1);
  CutOff(leader_ % 3 + 1);
  io::Request read = Read("/");
  read.consistency = io::Consistency::kLinearizable;
  Send(std::move(read));
  Send(Write(model::Create{.path = "/a"}));
  schedule_.RunFor(seconds(5));
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_EQ(answers_[1].reason, model::Reason::kTimeout);
  EXPECT_FALSE(answers_[1].maybe_applied);
}

}  // namespace
}  // namespace pando::sim
