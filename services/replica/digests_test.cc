#include "replica/digests.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace pando::replica {
namespace {

constexpr model::Revision kAt{Digests::kDigestEvery};
constexpr uint64_t kRight = 0xaa;
constexpr uint64_t kWrong = 0xbb;
constexpr uint64_t kOther = 0xcc;

class DigestsTest : public testing::Test {
 protected:
  std::optional<io::DigestVerdict> Add(uint64_t server, uint64_t digest,
                                       model::Revision revision = kAt) {
    return digests_.Add(model::ServerId(server), {revision, digest}, voters_);
  }

  std::vector<model::ServerId> voters_ = {model::ServerId(1), model::ServerId(2),
                                          model::ServerId(3)};
  Digests digests_;
};

TEST_F(DigestsTest, AMajorityThatAgreesIsTheVerdict) {
  EXPECT_FALSE(Add(1, kRight));
  const std::optional<io::DigestVerdict> verdict = Add(3, kRight);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->revision, kAt);
  EXPECT_EQ(verdict->digest, kRight);
  EXPECT_FALSE(digests_.split());
}

TEST_F(DigestsTest, TheSameServerTwiceIsNoMajority) {
  EXPECT_FALSE(Add(1, kRight));
  EXPECT_FALSE(Add(1, kRight));
}

TEST_F(DigestsTest, AStrangerOrALearnerDoesNotCount) {
  EXPECT_FALSE(Add(1, kRight));
  EXPECT_FALSE(Add(4, kRight));
  EXPECT_FALSE(Add(2, kWrong));
  EXPECT_TRUE(Add(3, kRight));
}

TEST_F(DigestsTest, ReportsOfOtherRevisionsDoNotAddUp) {
  EXPECT_FALSE(Add(1, kRight));
  EXPECT_FALSE(Add(2, kRight, model::Revision(2 * Digests::kDigestEvery)));
}

TEST_F(DigestsTest, OneThatDiffersIsNoSplitAsLongAsTheOthersMayAgree) {
  Add(1, kRight);
  Add(2, kWrong);
  EXPECT_FALSE(digests_.split());
  Add(3, kOther);
  EXPECT_TRUE(digests_.split());
  digests_.ForgetReports();
  EXPECT_FALSE(digests_.split());
}

TEST_F(DigestsTest, OnlyAnOwnDigestThatDiffersContradicts) {
  EXPECT_FALSE(digests_.Contradicts({kAt, kRight}));
  digests_.AddOwn(kAt, kWrong);
  EXPECT_TRUE(digests_.Contradicts({kAt, kRight}));
  EXPECT_FALSE(digests_.Contradicts({kAt, kWrong}));
}

// A follower that was down for long reports what everybody else has left behind.
TEST_F(DigestsTest, ReportOfLongAgoIsComparedWithNothingElse) {
  for (uint64_t i = 2; i <= 20; ++i) {
    const model::Revision revision(i * Digests::kDigestEvery);
    EXPECT_FALSE(Add(1, i, revision));
    const std::optional<io::DigestVerdict> verdict = Add(2, i, revision);
    ASSERT_TRUE(verdict) << i;
    EXPECT_EQ(verdict->revision, revision);
    EXPECT_EQ(verdict->digest, i);
  }
  EXPECT_FALSE(Add(3, kRight));
  EXPECT_FALSE(digests_.split());
  // And those that are kept are still counted.
  EXPECT_TRUE(Add(3, 20, model::Revision(20 * Digests::kDigestEvery)));
}

TEST_F(DigestsTest, OldOnesAreForgotten) {
  digests_.AddOwn(kAt, kWrong);
  for (uint64_t i = 2; i <= 5; ++i) {
    digests_.AddOwn(model::Revision(i * Digests::kDigestEvery), kRight);
  }
  EXPECT_FALSE(digests_.Contradicts({kAt, kRight}));
}

}  // namespace
}  // namespace pando::replica
