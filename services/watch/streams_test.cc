// What a stream is sent: what matches, who may see it, and from which revision on.
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "watch/testing/streams_fixture.h"

namespace pando::watch {
namespace {

// --- What matches -----------------------------------------------------------------------------

TEST_F(StreamsTest, NodeSeesAllEventsOfItsPathAndNoOther) {
  Watch(kOne, {Node("/a")});
  Publish(11, {Created("/a"), Created("/a/b"), Created("/ab"), Created("/b")});
  Publish(12, {Set("/a")});
  Publish(13, {AclSet("/a")});
  Publish(14, {Deleted("/a/b"), Deleted("/a")});
  Publish(15, {Set("/")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a", "12 data /a", "13 acl /a", "14 deleted /a"));
}

TEST_F(StreamsTest, ChildrenSeesDirectChildrenComeAndGo) {
  Watch(kOne, {Children("/a")});
  Publish(11, {Created("/a"), Created("/a/b"), Created("/a/b/c"), Created("/ab")});
  Publish(12, {Set("/a/b"), AclSet("/a/b"), Set("/a")});
  Publish(13, {Deleted("/a/b/c"), Deleted("/a/b"), Deleted("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a/b", "13 deleted /a/b"));
}

TEST_F(StreamsTest, ChildrenOfTheRootAreNotTheRoot) {
  Watch(kOne, {Children("/")});
  Publish(11, {Created("/"), Created("/a"), Created("/a/b"), Set("/")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a"));
}

TEST_F(StreamsTest, SubtreeSeesThePathAndAllBelow) {
  Watch(kOne, {Subtree("/a")});
  Watch(kTwo, {Subtree("/")});
  Publish(11, {Created("/a"), Created("/a/b"), Created("/a/b/c"), Created("/ab")});
  Publish(12, {Set("/a/b/c"), AclSet("/a"), Set("/")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a created /a/b created /a/b/c",  //
                                      "12 data /a/b/c acl /a"));
  EXPECT_THAT(Take(kTwo), ElementsAre("11 created /a created /a/b created /a/b/c created /ab",
                                      "12 data /a/b/c acl /a data /"));
}

TEST_F(StreamsTest, SeveralMatchesAreOneEventWithDataIfOneOfThemWantsIt) {
  Watch(kOne, {Node("/a/b"), Children("/a"), WithData(Subtree("/a")), Subtree("/"), Node("/a/b")});
  Watch(kTwo, {Node("/a/b"), Subtree("/")});
  Publish(11, {Made(ChangeKind::kCreated, "/a/b", "x"), Set("/c", "y")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a/b=x data /c"));
  EXPECT_THAT(Take(kTwo), ElementsAre("11 created /a/b data /c"));
}

// --- Targets for one event --------------------------------------------------------------------

TEST_F(StreamsTest, AOnceTargetEndsWithItsFirstEvent) {
  Watch(kOne, {Once(Subtree("/a")), Node("/b")});
  EXPECT_EQ(streams_->targets(), 2u);
  Publish(11, {Created("/a/1"), Created("/a/2"), Set("/b")});
  EXPECT_EQ(streams_->targets(), 1u);
  Publish(12, {Created("/a/3"), Set("/b")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a/1 data /b", "12 data /b"));
}

TEST_F(StreamsTest, AStreamEndsWithItsLastTarget) {
  Watch(kOne, {Once(Node("/a")), Once(Node("/b")), Once(Children("/"))});
  Publish(11, {Created("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a"));
  Publish(12, {Set("/b")});
  EXPECT_THAT(Take(kOne), ElementsAre("12 data /b", "end OK"));
  EXPECT_EQ(streams_->size(), 0u);
  EXPECT_EQ(streams_->targets(), 0u);
  Publish(13, {Set("/a"), Set("/b")});
  EXPECT_THAT(Take(kOne), IsEmpty());
}

TEST_F(StreamsTest, AOnceTargetDoesNotEndWithAnEventThatTheOutboxRefused) {
  Watch(kOne, {Once(Node("/a"))});
  Room(kOne, 0);
  Publish(11, {Created("/a")});
  Publish(12, {Set("/a")});
  EXPECT_EQ(streams_->targets(), 1u);
  Drain(kOne);
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /a", "end OK"));
}

// --- Permissions ------------------------------------------------------------------------------

TEST_F(StreamsTest, EventsAreFilteredByTheAclOfTheNode) {
  Watch(kOne, {Node("/a"), Subtree("/s")});
  identities_ = {{"ip", "10.0.0.1"}, kAnn};
  Watch(kTwo, {Node("/a"), Subtree("/s")});
  Change a = Set("/a");
  Change s = Created("/s/1");
  a.acl = s.acl = kAnnsAcl;
  Publish(11, {a, Created("/s/2"), s});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /s/2"));
  EXPECT_THAT(Take(kTwo), ElementsAre("11 data /a created /s/2 created /s/1"));
}

TEST_F(StreamsTest, ChildrenAreFilteredByTheAclOfTheParent) {
  Watch(kOne, {Children("/p")});
  identities_ = {kAnn};
  Watch(kTwo, {Children("/p")});
  Change hidden = Created("/p/1");
  hidden.parent_acl = kAnnsAcl;
  Change open = Created("/p/2");
  open.acl = Acl({"digest", "bob"});
  Publish(11, {hidden, open});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /p/2"));
  EXPECT_THAT(Take(kTwo), ElementsAre("11 created /p/1 created /p/2"));
}

TEST_F(StreamsTest, AChildsDataNeedsReadOnTheChild) {
  Watch(kOne, {WithData(Children("/p"))});
  identities_ = {kAnn};
  Watch(kTwo, {WithData(Children("/p"))});
  Change change = Made(ChangeKind::kCreated, "/p/1", "secret");
  change.acl = kAnnsAcl;
  Publish(11, {change});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /p/1"));
  EXPECT_THAT(Take(kTwo), ElementsAre("11 created /p/1=secret"));
}

TEST_F(StreamsTest, DataComesOnlyByATargetThatMaySeeTheNode) {
  // The child is seen as the parent's; the target that wants its data may not have it.
  Watch(kOne, {Children("/p"), WithData(Node("/p/1"))});
  Change change = Made(ChangeKind::kCreated, "/p/1", "secret");
  change.acl = kAnnsAcl;
  Publish(11, {change});
  EXPECT_THAT(Take(kOne), ElementsAre("11 created /p/1"));
}

TEST_F(StreamsTest, AnEventThatIsNotDeliveredDoesNotEndAOnceTarget) {
  Watch(kOne, {Once(Node("/a"))});
  Change hidden = Set("/a");
  hidden.acl = kAnnsAcl;
  Publish(11, {hidden});
  Publish(12, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("12 data /a", "end OK"));
}

// --- Starts -----------------------------------------------------------------------------------

TEST_F(StreamsTest, WithoutAStartItBeginsWithTheNextChange) {
  Publish(11, {Set("/a")});
  ASSERT_TRUE(Add(kOne, {Node("/a")}).ok());
  Publish(12, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("mark 11", "12 data /a"));
}

TEST_F(StreamsTest, AStartInTheFutureWaits) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(13)).ok());
  Publish(11, {Set("/a")});
  Wait(seconds(3));
  PublishNothing(12);
  Wait(seconds(3));
  EXPECT_THAT(Take(kOne), IsEmpty());
  Publish(13, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("13 data /a"));
}

TEST_F(StreamsTest, TheNextRevisionIsAStartInTheFuture) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(11)).ok());
  EXPECT_THAT(Take(kOne), IsEmpty());
  Publish(11, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a"));
}

TEST_F(StreamsTest, AStartInThePastIsServedFromTheWindow) {
  for (uint64_t r = 11; r <= 14; ++r) Publish(r, {Set("/a"), Set("/b")});
  PublishNothing(15);
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(13)).ok());
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("13 data /a", "14 data /a", "mark 15"));
  Publish(16, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("16 data /a"));
  EXPECT_THAT(reads_, IsEmpty());
}

TEST_F(StreamsTest, AnEventOfTheNewestRevisionNeedsNoMark) {
  Publish(11, {Set("/a")});
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(11)).ok());
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a"));
}

TEST_F(StreamsTest, AnOlderStartIsServedFromTheChangeLogAndThenTheWindow) {
  Publish(11, {Set("/a")});
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(6)).ok());
  Tick();
  EXPECT_THAT(reads_, ElementsAre(Revision(6)));
  // Meanwhile the world goes on.
  Publish(12, {Set("/a")});
  EXPECT_THAT(Take(kOne), IsEmpty());
  AnswerRead(8, {Batch(7, {Set("/a"), Set("/b")}), Batch(8, {Set("/b")})});
  EXPECT_THAT(Take(kOne), ElementsAre("7 data /a"));
  EXPECT_THAT(reads_, ElementsAre(Revision(6), Revision(9)));
  AnswerRead(10, {});
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a", "12 data /a"));
  EXPECT_EQ(reads_.size(), 2u);
}

// --- Compaction -------------------------------------------------------------------------------

TEST_F(StreamsTest, AStartBeforeTheChangeLogIsCompacted) {
  const model::Error error = Add(kOne, {Node("/a")}, Revision(4));
  EXPECT_EQ(error.reason, Reason::kCompacted);
  EXPECT_EQ(error.oldest, Revision(5));
  EXPECT_EQ(streams_->size(), 0u);
  EXPECT_TRUE(Add(kOne, {Node("/a")}, error.oldest).ok());
}

TEST_F(StreamsTest, AStreamWhosePlaceIsTrimmedIsCompacted) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(6)).ok());
  Tick();
  AnswerRead(5, {}, 8);
  EXPECT_THAT(Take(kOne), ElementsAre("end COMPACTED 8"));
  EXPECT_EQ(streams_->size(), 0u);
}

TEST_F(StreamsTest, ABlockedStreamGetsWhatWasTakenAndThenCompacted) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(6)).ok());
  Tick();
  Room(kOne, 1);
  AnswerRead(10, {Batch(6, {Set("/a")}), Batch(7, {Set("/a")})});
  // The next chunk is another's, and then the log moves on.
  ASSERT_TRUE(Add(kTwo, {Node("/b")}, Revision(5)).ok());
  Tick();
  AnswerRead(6, {});
  streams_->Stored(Revision(10), Revision(9));
  Tick();
  Drain(kOne);
  EXPECT_THAT(Take(kOne), ElementsAre("6 data /a", "end COMPACTED 9"));
}

TEST_F(StreamsTest, TheWindowServesWhatTheChangeLogHasLost) {
  Publish(11, {Set("/a")});
  streams_->Stored(Revision(11), Revision(12));
  EXPECT_EQ(Add(kOne, {Node("/a")}, Revision(10)).oldest, Revision(11));
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(11)).ok());
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a"));
}

TEST_F(StreamsTest, ALogThatHasNothingIsAnErrorNotAGap) {
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(6)).ok());
  Tick();
  AnswerRead(5, {});
  EXPECT_THAT(Take(kOne), ElementsAre("end COMPACTED 11"));
}

// --- send_initial -----------------------------------------------------------------------------

TEST_F(StreamsTest, AfterTheInitialStateComesEveryChangeAfterIt) {
  WatchInitial(kOne, {Node("/a")});
  for (uint64_t r = 11; r <= 13; ++r) Publish(r, {Set("/a")});
  Wait(seconds(2));
  EXPECT_THAT(Take(kOne), IsEmpty());
  streams_->InitialDone(kOne, Revision(11));
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("12 data /a", "13 data /a"));
  Publish(14, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("14 data /a"));
}

TEST_F(StreamsTest, AnInitialStateOfTheAppliedRevisionNeedsNoMark) {
  WatchInitial(kOne, {Node("/a")});
  streams_->InitialDone(kOne, Revision(10));
  Tick();
  Wait(seconds(2));
  EXPECT_THAT(Take(kOne), IsEmpty());
  Publish(11, {Set("/a")});
  EXPECT_THAT(Take(kOne), ElementsAre("11 data /a"));
}

TEST_F(StreamsTest, AnInitialStateThatTookTooLongIsCompacted) {
  Restart({.window_bytes_max = 0});
  WatchInitial(kOne, {Node("/a")});
  for (uint64_t r = 11; r <= 13; ++r) Publish(r, {Set("/a")});
  streams_->Stored(Revision(13), Revision(13));
  streams_->InitialDone(kOne, Revision(11));
  Tick();
  EXPECT_THAT(Take(kOne), ElementsAre("end COMPACTED 13"));
}

TEST_F(StreamsTest, TheLogsOfTwoStreamsDoNotMix) {
  // Refilled by the same batches, from one list of targets.
  ASSERT_TRUE(Add(kOne, {Node("/a")}, Revision(6)).ok());
  ASSERT_TRUE(Add(kTwo, {Node("/b"), Node("/a"), Once(Node("/a"))}, Revision(6)).ok());
  Tick();
  AnswerRead(10, {Batch(7, {Set("/a"), Set("/b")}), Batch(8, {Set("/a")})});
  EXPECT_THAT(Take(kOne), ElementsAre("7 data /a", "8 data /a", "mark 10"));
  EXPECT_THAT(Take(kTwo), ElementsAre("7 data /a data /b", "8 data /a", "mark 10"));
}

}  // namespace
}  // namespace pando::watch
