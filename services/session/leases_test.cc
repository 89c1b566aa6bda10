#include "session/leases.h"

#include "gtest/gtest.h"

namespace pando::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr model::SessionId kAnn(1), kBob(2);

class LeasesTest : public testing::Test {
 protected:
  // Goes on in small steps, as the core thread does.
  void Wait(base::Duration duration) {
    const base::Instant end = now_ + duration;
    while (now_ < end) {
      now_ = std::min(end, now_ + milliseconds(100));
      leases_.AnyDue(now_);
    }
  }
  std::vector<model::SessionId> Due() { return leases_.TakeDue(now_, 100); }

  base::Instant now_{seconds(1000)};
  Leases leases_{milliseconds(200)};
};

TEST_F(LeasesTest, ExpireWhenNotRenewedAndNotBefore) {
  leases_.Start({}, seconds(0), now_);
  leases_.Grant(kAnn, seconds(5), now_);
  leases_.Grant(kBob, seconds(5), now_);
  Wait(seconds(4));
  leases_.Renew(kBob, now_);
  EXPECT_EQ(leases_.TimeLeft(kAnn, now_), seconds(1));
  Wait(milliseconds(900));
  EXPECT_TRUE(Due().empty());
  Wait(milliseconds(100));
  EXPECT_EQ(Due(), std::vector{kAnn});
  Wait(seconds(4));
  EXPECT_EQ(Due(), std::vector{kBob});
}

TEST_F(LeasesTest, AnotherTimeoutBeginsNow) {
  leases_.Start({}, seconds(0), now_);
  leases_.Grant(kAnn, seconds(5), now_);
  Wait(seconds(4));
  leases_.Change(kAnn, seconds(2), now_);
  EXPECT_EQ(leases_.TimeLeft(kAnn, now_), seconds(2));
  leases_.Renew(kAnn, now_);
  Wait(milliseconds(1'900));
  EXPECT_TRUE(Due().empty());
  Wait(milliseconds(100));
  EXPECT_EQ(Due(), std::vector{kAnn});
  leases_.Change(kAnn, seconds(5), now_);  // its expiry is on its way
  EXPECT_EQ(leases_.TimeLeft(kAnn, now_), seconds(0));
  leases_.Change(kBob, seconds(5), now_);  // nobody knows him
  EXPECT_EQ(leases_.TimeLeft(kBob, now_), seconds(0));
}

TEST_F(LeasesTest, APauseExpiresNobody) {
  leases_.Start({}, seconds(0), now_);
  leases_.Grant(kAnn, seconds(5), now_);
  now_ = now_ + seconds(60);
  EXPECT_FALSE(leases_.AnyDue(now_));
  leases_.Renew(kAnn, now_);
  EXPECT_EQ(leases_.TimeLeft(kAnn, now_), seconds(5));
}

TEST_F(LeasesTest, ANewLeaderGrantsTheFullTimeoutAndTheGrace) {
  leases_.Start({{kAnn, seconds(5)}}, seconds(1), now_);
  Wait(milliseconds(5'900));
  EXPECT_FALSE(leases_.AnyDue(now_));
  Wait(milliseconds(100));
  EXPECT_TRUE(leases_.AnyDue(now_));
}

TEST_F(LeasesTest, AnExpiryOnItsWayIsNotTakenBack) {
  leases_.Start({{kAnn, seconds(1)}}, seconds(0), now_);
  Wait(seconds(1));
  EXPECT_EQ(Due(), std::vector{kAnn});
  leases_.Renew(kAnn, now_);
  EXPECT_EQ(leases_.TimeLeft(kAnn, now_), seconds(0));
  EXPECT_FALSE(leases_.AnyDue(now_));
  leases_.Drop(kAnn);
  EXPECT_EQ(leases_.NextDeadline(), base::kNever);
}

TEST_F(LeasesTest, NobodyIsDueWhileStopped) {
  leases_.Start({{kAnn, seconds(1)}}, seconds(0), now_);
  leases_.Stop();
  leases_.Grant(kBob, seconds(1), now_);
  Wait(seconds(10));
  EXPECT_FALSE(leases_.AnyDue(now_));
  EXPECT_EQ(leases_.NextDeadline(), base::kNever);
}

TEST_F(LeasesTest, AsksToBeCalledInTime) {
  leases_.Start({{kAnn, seconds(5)}}, seconds(0), now_);
  for (int calls = 0; !leases_.AnyDue(now_); ++calls) {
    ASSERT_LT(calls, 100);
    now_ = leases_.NextDeadline();
  }
  EXPECT_EQ(now_, base::Instant{seconds(1005)});
}

}  // namespace
}  // namespace pando::session
