// Servers that die, fall silent or lose their answers, under calls.
#include <cstdio>
#include <future>
#include <map>
#include <mutex>

#include "world.h"

namespace pando::client {
namespace {

using Faults = World;

TEST_F(Faults, Failover) {
  const int follower = Follower();
  std::mutex mutex;
  std::map<SessionEvent, Clock::time_point> stamps;
  const auto session = World::Connect({.endpoints = First(follower), .on_event = [&](auto event) {
                                         std::lock_guard lock(mutex);
                                         stamps[event] = Clock::now();
                                       }});
  const std::string node = Create(session.get(), "mine", v1::NODE_KIND_EPHEMERAL);
  const auto events = session->Events();
  Kill(follower);
  ASSERT_TRUE(Until(events.get(), SessionEvent::kReconnected, seconds(5)));
  const v1::SetResponse set = Must(session->Set(SetOf(node), {.timeout = seconds(5)}));
  EXPECT_EQ(set.stat().version(), 1);
  EXPECT_EQ(set.stat().ephemeral_owner(), session->id());
  std::lock_guard lock(mutex);
  const auto back = std::chrono::duration_cast<milliseconds>(stamps.at(SessionEvent::kReconnected) -
                                                             stamps.at(SessionEvent::kSuspended));
  std::printf("back after %d ms\n", static_cast<int>(back.count()));
  EXPECT_GE(back, milliseconds(0));
  EXPECT_LE(back, milliseconds(200));
}

TEST_F(Faults, FailoverInTheMiddleOfAWrite) {
  constexpr int kWrites = 20;
  for (const bool leads : {false, true}) {
    Heal();
    const int server = leads ? Leader() : Follower();
    const std::string front = Front(server);
    const auto session = World::Connect({.endpoints = Rest(server, {front})});
    const auto other = World::Connect({.endpoints = Rest(server)});
    const std::string node = Create(session.get(), std::to_string(server));
    Ask("mute " + front);
    std::vector<std::future<int64_t>> writes;
    for (int i = 0; i < kWrites; ++i) {
      auto version = std::make_shared<std::promise<int64_t>>();
      writes.push_back(version->get_future());
      session->AsyncSet(SetOf(node), [version](absl::StatusOr<v1::SetResponse> set) {
        version->set_value(Must(std::move(set)).stat().version());
      });
    }
    // Until the server has the first of them.
    while (Must(other->Get(GetOf(node), {.linearizable = true})).stat().version() == 0) {
    }
    Kill(server);
    for (int64_t version = 1; version <= kWrites; ++version) {
      EXPECT_EQ(writes[version - 1].get(), version);
    }
    EXPECT_EQ(Must(session->Get(GetOf(node), {.linearizable = true})).stat().version(), kWrites);
  }
}

TEST_F(Faults, ExactlyOnceUnderDroppedReplies) {
  const std::string front = Front(1);
  const auto session = World::Connect({.endpoints = {front}});
  const auto other = World::Connect();
  v1::CreateRequest create;
  create.set_path(root_ + "/n-");
  create.set_sequential(true);
  for (size_t count = 1; count <= 10; ++count) {
    Ask("mute " + front);
    auto created = std::async(std::launch::async, [&] { return Must(session->Create(create)); });
    std::vector<std::string> names = Names(other.get());
    while (names.size() < count) names = Names(other.get());  // until it is applied
    ASSERT_EQ(created.wait_for(seconds(0)), std::future_status::timeout)
        << "its reply was not lost";
    Ask("cut " + front);
    EXPECT_EQ(created.get().path(), root_ + "/" + names.back());
    EXPECT_EQ(Names(other.get()).size(), count);
  }
}

TEST_F(Faults, MaybeApplied) {
  const std::string front = Front(1);
  const auto session = World::Connect({.endpoints = {front}});
  Ask("mute " + front);
  v1::CreateRequest create;
  create.set_path(root_ + "/sent");
  Takes(milliseconds(500), seconds(1), [&] {
    const auto sent = session->Create(create, {.timeout = milliseconds(500)});
    EXPECT_THAT(sent, FailedWith(Reason::kTimeout));
    EXPECT_TRUE(client::MaybeApplied(sent.status()));
  });
  const auto read = session->Get(GetOf(root_), {.timeout = milliseconds(200)});
  EXPECT_THAT(read, FailedWith(Reason::kTimeout));
  EXPECT_FALSE(client::MaybeApplied(read.status()));
  const auto events = session->Events();
  Ask("cut " + front);
  EXPECT_TRUE(Until(events.get(), SessionEvent::kReconnected, seconds(5)));
  EXPECT_TRUE(Exists(session.get(), root_ + "/sent"));
}

TEST_F(Faults, ServerFallsSilent) {
  const std::string front = Front(1);
  const auto session =
      World::Connect({.endpoints = {front, endpoints()[1]}, .session_timeout = seconds(3)});
  const auto events = session->Events();
  Ask("silence " + front);
  Takes(seconds(0), seconds(3), [&] {
    const auto set = Must(session->Set(SetOf(root_), {.timeout = seconds(5)}));
    EXPECT_EQ(set.stat().version(), 1);
  });
  EXPECT_TRUE(Until(events.get(), SessionEvent::kReconnected, seconds(1)));
}

// A call of another service, too, goes on where there is a server.
TEST_F(Faults, AWalkGoesOnElsewhere) {
  const std::string front = Front(1);
  const auto session =
      World::Connect({.endpoints = {front, endpoints()[1]}, .session_timeout = seconds(3)});
  for (const char* name : {"a", "b"}) Create(session.get(), name);
  Ask("silence " + front);
  v1::WalkRequest walk;
  walk.set_path(root_);
  const Subtree subtree = Must(session->Walk(walk));
  ASSERT_EQ(subtree.entries.size(), 3u);
  EXPECT_EQ(subtree.entries[2].path(), root_ + "/b");
  EXPECT_GE(subtree.revision, subtree.entries[2].stat().create_revision());
}

// Without a majority a write waits for its timeout, and the session goes on when it is back.
TEST_F(Faults, NoLeader) {
  const auto session = World::Connect({.endpoints = First(1), .session_timeout = seconds(30)});
  Kill(2);
  Kill(3);
  Takes(seconds(2), milliseconds(2500), [&] {
    EXPECT_THAT(session->Set(SetOf(root_), {.timeout = seconds(2)}), FailedWith(Reason::kTimeout));
  });
  Heal();
  Must(session->Set(SetOf(root_, "y"), {.timeout = seconds(10)}));
  EXPECT_EQ(Must(session->Get(GetOf(root_))).data(), "y");
}

}  // namespace
}  // namespace pando::client
