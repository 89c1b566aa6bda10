#include "watch/streams.h"

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pando::watch {
namespace {

using model::Change;
using model::ChangeKind;
using model::Reason;
using model::Revision;
using model::SessionId;
using model::StreamId;
using model::WatchTarget;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr StreamId kOne(1), kTwo(2), kThree(3);
constexpr SessionId kSession(77);
const model::Identity kAnn{"digest", "ann"};

std::shared_ptr<const model::Acl> Acl(const model::Identity& reader) {
  return std::make_shared<const model::Acl>(
      model::Acl{{model::kWrite, {"world", "anyone"}}, {model::kRead, reader}});
}
const auto kOpenAcl = std::make_shared<const model::Acl>(model::OpenAcl());
const auto kAnnsAcl = Acl(kAnn);

Change Made(ChangeKind kind, std::string path, model::NodeBytes data = {}) {
  Change change;
  change.kind = kind;
  change.path = std::move(path);
  change.data = std::move(data);
  change.acl = change.parent_acl = kOpenAcl;
  return change;
}
Change Created(std::string path) { return Made(ChangeKind::kCreated, std::move(path)); }
Change Deleted(std::string path) { return Made(ChangeKind::kDeleted, std::move(path)); }
Change Set(std::string path, std::string data = "x") {
  return Made(ChangeKind::kDataChanged, std::move(path), std::move(data));
}
Change AclSet(std::string path) { return Made(ChangeKind::kAclChanged, std::move(path)); }

WatchTarget Node(std::string path) { return {std::move(path), WatchTarget::Kind::kNode}; }
WatchTarget Children(std::string path) { return {std::move(path), WatchTarget::Kind::kChildren}; }
WatchTarget Subtree(std::string path) { return {std::move(path), WatchTarget::Kind::kSubtree}; }
WatchTarget WithData(WatchTarget target) {
  target.with_data = true;
  return target;
}
WatchTarget Once(WatchTarget target) {
  target.once = true;
  return target;
}

class StreamsTest : public testing::Test, public Streams::Sink {
 protected:
  // A server that has applied, and stored, up to revision 10; its change log begins at 5.
  void SetUp() override { Restart({}); }

  void Restart(Bounds bounds) {
    streams_ = std::make_unique<Streams>(this, Revision(10), Revision(5), seconds(5), bounds);
    applied_ = Revision(10);
    streams_->SetLeader(true, now_);
    Tick();
  }

  model::Error Add(StreamId id, std::vector<WatchTarget> targets, Revision start = {}) {
    return streams_->Add({.id = id,
                          .session = kSession,
                          .identities = identities_,
                          .targets = std::move(targets),
                          .start_revision = start});
  }
  // One that is live, with its first mark taken off.
  void Watch(StreamId id, std::vector<WatchTarget> targets) {
    ASSERT_TRUE(Add(id, std::move(targets)).ok());
    ASSERT_THAT(Take(id), ElementsAre(absl::StrCat("mark ", applied_.value())));
  }
  void WatchInitial(StreamId id, std::vector<WatchTarget> targets) {
    ASSERT_TRUE(streams_
                    ->Add({.id = id,
                           .session = kSession,
                           .identities = {},
                           .targets = std::move(targets),
                           .start_revision = {},
                           .send_initial = true})
                    .ok());
  }

  std::shared_ptr<model::ChangeBatch> Batch(uint64_t revision, std::vector<Change> changes) {
    auto batch = std::make_shared<model::ChangeBatch>();
    batch->revision = Revision(revision);
    for (Change& change : changes) change.revision = batch->revision;
    batch->changes = std::move(changes);
    return batch;
  }
  void Publish(uint64_t revision, std::vector<Change> changes) {
    applied_ = Revision(revision);
    streams_->Publish(applied_, Batch(revision, std::move(changes)));
  }
  void PublishNothing(uint64_t revision) {
    applied_ = Revision(revision);
    streams_->Publish(applied_, nullptr);
  }
  // Answers the read in flight.
  void AnswerRead(uint64_t through, std::vector<std::shared_ptr<model::ChangeBatch>> batches,
                  uint64_t oldest = 5) {
    ASSERT_FALSE(reads_.empty());
    const Revision from = reads_.back();
    streams_->ChangesRead(from, Revision(through), Revision(oldest),
                          {batches.begin(), batches.end()});
    Tick();
  }

  void Tick() { streams_->Tick(now_); }
  void Wait(base::Duration duration) {
    const base::Instant end = now_ + duration;
    while (now_ < end) {
      now_ = std::min(end, std::max(now_, streams_->NextDeadline()));
      Tick();
    }
  }

  // From now on the stream's Outbox takes `room` more batches.
  void Room(StreamId id, size_t room) { room_[id] = room; }
  void Drain(StreamId id) {
    room_.erase(id);
    streams_->Drained(id);
    Tick();
  }
  // What the stream was sent since it was last asked.
  std::vector<std::string> Take(StreamId id) { return std::exchange(sent_[id], {}); }

  // Streams::Sink
  bool TryWrite(StreamId id, model::StreamBatch batch) override {
    if (const auto room = room_.find(id); room != room_.end()) {
      if (room->second == 0) {
        ++refused_;
        return false;
      }
      --room->second;
    }
    if (batch.batch == nullptr) {
      EXPECT_TRUE(batch.selected.empty());
      sent_[id].push_back(absl::StrCat("mark ", batch.revision.value()));
      return true;
    }
    EXPECT_EQ(batch.revision, batch.batch->revision);
    std::string line = absl::StrCat(batch.revision.value());
    for (const model::StreamBatch::Selected& selected : batch.selected) {
      static const char* const kNames[] = {"", "created", "deleted", "data", "acl"};
      const Change& change = batch.batch->changes.at(selected.change);
      absl::StrAppend(&line, " ", kNames[static_cast<size_t>(change.kind)], " ", change.path);
      if (selected.with_data) absl::StrAppend(&line, "=", change.data.value_or("null"));
    }
    sent_[id].push_back(line);
    return true;
  }
  void End(StreamId id, model::Error error) override {
    std::string line = absl::StrCat("end ", model::ReasonName(error.reason));
    if (error.oldest) absl::StrAppend(&line, " ", error.oldest.value());
    sent_[id].push_back(line);
  }
  void ReadChanges(Revision from) override { reads_.push_back(from); }

  base::Instant now_{seconds(1000)};
  std::unique_ptr<Streams> streams_;
  std::vector<model::Identity> identities_;
  Revision applied_;
  std::map<StreamId, std::vector<std::string>> sent_;
  std::map<StreamId, size_t> room_;
  size_t refused_ = 0;
  std::vector<Revision> reads_;
};

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
