// EnsembleTest: a few servers under virtual time, and a vocabulary to tell what happens to them.
#ifndef PANDO_SIM_TESTING_SMALL_ENSEMBLE_H_
#define PANDO_SIM_TESTING_SMALL_ENSEMBLE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "gtest/gtest.h"
#include "sim/network.h"
#include "sim/sim_server.h"
#include "sim/testing/calls.h"

namespace pando::sim {

using model::Reply;
using model::ServerId;
using std::chrono::milliseconds;
using std::chrono::seconds;

class EnsembleTest : public testing::Test {
 protected:
  // Servers 1 to `size`, not started.
  void Make(uint64_t size) {
    options_.initial.clear();
    for (uint64_t id = 1; id <= size; ++id) options_.initial.emplace_back(id);
    for (uint64_t id = 1; id <= size; ++id) MakeServer(id);
  }
  // One that joins the ensemble of the others.
  void MakeJoiner(uint64_t id) {
    options_.join = std::exchange(options_.initial, {});
    MakeServer(id);
    options_.initial = std::exchange(options_.join, {});
  }
  void StartAll() {
    for (const auto& [id, server] : servers_) Start(id);
  }
  void Start(uint64_t id) {
    servers_.at(id)->Start();
    ASSERT_TRUE(servers_.at(id)->running());
  }
  // An ensemble of three that is at rest: `leader_` and two others.
  void StartThree() {
    Make(3);
    StartAll();
    leader_ = Leader();
    ASSERT_NE(leader_, 0u);
    follower_ = leader_ % 3 + 1;
    other_ = follower_ % 3 + 1;
    schedule_.RunFor(seconds(1));
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
  // Where the answer of server `id` comes to be.
  std::shared_ptr<std::optional<Reply>> Ask(uint64_t id, io::Request request) {
    const auto calls = std::make_shared<Calls>(servers_.at(id).get());
    const auto answer = std::make_shared<std::optional<Reply>>();
    request.deadline = schedule_.now() + seconds(5);
    request.token_hash = kToken;
    calls->Send(std::move(request), {}, [answer](const Reply& reply) { *answer = reply; });
    return answer;
  }
  // Waited for; nothing if there was none.
  std::optional<Reply> Call(uint64_t id, io::Request request) {
    const auto answer = Ask(id, std::move(request));
    const base::Instant end = schedule_.now() + seconds(10);
    while (!*answer && schedule_.Step(end)) {
    }
    return *answer;
  }
  std::optional<Reply> Write(uint64_t id, const std::string& data) {
    io::Request request;
    model::Command command;
    command.body = model::Set{"/", data};
    request.body = std::move(command);
    return Call(id, std::move(request));
  }
  std::optional<Reply> Administer(uint64_t id, io::AdminOrder order) {
    io::Request request;
    request.body = io::Administer{std::move(order)};
    return Call(id, std::move(request));
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

  // Nothing gets to it, and nothing from it.
  void CutOff(uint64_t id) {
    for (const auto& [other, server] : servers_) {
      network_.Block(ServerId(id), ServerId(other));
      network_.Block(ServerId(other), ServerId(id));
    }
  }
  // Whether server `id` has told of something with `words` in it.
  bool HasTold(uint64_t id, std::string_view words) {
    for (const auto& [server, event] : told_) {
      if (server == ServerId(id) && event.find(words) != std::string::npos) return true;
    }
    return false;
  }

  const std::string kToken = std::string(32, 't');
  Schedule schedule_;
  Network network_{&schedule_, base::Rng(1), {}};
  SimServerOptions options_ = {.network = &network_,
                               .on_event = [this](ServerId server, const std::string& event) {
                                 told_.emplace_back(server, event);
                               }};
  std::vector<std::pair<ServerId, std::string>> told_;
  std::map<uint64_t, std::unique_ptr<SimServer>> servers_;
  uint64_t leader_ = 0;
  uint64_t follower_ = 0;
  uint64_t other_ = 0;

 private:
  void MakeServer(uint64_t id) {
    options_.id = ServerId(id);
    servers_[id] = std::make_unique<SimServer>(&schedule_, base::Rng(id), options_);
  }
};

}  // namespace pando::sim

#endif  // PANDO_SIM_TESTING_SMALL_ENSEMBLE_H_
