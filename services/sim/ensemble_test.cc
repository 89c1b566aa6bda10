// Several servers, step by step: what the simulator has found once, as small as it can be told.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/rng.h"
#include "gtest/gtest.h"
#include "sim/network.h"
#include "sim/sim_server.h"
#include "sim/testing/calls.h"

namespace pando::sim {
namespace {

using model::Reply;
using model::ServerId;
using std::chrono::milliseconds;
using std::chrono::seconds;

class EnsembleTest : public testing::Test {
 protected:
  // Servers 1 to `size`, not started.
  void Make(uint64_t size) {
    SimServerOptions options;
    options.network = &network_;
    options.initial.clear();
    for (uint64_t id = 1; id <= size; ++id) options.initial.emplace_back(id);
    for (uint64_t id = 1; id <= size; ++id) {
      options.id = ServerId(id);
      servers_[id] = std::make_unique<SimServer>(&schedule_, base::Rng(id), options);
    }
  }
  void Start(uint64_t id) {
    servers_.at(id)->Start();
    ASSERT_TRUE(servers_.at(id)->running());
  }
  const replica::Replica& ReplicaOf(uint64_t id) { return servers_.at(id)->replica(); }

  // The leader, waited for; 0: there was none in time.
  uint64_t Leader() {
    const base::Instant end = schedule_.now() + seconds(10);
    do {
      for (const auto& [id, server] : servers_) {
        if (!server->running()) continue;
        if (server->replica().raft().role() == raft::Role::kLeader) return id;
      }
    } while (schedule_.Step(end));
    return 0;
  }
  // The answer of server `id`, waited for; nothing if there was none.
  std::optional<Reply> Call(uint64_t id, io::Request request) {
    const auto calls = std::make_shared<Calls>(servers_.at(id).get());
    std::optional<Reply> answer;
    request.deadline = schedule_.now() + seconds(5);
    request.token_hash = kToken;
    calls->Send(std::move(request), {}, [&answer](const Reply& reply) { answer = reply; });
    const base::Instant end = schedule_.now() + seconds(10);
    while (!answer && schedule_.Step(end)) {
    }
    return answer;
  }
  model::SessionId OpenSession(uint64_t id) {
    io::Request request;
    model::Command command;
    command.body = model::OpenSession{5'000, kToken};
    request.body = std::move(command);
    const std::optional<Reply> reply = Call(id, std::move(request));
    return reply && reply->ok() ? std::get<model::SessionResult>(reply->result).session
                                : model::SessionId();
  }
  std::optional<Reply> KeepAlive(uint64_t id, model::SessionId session) {
    io::Request request;
    request.body = io::KeepAlive{session};
    return Call(id, std::move(request));
  }

  const std::string kToken = std::string(32, 't');
  Schedule schedule_;
  Network network_{&schedule_, base::Rng(1), {}};
  std::map<uint64_t, std::unique_ptr<SimServer>> servers_;
};

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

}  // namespace
}  // namespace pando::sim
