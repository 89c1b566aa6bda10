#include "replica/pending.h"

#include <chrono>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace pando::replica {
namespace {

constexpr base::Instant At(int seconds) { return {std::chrono::seconds(seconds)}; }

PendingCommand CommandDue(base::Instant deadline) {
  PendingCommand pending;
  pending.deadline = deadline;
  return pending;
}

class PendingTest : public testing::Test {
 protected:
  Pending pending_{{model::StorageId(7), model::StartCount(3)}};
};

TEST_F(PendingTest, NumbersFollowEachOther) {
  EXPECT_EQ(pending_.Add({})->command.number, model::SourceNumber(1));
  const PendingCommand* second = pending_.Add({});
  EXPECT_EQ(second->command.number, model::SourceNumber(2));
  EXPECT_EQ(second->command.source, pending_.source());
  pending_.TakeApplied(model::SourceNumber(1));
  pending_.TakeApplied(model::SourceNumber(2));
  EXPECT_EQ(pending_.Add({})->command.number, model::SourceNumber(3));
}

TEST_F(PendingTest, AnExpiredCommandKeepsItsPlace) {
  pending_.Add(CommandDue(At(5)));
  pending_.Add(CommandDue(At(2)));
  EXPECT_EQ(pending_.next_deadline(), At(2));
  EXPECT_TRUE(pending_.TakeExpired(At(1)).empty());
  ASSERT_EQ(pending_.TakeExpired(At(2)).size(), 1u);
  EXPECT_EQ(pending_.next_deadline(), At(5));
  EXPECT_EQ(pending_.size(), 2u);
  EXPECT_FALSE(pending_.TakeApplied(model::SourceNumber(1)).answered);
  EXPECT_TRUE(pending_.TakeApplied(model::SourceNumber(2)).answered);
  EXPECT_EQ(pending_.next_deadline(), base::kNever);
}

TEST_F(PendingTest, NobodyWaitsLongerThanHastened) {
  pending_.Add(CommandDue(At(2)));
  pending_.Add(CommandDue(At(9)));
  pending_.Add(CommandDue(base::kNever));
  pending_.Add(CommandDue(At(1)));
  EXPECT_EQ(pending_.TakeExpired(At(1)).size(), 1u);
  pending_.Hasten(At(5));
  EXPECT_EQ(pending_.TakeExpired(At(4)).size(), 1u);
  EXPECT_EQ(pending_.TakeExpired(At(5)).size(), 2u);
  EXPECT_EQ(pending_.next_deadline(), base::kNever);
}

using PendingDeathTest = PendingTest;

TEST_F(PendingDeathTest, ANumberOutOfOrderStopsTheServer) {
  pending_.Add({});
  pending_.Add({});
  EXPECT_DEATH(pending_.TakeApplied(model::SourceNumber(2)), "number == first_");
}

}  // namespace
}  // namespace pando::replica
