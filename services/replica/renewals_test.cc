#include "replica/renewals.h"

#include <chrono>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace pando::replica {
namespace {

constexpr base::Instant At(int milliseconds) { return {std::chrono::milliseconds(milliseconds)}; }

Responder To(uint64_t tag) { return {.sink = nullptr, .tag = tag}; }

std::vector<uint64_t> Sessions(const io::RenewRequest& request) {
  std::vector<uint64_t> sessions;
  for (const model::SessionId session : request.sessions) sessions.push_back(session.value());
  return sessions;
}

std::vector<uint64_t> Tags(const std::vector<Renewals::Waiting>& all) {
  std::vector<uint64_t> tags;
  for (const Renewals::Waiting& waiting : all) tags.push_back(waiting.responder.tag);
  return tags;
}

using List = std::vector<uint64_t>;

class RenewalsTest : public testing::Test {
 protected:
  Renewals renewals_;
};

TEST_F(RenewalsTest, NothingIsAskedForNobody) {
  EXPECT_FALSE(renewals_.TakeRequest(At(0)));
  EXPECT_EQ(renewals_.next_deadline(), base::kNever);
}

TEST_F(RenewalsTest, WhatGoesTogetherGoesInOneRequest) {
  renewals_.Ask(model::SessionId(30), To(1));
  renewals_.Ask(model::SessionId(10), To(2));
  renewals_.Touch(model::SessionId(25));
  renewals_.Touch(model::SessionId(20));
  const std::optional<io::RenewRequest> request = renewals_.TakeRequest(At(0));
  ASSERT_TRUE(request);
  // Those that somebody waits for in the order asked, then the others by number.
  EXPECT_EQ(Sessions(*request), (List{30, 10, 20, 25}));
  EXPECT_FALSE(renewals_.TakeRequest(At(1)));
}

TEST_F(RenewalsTest, EveryoneGetsTheAnswerOfTheirSession) {
  renewals_.Ask(model::SessionId(30), To(1));
  renewals_.Ask(model::SessionId(10), To(2));
  const uint64_t id = renewals_.TakeRequest(At(0))->id;
  const std::vector<Renewals::Answered> answered =
      renewals_.TakeAnswered({.id = id, .time_left_ms = {700, 0}});
  ASSERT_EQ(answered.size(), 2u);
  EXPECT_EQ(answered[0].waiting.responder.tag, 1u);
  EXPECT_EQ(answered[0].time_left_ms, 700);
  EXPECT_EQ(answered[1].waiting.responder.tag, 2u);
  EXPECT_EQ(answered[1].time_left_ms, 0);
  EXPECT_TRUE(renewals_.TakeAnswered({.id = id, .time_left_ms = {700, 700}}).empty());
}

TEST_F(RenewalsTest, AnEmptyAnswerRenewsNobody) {
  renewals_.Ask(model::SessionId(30), To(1));
  const uint64_t id = renewals_.TakeRequest(At(0))->id;
  const std::vector<Renewals::Answered> answered = renewals_.TakeAnswered({.id = id});
  ASSERT_EQ(answered.size(), 1u);
  EXPECT_EQ(answered[0].time_left_ms, 0);
}

TEST_F(RenewalsTest, TouchesAloneAreSentNowAndThen) {
  renewals_.Touch(model::SessionId(20));
  EXPECT_TRUE(renewals_.TakeRequest(At(1000)));
  renewals_.Touch(model::SessionId(20));
  EXPECT_FALSE(renewals_.TakeRequest(At(1199)));
  EXPECT_EQ(Sessions(*renewals_.TakeRequest(At(1200))), List{20});
  // Nobody waits for them.
  EXPECT_EQ(renewals_.next_deadline(), base::kNever);
}

TEST_F(RenewalsTest, NobodyWaitsForEver) {
  renewals_.Ask(model::SessionId(30), To(1));
  renewals_.TakeRequest(At(0));
  renewals_.Ask(model::SessionId(31), To(2));
  const uint64_t second = renewals_.TakeRequest(At(500))->id;
  EXPECT_EQ(renewals_.next_deadline(), At(1000));
  EXPECT_EQ(Tags(renewals_.TakeExpired(At(999))), List{});
  EXPECT_EQ(Tags(renewals_.TakeExpired(At(1000))), List{1});
  EXPECT_EQ(renewals_.TakeAnswered({.id = second, .time_left_ms = {5}}).size(), 1u);
}

TEST_F(RenewalsTest, AChangeOfLeaderSendsEverybodyBack) {
  renewals_.Ask(model::SessionId(30), To(1));
  renewals_.TakeRequest(At(0));
  renewals_.Ask(model::SessionId(31), To(2));
  EXPECT_EQ(Tags(renewals_.TakeAll()), (List{1, 2}));
  EXPECT_EQ(Tags(renewals_.TakeAll()), List{});
}

}  // namespace
}  // namespace pando::replica
