// Watches over servers that die, and beside writers that do not stop.
#include <atomic>
#include <future>
#include <thread>

#include "world.h"

namespace pando::client {
namespace {

using Watching = World;

TEST_F(Watching, WatchOverALeaderChange) {
  const int leader = Leader();
  const auto watcher = World::Connect({.endpoints = First(leader)});
  const auto writer = World::Connect({.endpoints = First(leader)});
  const auto watch = Must(watcher->Watch({WatchSubtree(root_)}));
  std::vector<std::string> paths;
  for (int i = 100; i < 200; ++i) {
    if (i == 150) Kill(leader);
    paths.push_back(Create(writer.get(), std::to_string(i)));
  }
  int64_t revision = 0;
  for (const std::string& path : paths) {
    const v1::WatchEvent event = Must(watch->Next(seconds(10)));
    ASSERT_EQ(event.path(), path);
    ASSERT_GT(event.revision(), revision);
    revision = event.revision();
  }
  EXPECT_THAT(watch->Next(milliseconds(100)), FailedWith(Reason::kNone));
}

TEST_F(Watching, WatchFromARevision) {
  const auto session = World::Connect();
  const auto set = [&](const std::string& data) {
    return Must(session->Set(SetOf(root_, data))).header().revision();
  };
  set("0");
  const int64_t second = set("1");
  set("2");
  const auto past = Must(session->Watch({WatchNode(root_)}, {.start_revision = second}));
  const auto state = Must(session->Watch({WatchNode(root_)}, {.send_initial = true}));
  EXPECT_EQ(past->start_revision(), second);
  ASSERT_EQ(state->initial().size(), 1u);
  EXPECT_EQ(state->initial()[0].data(), "2");
  set("3");
  for (const char* data : {"1", "2", "3"}) EXPECT_EQ(Must(past->Next(seconds(5))).data(), data);
  EXPECT_EQ(Must(state->Next(seconds(5))).data(), "3");
}

TEST_F(Watching, EventBeforeData) {
  const auto writer = World::Connect(), reader = World::Connect();
  const std::string busy = Create(writer.get(), "busy");
  const auto node = Must(reader->Watch({WatchNode(root_)}));
  const auto watch = Must(reader->Watch({WatchNode(busy)}));
  const auto children = Must(reader->Watch({WatchChildren(root_)}));
  std::atomic<bool> stop{false};
  std::thread writing([&] {
    while (!stop) Must(writer->Set(SetOf(busy)));
  });
  int64_t told = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t version = Must(reader->Get(GetOf(busy))).stat().version();
    while (watch->size() > 0) told = Must(watch->Next()).stat().version();
    if (told < version) {
      ADD_FAILURE() << "version " << version << " came before its event; the last was " << told;
      break;
    }
  }
  stop = true;
  writing.join();
  EXPECT_GT(told, 0);
  EXPECT_EQ(node->size() + children->size(), 0u);
}

// A watch that nobody reads costs no more than its bound, and holds nothing back.
TEST_F(Watching, WatchIsHeldByNoReader) {
  constexpr int64_t kWrites = 25'000;
  const auto session = World::Connect({.operation_timeout = seconds(60)});
  const auto watch = Must(session->Watch({WatchNode(root_)}));
  std::promise<void> written;
  auto left = std::make_shared<int64_t>(kWrites);  // the session's thread's
  for (int64_t i = 0; i < kWrites; ++i) {
    session->AsyncSet(SetOf(root_), [&, left](absl::StatusOr<v1::SetResponse> set) {
      EXPECT_TRUE(set.ok()) << set.status();
      if (--*left == 0) written.set_value();
    });
  }
  written.get_future().get();
  EXPECT_LE(watch->size(), 12'000u);
  for (int64_t version = 1; version <= kWrites; ++version) {
    ASSERT_EQ(Must(watch->Next(seconds(10))).stat().version(), version);
  }
}

// For programs with a loop of their own.
TEST_F(Watching, SaysWhenEventsAreReady) {
  const auto session = World::Connect();
  std::atomic<int> ready{0};
  std::promise<void> first;
  const auto watch = Must(session->Watch({WatchNode(root_)}, {.on_ready = [&] {
                                           if (++ready == 1) first.set_value();
                                         }}));
  Must(session->Set(SetOf(root_, "x")));
  first.get_future().get();
  EXPECT_EQ(Must(watch->Next(milliseconds(0))).data(), "x");
  watch->Close();
  EXPECT_THAT(watch->Next(), FailedWith(Reason::kClosed));
}

}  // namespace
}  // namespace pando::client
