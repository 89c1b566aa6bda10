// What a server would hardly do on demand.
#include "watches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "errors.h"
#include "pando/client/watch.h"

namespace pando::client {
namespace {

v1::WatchEvent Event(const std::string& path, v1::EventKind kind, int64_t revision = 1) {
  v1::WatchEvent event;
  event.set_path(path);
  event.set_kind(kind);
  event.set_revision(revision);
  return event;
}

v1::WatchResponse Message(int64_t progress, const std::vector<v1::WatchEvent>& events = {},
                          bool partial = false) {
  v1::WatchResponse message;
  message.mutable_header()->set_revision(10);
  message.mutable_events()->Add(events.begin(), events.end());
  message.set_progress_revision(progress);
  message.set_partial(partial);
  return message;
}

v1::ResponseHeader Reply(int64_t revision, int64_t stream_revision) {
  v1::ResponseHeader header;
  header.set_revision(revision);
  header.set_stream_revision(stream_revision);
  return header;
}

std::shared_ptr<Subscription> SubscriptionTo(std::vector<v1::WatchTarget> targets, int64_t cursor) {
  auto watch = std::make_shared<Subscription>();
  watch->targets = std::move(targets);
  watch->cursor = cursor;
  return watch;
}

class WatchesTest : public testing::Test {
 protected:
  std::shared_ptr<Subscription> Watched(v1::WatchTarget target, int64_t cursor) {
    auto watch = SubscriptionTo({std::move(target)}, cursor);
    EXPECT_TRUE(watches_.Add(watch).ok());
    return watch;
  }
  int64_t Start() { return watches_.Request(v1::RequestHeader())->start_revision(); }

  int changes_ = 0;
  Watches watches_{[this] { ++changes_; }, [] {}};
};

TEST(Matches, AsTheServerDoes) {
  const struct {
    v1::WatchTarget target;
    const char* path;
    v1::EventKind kind;
    bool matches;
  } cases[] = {
      {WatchNode("/a"), "/a", v1::EVENT_KIND_DATA_CHANGED, true},
      {WatchNode("/a"), "/a/b", v1::EVENT_KIND_DATA_CHANGED, false},
      {WatchChildren("/a"), "/a/b", v1::EVENT_KIND_CREATED, true},
      {WatchChildren("/a"), "/a/b", v1::EVENT_KIND_DATA_CHANGED, false},
      {WatchChildren("/a"), "/a/b/c", v1::EVENT_KIND_CREATED, false},
      {WatchChildren("/"), "/a", v1::EVENT_KIND_CREATED, true},
      {WatchChildren("/"), "/", v1::EVENT_KIND_CREATED, false},
      {WatchSubtree("/a"), "/a/b/c", v1::EVENT_KIND_DATA_CHANGED, true},
      {WatchSubtree("/a"), "/ab", v1::EVENT_KIND_DATA_CHANGED, false},
      {WatchSubtree("/"), "/", v1::EVENT_KIND_DATA_CHANGED, true},
      {WatchSubtree("/"), "/a", v1::EVENT_KIND_DATA_CHANGED, true},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Matches(one.target, Event(one.path, one.kind)), one.matches)
        << one.target.ShortDebugString() << " " << one.path;
  }
}

TEST_F(WatchesTest, ARevisionInPartsIsToldOnce) {
  const auto watch = Watched(WatchSubtree("/"), 4);
  Start();
  const v1::WatchEvent part = Event("/a", v1::EVENT_KIND_CREATED, 5);
  watches_.Take(Message(4, {part}, /*partial=*/true));
  EXPECT_EQ(Start(), 5);  // the stream broke between the parts
  watches_.Take(Message(4, {part}, /*partial=*/true));
  watches_.Take(Message(5, {Event("/b", v1::EVENT_KIND_CREATED, 5)}));
  EXPECT_EQ(watch->events.size(), 2u);
  EXPECT_EQ(watch->events.Next()->path(), "/a");
  EXPECT_EQ(watch->events.Next()->path(), "/b");
}

TEST_F(WatchesTest, OnlyWatchesThatNeedWhatIsGoneEnd) {
  const auto old = Watched(WatchNode("/a"), 4);
  const auto current = Watched(WatchNode("/a"), 9);
  watches_.Compacted(MakeError(Reason::kCompacted, absl::StatusCode::kOutOfRange, "gone",
                               {{"oldest_revision", "8"}}));
  const auto end = old->events.Next();
  EXPECT_EQ(ReasonOf(end.status()), Reason::kCompacted);
  EXPECT_EQ(OldestRevisionOf(end.status()), 8);
  EXPECT_EQ(Start(), 10);
  EXPECT_EQ(ReasonOf(current->events.Next(std::chrono::milliseconds(0)).status()), Reason::kNone);
}

TEST_F(WatchesTest, AReplyWaitsForWhatPrecedesIt) {
  Watched(WatchNode("/a"), 4);
  Start();
  watches_.Take(Message(5));
  EXPECT_TRUE(watches_.HasTold(Reply(20, 5)));
  EXPECT_FALSE(watches_.HasTold(Reply(20, 6)));
  // As old as the stream: the server may not have known it.
  EXPECT_FALSE(watches_.HasTold(Reply(10, 0)));
  watches_.Take(Message(10));
  EXPECT_TRUE(watches_.HasTold(Reply(10, 0)));
}

TEST_F(WatchesTest, ASessionHasSoManyTargets) {
  const std::vector<v1::WatchTarget> targets(Watches::kTargetsMax, WatchNode("/a"));
  EXPECT_TRUE(watches_.Add(SubscriptionTo(targets, 0)).ok());
  EXPECT_EQ(ReasonOf(watches_.Add(SubscriptionTo({WatchNode("/b")}, 0))), Reason::kTooLarge);
}

TEST_F(WatchesTest, OneThatLagsHoldsNothingBackAndComesAgain) {
  const auto watch = Watched(WatchNode("/a"), 4);
  Start();
  const int changes = changes_;
  const std::vector<v1::WatchEvent> many(Subscription::kEventsMax + 1,
                                         Event("/a", v1::EVENT_KIND_DATA_CHANGED, 5));
  watches_.Take(Message(5, many));
  EXPECT_EQ(changes_, changes + 1);
  EXPECT_TRUE(watches_.HasTold(Reply(20, 20)));
  EXPECT_EQ(watches_.Request(v1::RequestHeader()), std::nullopt);
  watches_.Resume(watch);
  EXPECT_EQ(changes_, changes + 2);
  EXPECT_EQ(Start(), 6);
}

// Who can take too many events sees that the watch lags. Else a reader could take all of them, ask
// for no more, and then be left by the stream for ever.
TEST_F(WatchesTest, AWatchLagsBeforeItsEventsAreThere) {
  const std::vector<v1::WatchEvent> many(Subscription::kEventsMax + 1,
                                         Event("/a", v1::EVENT_KIND_DATA_CHANGED, 5));
  for (int round = 0; round < 100; ++round) {
    const auto watch = Watched(WatchNode("/a"), 4);
    std::thread stream([&] { watches_.Take(Message(5, many)); });
    while (watch->events.size() == 0) std::this_thread::yield();
    EXPECT_TRUE(watch->lagging);
    stream.join();
    watches_.Remove(watch);
  }
}

// What the callback uses may be gone after that.
TEST(ReadyCallback, DropWaitsForTheOneThatRuns) {
  ReadyCallback ready;
  std::promise<void> begun, go_on;
  std::atomic<bool> over{false};
  ready.Set([&] {
    begun.set_value();
    go_on.get_future().get();
    over = true;
  });
  std::thread session([&] { ready.Run(); });
  begun.get_future().get();
  auto dropped = std::async(std::launch::async, [&] {
    ready.Drop();
    return over.load();
  });
  go_on.set_value();
  EXPECT_TRUE(dropped.get());
  session.join();
  ready.Run();  // would throw: its promises are used up
}

TEST(ReadyCallback, MayDropItself) {
  ReadyCallback ready;
  int runs = 0;
  ready.Set([&] {
    ++runs;
    ready.Drop();
  });
  ready.Run();
  ready.Run();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace pando::client
