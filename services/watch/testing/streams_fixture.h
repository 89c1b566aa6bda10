// The vocabulary of the tests of Streams: changes and targets in few words, and a server around a
// Streams whose time, Outboxes and change log are the test's.
#ifndef PANDO_WATCH_TESTING_STREAMS_FIXTURE_H_
#define PANDO_WATCH_TESTING_STREAMS_FIXTURE_H_

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "watch/streams.h"

namespace pando::watch {

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

inline constexpr StreamId kOne(1), kTwo(2), kThree(3);
inline constexpr SessionId kSession(77);
inline const model::Identity kAnn{"digest", "ann"};

inline std::shared_ptr<const model::Acl> Acl(const model::Identity& reader) {
  return std::make_shared<const model::Acl>(
      model::Acl{{model::kWrite, {"world", "anyone"}}, {model::kRead, reader}});
}
inline const auto kOpenAcl = std::make_shared<const model::Acl>(model::OpenAcl());
inline const auto kAnnsAcl = Acl(kAnn);

inline Change Made(ChangeKind kind, std::string path, model::NodeBytes data = {}) {
  Change change;
  change.kind = kind;
  change.path = std::move(path);
  change.data = std::move(data);
  change.acl = change.parent_acl = kOpenAcl;
  return change;
}
inline Change Created(std::string path) { return Made(ChangeKind::kCreated, std::move(path)); }
inline Change Deleted(std::string path) { return Made(ChangeKind::kDeleted, std::move(path)); }
inline Change Set(std::string path, std::string data = "x") {
  return Made(ChangeKind::kDataChanged, std::move(path), std::move(data));
}
inline Change AclSet(std::string path) { return Made(ChangeKind::kAclChanged, std::move(path)); }

inline WatchTarget Node(std::string path) { return {std::move(path), WatchTarget::Kind::kNode}; }
inline WatchTarget Children(std::string path) {
  return {std::move(path), WatchTarget::Kind::kChildren};
}
inline WatchTarget Subtree(std::string path) {
  return {std::move(path), WatchTarget::Kind::kSubtree};
}
inline WatchTarget WithData(WatchTarget target) {
  target.with_data = true;
  return target;
}
inline WatchTarget Once(WatchTarget target) {
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

}  // namespace pando::watch

#endif  // PANDO_WATCH_TESTING_STREAMS_FIXTURE_H_
