// An ensemble of one: it elects itself, and what is on its disk is committed.
#include <optional>
#include <string>
#include <vector>

#include "codec/membership.h"
#include "gtest/gtest.h"
#include "raft/raft.h"

namespace pando::raft {
namespace {

using model::EntryKind;
using model::Revision;
using model::Term;

constexpr model::ServerId kSelf(1);

model::Membership JustOne() {
  model::Membership membership;
  membership.members = {{.id = kSelf, .peer_address = "a:1", .version_max = 1}};
  return membership;
}

// One server with a disk that syncs when told to.
class OneVoter : public testing::Test {
 protected:
  Raft& Start(Recovered recovered = {}) {
    recovered.membership = JustOne();
    raft_.emplace(Config{.id = kSelf}, std::move(recovered), base::Rng(1), base::Instant());
    appends_.clear();
    committed_.clear();
    granted_.clear();
    return *raft_;
  }
  // Takes all output.
  void Obey() {
    for (Output output = raft_->Take({}); !output.empty(); output = raft_->Take({})) {
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

TEST_F(OneVoter, LeadsOnlyOnceItsVoteIsOnDisk) {
  Start();
  raft_->Tick({});
  Obey();
  ASSERT_EQ(appends_.size(), 1u);
  EXPECT_EQ(appends_[0].vote->term, Term(1));
  EXPECT_EQ(appends_[0].vote->vote, kSelf);
  EXPECT_EQ(raft_->role(), Role::kCandidate);
  EXPECT_FALSE(raft_->Propose({}, EntryKind::kCommand, "x").ok());
  raft_->Persisted({}, appends_[0].id);
  EXPECT_EQ(raft_->role(), Role::kLeader);
}

TEST_F(OneVoter, CommitsWhatIsOnDiskAndNothingElse) {
  Start();
  Elect();
  EXPECT_EQ(committed_, std::vector<std::string>{""});  // the leader's first entry
  EXPECT_EQ(raft_->Propose({}, EntryKind::kCommand, "a").value(), Revision(2));
  EXPECT_EQ(raft_->Propose({}, EntryKind::kCommand, "b").value(), Revision(3));
  Obey();
  EXPECT_EQ(committed_.size(), 1u);
  raft_->Propose({}, EntryKind::kCommand, "c").value();
  Obey();
  ASSERT_EQ(appends_.size(), 4u);
  EXPECT_EQ(appends_[2].entries.size(), 2u);  // proposed together, appended together
  raft_->Persisted({}, appends_[2].id);
  Obey();
  EXPECT_EQ(committed_, (std::vector<std::string>{"", "a", "b"}));
  EXPECT_EQ(raft_->committed(), Revision(3));
}

TEST_F(OneVoter, ARestartRaisesTheTermAndCommitsTheOldEntriesWithItsOwn) {
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
  EXPECT_EQ(appends_.back().entries.back()->index, Revision(13));
}

TEST_F(OneVoter, AReadWaitsForTheFirstEntryOfTheTerm) {
  Start();
  raft_->Read({}, ReadId(1));
  raft_->Tick({});
  Obey();
  raft_->Read({}, ReadId(2));
  Obey();
  EXPECT_TRUE(granted_.empty());  // no leader yet, or one that does not know what is committed
  Sync();
  ASSERT_EQ(granted_.size(), 2u);
  EXPECT_EQ(granted_[0].index, Revision(1));
  EXPECT_EQ(granted_[1].index, Revision(1));
  raft_->Propose({}, EntryKind::kCommand, "uncommitted").value();
  raft_->Read({}, ReadId(3));
  Obey();
  EXPECT_EQ(granted_.back().index, Revision(1));
}

TEST_F(OneVoter, AMembershipIsInForceFromItsAppend) {
  Start();
  Elect();
  model::Membership renamed = JustOne();
  renamed.members[0].peer_address = "b:2";
  raft_->Propose({}, EntryKind::kMembership, codec::EncodeMembership(renamed)).value();
  EXPECT_EQ(raft_->membership(), renamed);
}

TEST_F(OneVoter, StoredEntriesAreForgotten) {
  Start();
  Elect();
  for (int i = 0; i < 10; ++i) raft_->Propose({}, EntryKind::kCommand, "x").value();
  Sync();
  raft_->Compact(Revision(8));
  raft_->Propose({}, EntryKind::kCommand, "y").value();
  Sync();
  EXPECT_EQ(committed_.back(), "y");
  EXPECT_EQ(raft_->last_index(), Revision(12));
}

}  // namespace
}  // namespace pando::raft
