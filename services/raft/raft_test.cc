#include "raft/raft.h"

#include <optional>
#include <string>
#include <vector>

#include "codec/membership.h"
#include "gtest/gtest.h"

namespace pando::raft {
namespace {

using model::EntryKind;
using model::Revision;
using model::Term;

constexpr model::ServerId kSelf(1);

model::Membership OneVoter() {
  model::Membership membership;
  membership.members = {{.id = kSelf, .peer_address = "a:1", .version_max = 1}};
  return membership;
}

// One server with a disk that syncs when told to.
class RaftTest : public testing::Test {
 protected:
  Raft& Start(Recovered recovered = {}) {
    recovered.membership = OneVoter();
    raft_.emplace(Config{kSelf, model::StartCount(1)}, std::move(recovered), base::Rng(1),
                  base::Instant());
    appends_.clear();
    committed_.clear();
    granted_.clear();
    return *raft_;
  }
  // Takes all output.
  void Obey() {
    while (raft_->HasOutput()) {
      Output output = raft_->Take();
      if (output.append) appends_.push_back(std::move(*output.append));
      for (const EntryRef& entry : output.committed) committed_.push_back(entry->payload);
      for (const ReadGrant& grant : output.reads) granted_.push_back(grant);
    }
  }
  void Sync() {
    Obey();
    while (synced_ < appends_.size()) {
      raft_->Persisted({}, appends_[synced_++].id);
      Obey();
    }
  }
  void Elect() {
    raft_->Tick({});
    Sync();
    ASSERT_EQ(raft_->role(), Role::kLeader);
  }

  std::optional<Raft> raft_;
  std::vector<Append> appends_;
  size_t synced_ = 0;
  std::vector<std::string> committed_;
  std::vector<ReadGrant> granted_;
};

TEST_F(RaftTest, LeadsOnlyOnceItsVoteIsOnDisk) {
  Start();
  raft_->Tick({});
  Obey();
  ASSERT_EQ(appends_.size(), 1u);
  EXPECT_EQ(appends_[0].vote->term, Term(1));
  EXPECT_EQ(appends_[0].vote->vote, kSelf);
  EXPECT_EQ(raft_->role(), Role::kCandidate);
  EXPECT_FALSE(raft_->Propose(EntryKind::kCommand, "x").ok());
  raft_->Persisted({}, appends_[0].id);
  EXPECT_EQ(raft_->role(), Role::kLeader);
}

TEST_F(RaftTest, CommitsWhatIsOnDiskAndNothingElse) {
  Start();
  Elect();
  EXPECT_EQ(committed_, std::vector<std::string>{""});  // the leader's first entry
  EXPECT_EQ(raft_->Propose(EntryKind::kCommand, "a").value(), Revision(2));
  EXPECT_EQ(raft_->Propose(EntryKind::kCommand, "b").value(), Revision(3));
  Obey();
  EXPECT_EQ(committed_.size(), 1u);
  raft_->Propose(EntryKind::kCommand, "c").value();
  Obey();
  ASSERT_EQ(appends_.size(), 4u);
  EXPECT_EQ(appends_[2].entries.size(), 2u);  // proposed together, appended together
  raft_->Persisted({}, appends_[2].id);
  Obey();
  EXPECT_EQ(committed_, (std::vector<std::string>{"", "a", "b"}));
  EXPECT_EQ(raft_->committed(), Revision(3));
}

TEST_F(RaftTest, ARestartRaisesTheTermAndCommitsTheOldEntriesWithItsOwn) {
  Recovered recovered;
  recovered.term = Term(4);
  recovered.previous = Revision(10);
  recovered.previous_term = Term(3);
  recovered.entries = {{Revision(11), Term(4), EntryKind::kCommand, "old"},
                       {Revision(12), Term(4), EntryKind::kCommand, "older than the crash"}};
  recovered.applied = Revision(11);
  Start(std::move(recovered));
  raft_->Tick({});
  Obey();
  EXPECT_TRUE(committed_.empty());
  Sync();
  EXPECT_EQ(raft_->term(), Term(5));
  EXPECT_EQ(committed_, (std::vector<std::string>{"older than the crash", ""}));
  EXPECT_EQ(appends_.back().entries.back().index, Revision(13));
}

TEST_F(RaftTest, AReadWaitsForTheFirstEntryOfTheTerm) {
  Start();
  raft_->Read({}, ReadId(1));
  Obey();
  ASSERT_EQ(granted_.size(), 1u);
  EXPECT_FALSE(granted_[0].granted);  // no leader yet
  raft_->Tick({});
  Obey();
  raft_->Read({}, ReadId(2));
  Obey();
  EXPECT_EQ(granted_.size(), 1u);
  Sync();
  ASSERT_EQ(granted_.size(), 2u);
  EXPECT_TRUE(granted_[1].granted);
  EXPECT_EQ(granted_[1].index, Revision(1));
  raft_->Propose(EntryKind::kCommand, "uncommitted").value();
  raft_->Read({}, ReadId(3));
  Obey();
  EXPECT_EQ(granted_.back().index, Revision(1));
}

TEST_F(RaftTest, AMembershipIsInForceFromItsAppend) {
  Start();
  Elect();
  model::Membership renamed = OneVoter();
  renamed.members[0].peer_address = "b:2";
  raft_->Propose(EntryKind::kMembership, codec::EncodeMembership(renamed)).value();
  EXPECT_EQ(raft_->membership(), renamed);
}

TEST_F(RaftTest, StoredEntriesAreForgotten) {
  Start();
  Elect();
  for (int i = 0; i < 10; ++i) raft_->Propose(EntryKind::kCommand, "x").value();
  Sync();
  raft_->Compact(Revision(8));
  raft_->Propose(EntryKind::kCommand, "y").value();
  Sync();
  EXPECT_EQ(committed_.back(), "y");
  EXPECT_EQ(raft_->last_index(), Revision(12));
}

TEST(RaftLog, KeepsTheNewestWithinItsBudget) {
  Log log(Revision(5), Term(1));
  for (uint64_t i = 6; i <= 15; ++i) {
    log.Push(std::make_shared<const model::Entry>(
        model::Entry{Revision(i), Term(2), EntryKind::kCommand, std::string(100, 'x')}));
  }
  const size_t each = log.At(Revision(6))->bytes();
  EXPECT_EQ(log.bytes(), 10 * each);
  log.Compact(Revision(12), 3 * each);  // 10, 11 and 12 stay, and what is above
  EXPECT_EQ(log.first(), Revision(10));
  EXPECT_EQ(log.TermAt(Revision(9)), Term(2));
  EXPECT_EQ(log.TermAt(Revision(8)), std::nullopt);
  log.Compact(Revision(15), 0);
  EXPECT_EQ(log.first(), Revision(16));
  EXPECT_EQ(log.last(), Revision(15));
  EXPECT_EQ(log.last_term(), Term(2));
}

}  // namespace
}  // namespace pando::raft
