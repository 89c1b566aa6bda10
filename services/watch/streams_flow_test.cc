// How it comes: full Outboxes, the window, progress marks, and how streams end.
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "watch/testing/streams_fixture.h"

namespace pando::watch {
namespace {

// --- Lagging ----------------------------------------------------------------------------------

TEST_F(StreamsTest, AFullOutboxIsRefilledInOrderAndThenMarked) {
  Watch(kOne, {Node("/a")});
  Room(kOne, 1);
  for (uint64_t r = 11; r <= 14; ++r) Publish(r, {Set("/a")});
  PublishNothing(15);
  EXPECT_EQ(refused_, 1u);  // nothing is tried, or kept, before it drains
  Room(kOne, 1);
  streams_->Drained(kOne);
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a", "12 data /a"));
  Drain(kOne);
  EXPECT_THAT(Take(kOne), ElementsAre("13 data /a", "14 data /a", "mark 15"));
  Publish(16, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("16 data /a"));
}

TEST_F(StreamsTest, AFullOutboxDelaysNobodyElse) {
  Watch(kOne, {Node("/a")});
  Watch(kTwo, {Node("/a")});
  Room(kOne, 0);
  Publish(11, {Set("/a")});
  EXPECT_THAT(Take(kOne), IsEmpty());
  EXPECT_THAT(Take(kTwo), ElementsAre("11 data /a"));
}

TEST_F(StreamsTest, ARefusedMarkComesWhenThereIsRoom) {
  Room(kOne, 0);
  ASSERT_TRUE(Add(kOne, {Node("/a")}).ok());
  Publish(11, {Set("/b")});
  Drain(kOne);
  EXPECT_THAT(Take(kOne), ElementsAre("mark 11"));
}

TEST_F(StreamsTest, DrainedIsAHint) {
  Watch(kOne, {Node("/a")});
  streams_->Drained(kOne);
  streams_->Drained(kThree);
  Room(kOne, 0);
  Publish(11, {Set("/a")});
  streams_->Drained(kOne);  // there is still no room
  streams_->Drained(kOne);
  Tick();
  EXPECT_EQ(refused_, 2u);
  Drain(kOne);
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a"));
}

TEST_F(StreamsTest, StreamsThatWaitForTheSamePlaceShareOneRead) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(6)).ok());
  ASSERT_TRUE(Add(kTwo, {Node("/a")}, Revision(6)).ok());
  ASSERT_TRUE(Add(kThree, {Node("/a")}, Revision(8)).ok());
  Tick();
  Tick();
  EXPECT_THAT(reads_, ElementsAre(Revision(6)));
  AnswerRead(10, {Batch(6, {Set("/a")}), Batch(8, {Set("/a")})});
  EXPECT_EQ(reads_.size(), 1u);
  EXPECT_THAT(Take(kOne), ElementsAre("6 data /a", "8 data /a", "mark 10"));
  EXPECT_THAT(Take(kTwo), ElementsAre("6 data /a", "8 data /a", "mark 10"));
  EXPECT_THAT(Take(kThree), ElementsAre("8 data /a", "mark 10"));
}

TEST_F(StreamsTest, NoPlaceInTheChangeLogWaitsForEver) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(9)).ok());
  Tick();
  ASSERT_TRUE(Add(kTwo, {Node("/a")}, Revision(5)).ok());
  AnswerRead(9, {});  // kOne is at 10 now, kTwo at 5: upwards first
  EXPECT_EQ(reads_.back(), Revision(10));
  ASSERT_TRUE(Add(kThree, {Node("/a")}, Revision(6)).ok());
  AnswerRead(10, {});
  EXPECT_EQ(reads_.back(), Revision(5));
  AnswerRead(5, {});
  EXPECT_EQ(reads_.back(), Revision(6));
  AnswerRead(10, {});
  for (const StreamId id : {kOne, kTwo, kThree}) EXPECT_THAT(Take(id), ElementsAre("mark 10"));
}

TEST_F(StreamsTest, AStreamThatIsClosedWhileItIsReadForLeavesNothingBehind) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(6)).ok());
  Tick();
  streams_->Close(kOne);
  AnswerRead(7, {Batch(7, {Set("/a")})});
  EXPECT_THAT(Take(kOne), IsEmpty());
  EXPECT_EQ(reads_.size(), 1u);
  EXPECT_EQ(streams_->NextDeadline(), base::kNever);
}

TEST_F(StreamsTest, ATickRefillsABoundedPart) {
  Restart({.refill_changes_per_tick = 101});
  for (uint64_t r = 11; r <= 260; ++r) Publish(r, {Set("/b")});
  Publish(261, {Set("/a")});
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(11)).ok());
  for (int i = 0; i < 2; ++i) {
    Tick();
    EXPECT_THAT(Take(kOne), IsEmpty());
    EXPECT_LE(streams_->NextDeadline(), now_);
  }
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("261 data /a"));
  EXPECT_GT(streams_->NextDeadline(), now_);
}

TEST_F(StreamsTest, ATickRefillsABoundedPartFromTheChangeLogToo) {
  Restart({.refill_changes_per_tick = 3});
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(5)).ok());
  Tick();
  AnswerRead(10, {Batch(5, {Set("/a")}), Batch(6, {Set("/b")}), Batch(7, {Set("/a")}),
                  Batch(8, {Set("/a")})});
  EXPECT_THAT(Take(kOne), ElementsAre("5 data /a"));
  EXPECT_LE(streams_->NextDeadline(), now_);
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("7 data /a", "8 data /a", "mark 10"));
  EXPECT_EQ(reads_.size(), 1u);
}

// --- The window -------------------------------------------------------------------------------

class WindowTest : public StreamsTest {
 protected:
  // The oldest revision that is served without a read.
  bool InWindow(uint64_t revision) {
    const StreamId id(++last_id_);
    EXPECT_TRUE(Add(id, {Node("/nothing")}, Revision(revision)).ok());
    const size_t reads = reads_.size();
    Tick();
    const bool in_window = reads_.size() == reads;
    streams_->Close(id);
    if (!in_window) AnswerRead(revision, {});
    return in_window;
  }
  const size_t batch_bytes_ = Batch(11, {Set("/a")})->bytes();
  uint64_t last_id_ = 100;
};

TEST_F(WindowTest, HoldsTheNewestChangesUpToItsBytes) {
  Restart({.window_bytes_max = 3 * batch_bytes_});
  for (uint64_t r = 11; r <= 13; ++r) Publish(r, {Set("/a")});
  streams_->Stored(Revision(13), Revision(5));
  EXPECT_TRUE(InWindow(11));
  Publish(14, {Set("/a")});
  EXPECT_FALSE(InWindow(11));
  EXPECT_TRUE(InWindow(12));
}

TEST_F(WindowTest, HoldsWhatIsNotStoredHoweverMuchItIs) {
  Restart({.window_bytes_max = 1});
  for (uint64_t r = 11; r <= 15; ++r) Publish(r, {Set("/a")});
  EXPECT_TRUE(InWindow(11));
  streams_->Stored(Revision(13), Revision(5));
  EXPECT_FALSE(InWindow(13));
  EXPECT_TRUE(InWindow(14));
}

TEST_F(WindowTest, HoldsNothingOfBeforeTheStart) {
  EXPECT_FALSE(InWindow(10));
  EXPECT_TRUE(InWindow(11));
}

TEST_F(WindowTest, AStreamThatTheWindowWasTrimmedPastReadsTheChangeLog) {
  Restart({.window_bytes_max = batch_bytes_});
  Publish(11, {Set("/a")});
  Publish(12, {Set("/a")});
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(11)).ok());  // queued for the window
  streams_->Stored(Revision(12), Revision(5));
  Tick();
  Tick();
  EXPECT_THAT(reads_, ElementsAre(Revision(11)));
  AnswerRead(11, {Batch(11, {Set("/a")})});
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a", "12 data /a"));
}

// --- Progress marks ---------------------------------------------------------------------------

TEST_F(StreamsTest, AnIdleStreamIsMarkedAboutOnceASecond) {
  Watch(kOne, {Node("/a")});
  for (uint64_t r = 11; r <= 70; ++r) {
    PublishNothing(r);
    Wait(milliseconds(50));
  }
  EXPECT_EQ(Take(kOne).size(), 3u);
}

TEST_F(StreamsTest, NoMarkWhenNothingMovedOn) {
  Watch(kOne, {Node("/a")});
  Wait(seconds(3));
  EXPECT_THAT(Take(kOne), IsEmpty());
  Publish(11, {Set("/a")});
  Wait(seconds(3));
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a"));
  PublishNothing(12);
  Wait(seconds(3));
  EXPECT_THAT(Take(kOne), ElementsAre("mark 12"));
}

TEST_F(StreamsTest, MarksOfManyStreamsAreSpreadOverTheSecond) {
  for (uint64_t id = 1; id <= 1000; ++id) Watch(StreamId(id), {Node("/a")});
  PublishNothing(11);
  size_t marked = 0;
  for (int i = 0; i < 20; ++i) {
    Wait(milliseconds(50));
    size_t now_marked = 0;
    for (uint64_t id = 1; id <= 1000; ++id) now_marked += Take(StreamId(id)).size();
    EXPECT_LE(now_marked, 50u);
    marked += now_marked;
  }
  EXPECT_EQ(marked, 1000u);
}

TEST_F(StreamsTest, APauseIsNotMadeUpFor) {
  Watch(kOne, {Node("/a")});
  now_ = now_ + std::chrono::hours(1);
  PublishNothing(11);
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("mark 11"));
  EXPECT_GT(streams_->NextDeadline(), now_);
}

TEST_F(StreamsTest, AMarkThatIsRefusedLeavesTheStreamLagging) {
  Watch(kOne, {Node("/a")});
  Room(kOne, 0);
  PublishNothing(11);
  Wait(seconds(3));
  EXPECT_EQ(refused_, 1u);
  Publish(12, {Set("/a")});
  Drain(kOne);
  EXPECT_THAT(Take(kOne), ElementsAre("12 data /a"));
}

// --- No leader, and the end -------------------------------------------------------------------

TEST_F(StreamsTest, EndsWithNoLeaderAfterTheLimit) {
  Watch(kOne, {Node("/a")});
  streams_->SetLeader(false, now_);
  Wait(milliseconds(4'999));
  streams_->SetLeader(false, now_);  // another term, still no leader
  EXPECT_THAT(Take(kOne), IsEmpty());
  Wait(milliseconds(1));
  EXPECT_THAT(Take(kOne), ElementsAre("end NO_LEADER"));
  EXPECT_EQ(streams_->size(), 0u);
  // Nor is a new one left hanging.
  ASSERT_TRUE(Add(kTwo, {Node("/a")}).ok());
  EXPECT_LE(streams_->NextDeadline(), now_);
  Tick();
  EXPECT_THAT(Take(kTwo), Contains("end NO_LEADER"));
}

TEST_F(StreamsTest, ALeaderInTimeLeavesTheStreamsAlone) {
  Watch(kOne, {Node("/a")});
  for (int i = 0; i < 3; ++i) {
    streams_->SetLeader(false, now_);
    Wait(milliseconds(4'900));
    streams_->SetLeader(true, now_);
    Wait(seconds(10));
  }
  EXPECT_THAT(Take(kOne), IsEmpty());
}

TEST_F(StreamsTest, AServerThatNeverKnewALeaderEndsItsStreamsToo) {
  streams_ = std::make_unique<Streams>(this, Revision(10), Revision(5), seconds(5));
  ASSERT_TRUE(Add(kOne, {Node("/a")}).ok());
  Tick();
  Wait(milliseconds(4'999));
  EXPECT_EQ(streams_->size(), 1u);
  Wait(milliseconds(1));
  EXPECT_THAT(Take(kOne), ElementsAre("mark 10", "end NO_LEADER"));
}

TEST_F(StreamsTest, ShutdownEndsAllWithOk) {
  Watch(kOne, {Node("/a")});
  WatchInitial(kTwo, {Node("/a")});
  streams_->Shutdown();
  EXPECT_THAT(Take(kOne), ElementsAre("end OK"));
  EXPECT_THAT(Take(kTwo), ElementsAre("end OK"));
  streams_->InitialDone(kTwo, Revision(10));
  ASSERT_TRUE(Add(kThree, {Node("/a")}).ok());
  EXPECT_LE(streams_->NextDeadline(), now_);
  Tick();
  EXPECT_THAT(Take(kThree), Contains("end OK"));
}

TEST_F(StreamsTest, ShutdownTellsWhoIsUpToDateHowFar) {
  Watch(kOne, {Node("/a")});
  Watch(kTwo, {Node("/b")});
  Publish(11, {Set("/a")});
  Take(kOne);
  streams_->Shutdown();
  EXPECT_THAT(Take(kOne), ElementsAre("end OK"));
  EXPECT_THAT(Take(kTwo), ElementsAre("mark 11", "end OK"));
}

TEST_F(StreamsTest, AClosedStreamGetsNothingMore) {
  Watch(kOne, {Node("/a"), Children("/a"), Subtree("/a")});
  streams_->Close(kOne);
  streams_->Close(kOne);
  streams_->Close(kTwo);
  Publish(11, {Set("/a")});
  EXPECT_THAT(Take(kOne), IsEmpty());
  EXPECT_EQ(streams_->size(), 0u);
  EXPECT_EQ(streams_->targets(), 0u);
  EXPECT_EQ(streams_->NextDeadline(), base::kNever);
}

// --- DueRevision ------------------------------------------------------------------------------

TEST_F(StreamsTest, DueIsTheNewestEventOfTheSessionsStreams) {
  EXPECT_EQ(streams_->DueRevision(kSession), Revision());
  Watch(kOne, {Node("/a")});
  Watch(kTwo, {Node("/b")});
  EXPECT_EQ(streams_->DueRevision(kSession), Revision());
  Publish(11, {Set("/a")});
  Publish(12, {Set("/b")});
  Publish(13, {Set("/c")});
  EXPECT_EQ(streams_->DueRevision(kSession), Revision(12));
  EXPECT_EQ(streams_->DueRevision(SessionId(5)), Revision());
  streams_->Close(kOne);
  streams_->Close(kTwo);
  EXPECT_EQ(streams_->DueRevision(kSession), Revision());
}

TEST_F(StreamsTest, DueIsTheAppliedRevisionWhileAStreamLags) {
  Watch(kOne, {Node("/a")});
  Watch(kTwo, {Node("/b")});
  Room(kOne, 0);
  Publish(11, {Set("/a")});
  Publish(12, {Set("/c")});
  EXPECT_EQ(streams_->DueRevision(kSession), Revision(12));
  Drain(kOne);
  EXPECT_EQ(streams_->DueRevision(kSession), Revision(11));
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a", "mark 12"));
}

TEST_F(StreamsTest, DueIsTheAppliedRevisionWhileTheInitialStateIsSent) {
  WatchInitial(kOne, {Node("/a")});
  Publish(11, {Set("/c")});
  EXPECT_EQ(streams_->DueRevision(kSession), Revision(11));
  streams_->InitialDone(kOne, Revision(11));
  Tick();
  EXPECT_EQ(streams_->DueRevision(kSession), Revision());
}

TEST_F(StreamsTest, NothingIsDueForAStartInTheFuture) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(20)).ok());
  Publish(11, {Set("/a")});
  EXPECT_EQ(streams_->DueRevision(kSession), Revision());
}

TEST_F(StreamsTest, TheEventThatEndedAStreamIsDueUntilItIsClosed) {
  Watch(kOne, {Once(Node("/a"))});
  Publish(11, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a", "end OK"));
  EXPECT_EQ(streams_->DueRevision(kSession), Revision(11));
  streams_->Close(kOne);
  EXPECT_EQ(streams_->DueRevision(kSession), Revision());
}

TEST_F(StreamsTest, EndedStreamsThatNobodyClosesAreForgottenInTheEnd) {
  Restart({.streams_max = 2});
  for (uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(streams_
                    ->Add({.id = StreamId(i),
                           .session = SessionId(i),
                           .identities = {},
                           .targets = {Once(Node("/a"))},
                           .start_revision = {}})
                    .ok());
    Publish(10 + i, {Set("/a")});
  }
  EXPECT_EQ(streams_->DueRevision(SessionId(1)), Revision());
  EXPECT_EQ(streams_->DueRevision(SessionId(2)), Revision(12));
  EXPECT_EQ(streams_->DueRevision(SessionId(3)), Revision(13));
}

// --- Limits and bad requests ------------------------------------------------------------------

TEST_F(StreamsTest, ABadRequestIsRefusedWithItsReason) {
  EXPECT_EQ(Add(kOne, {}).reason, Reason::kInvalidArgument);
  const model::Error bad_path = Add(kOne, {Node("/a"), Node("/a/")});
  EXPECT_EQ(bad_path.reason, Reason::kInvalidPath);
  EXPECT_EQ(bad_path.path, "/a/");
  EXPECT_EQ(streams_
                ->Add({.id = kOne,
                       .session = {},
                       .identities = {},
                       .targets = {Node("/a")},
                       .start_revision = Revision(11),
                       .send_initial = true})
                .reason,
            Reason::kInvalidArgument);
  EXPECT_EQ(streams_->size(), 0u);
  EXPECT_EQ(streams_->targets(), 0u);
  EXPECT_EQ(streams_->DueRevision(kSession), Revision());
}

TEST_F(StreamsTest, AStreamHasABoundedNumberOfTargets) {
  std::vector<WatchTarget> targets(model::kTargetsPerStreamMax, Node("/a"));
  EXPECT_TRUE(Add(kOne, targets).ok());
  targets.push_back(Node("/a"));
  EXPECT_EQ(Add(kTwo, targets).reason, Reason::kInvalidArgument);
}

TEST_F(StreamsTest, AServerHasABoundedNumberOfStreams) {
  for (uint64_t id = 1; id <= model::kStreamsMax; ++id) {
    ASSERT_TRUE(Add(StreamId(id), {Node("/a")}).ok());
  }
  EXPECT_EQ(Add(StreamId(model::kStreamsMax + 1), {Node("/a")}).reason, Reason::kOverloaded);
  streams_->Close(kOne);
  EXPECT_TRUE(Add(StreamId(model::kStreamsMax + 1), {Node("/a")}).ok());
}

TEST_F(StreamsTest, AnEmptyServerHasNothingToTell) {
  streams_ = std::make_unique<Streams>(this, Revision(), Revision(1), seconds(5));
  streams_->SetLeader(true, now_);
  ASSERT_TRUE(Add(kOne, {Node("/a")}).ok());
  EXPECT_THAT(Take(kOne), IsEmpty());
  Publish(1, {Created("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("1 created /a"));
}

}  // namespace
}  // namespace pando::watch
