// Several servers, step by step: what the simulator has found once, as small as it can be told.
#include <map>
#include <memory>
#include <utility>

#include "base/rng.h"
#include "gtest/gtest.h"
#include "sim/network.h"
#include "sim/sim_server.h"

namespace pando::sim {
namespace {

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

}  // namespace
}  // namespace pando::sim
