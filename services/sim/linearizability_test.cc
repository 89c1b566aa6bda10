#include "sim/linearizability.h"

#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "gtest/gtest.h"

namespace pando::sim {
namespace {

using Kind = Call::Step::Kind;
using Verdict = Linearizability::Verdict;

base::Instant At(int64_t ms) { return {std::chrono::milliseconds(ms)}; }

// A history, in a small vocabulary: each call with the times of its invocation and return.
class LinearizabilityTest : public testing::Test {
 protected:
  Call& Add(int64_t invoked, int64_t returned, Call::Step step) {
    Call call;
    call.name = step.node + "@" + std::to_string(invoked);
    call.invoked = At(invoked);
    call.returned = At(returned);
    call.then_steps = {std::move(step)};
    call.outcome.emplace();
    return calls_.emplace_back(std::move(call));
  }
  Call& Create(int64_t invoked, int64_t returned, std::string node, std::string data) {
    return Add(invoked, returned, {Kind::kCreate, std::move(node), std::move(data)});
  }
  Call& Set(int64_t invoked, int64_t returned, std::string node, std::string data) {
    return Add(invoked, returned, {Kind::kSet, std::move(node), std::move(data)});
  }
  void Read(int64_t invoked, int64_t returned, std::string node, Register data) {
    Add(invoked, returned, {Kind::kGet, std::move(node), ""}).outcome->read = {std::move(data)};
  }
  static void Unknown(Call& call) {
    call.returned = base::kNever;
    call.outcome.reset();
  }
  Verdict Check() { return CheckLinearizable(calls_, 1'000'000).verdict; }

  std::vector<Call> calls_;
};

TEST_F(LinearizabilityTest, NothingIsFine) { EXPECT_EQ(Check(), Verdict::kYes); }

TEST_F(LinearizabilityTest, ReadsSeeTheLastWrite) {
  Read(0, 1, "a", {});
  Create(2, 3, "a", "1");
  Read(4, 5, "a", "1");
  Set(6, 7, "a", "2");
  Read(8, 9, "a", "2");
  EXPECT_EQ(Check(), Verdict::kYes);
}

TEST_F(LinearizabilityTest, StaleReadIsFound) {
  Create(0, 1, "a", "1");
  Set(2, 3, "a", "2");
  Read(4, 5, "a", "1");
  const Linearizability result = CheckLinearizable(calls_, 1'000'000);
  EXPECT_EQ(result.verdict, Verdict::kNo);
  EXPECT_NE(result.report.find("cannot explain: a@4"), std::string::npos) << result.report;
}

TEST_F(LinearizabilityTest, ReadBesideAWriteSeesEither) {
  Create(0, 1, "a", "1");
  Set(2, 9, "a", "2");
  Read(3, 4, "a", "1");
  Read(5, 6, "a", "2");
  EXPECT_EQ(Check(), Verdict::kYes);
  Read(7, 8, "a", "1");  // but not back again
  EXPECT_EQ(Check(), Verdict::kNo);
}

TEST_F(LinearizabilityTest, LostWriteIsFound) {
  Create(0, 1, "a", "1");
  Read(2, 3, "a", {});
  EXPECT_EQ(Check(), Verdict::kNo);
}

TEST_F(LinearizabilityTest, UnknownWriteMayTakeEffectLateOrNever) {
  Create(0, 1, "a", "1");
  Unknown(Set(2, 2, "a", "2"));
  Read(3, 4, "a", "1");
  EXPECT_EQ(Check(), Verdict::kYes) << "never";
  Read(100, 101, "a", "2");
  EXPECT_EQ(Check(), Verdict::kYes) << "late";
  Read(102, 103, "a", "1");
  EXPECT_EQ(Check(), Verdict::kNo) << "but once";
}

TEST_F(LinearizabilityTest, UnknownWriteTakesNoEffectBeforeItsTime) {
  Create(0, 1, "a", "1");
  Read(2, 3, "a", "2");
  Unknown(Set(4, 4, "a", "2"));
  EXPECT_EQ(Check(), Verdict::kNo);
}

TEST_F(LinearizabilityTest, UnknownOutcomeWithAnEndTookEffectByThen) {
  Create(0, 1, "a", "1");
  Set(2, 5, "a", "2").outcome.reset();
  Read(6, 7, "a", "1");
  EXPECT_EQ(Check(), Verdict::kNo);
  calls_.back().outcome->read = {Register("2")};
  EXPECT_EQ(Check(), Verdict::kYes);
}

TEST_F(LinearizabilityTest, FailuresAreAnswersToo) {
  Create(0, 1, "a", "1");
  Create(2, 3, "a", "2").outcome->failed = 0;
  EXPECT_EQ(Check(), Verdict::kYes);
  Create(4, 5, "a", "3");
  EXPECT_EQ(Check(), Verdict::kNo) << "it exists";
}

TEST_F(LinearizabilityTest, CompareThatFailedNeedsAReason) {
  Create(0, 1, "a", "1");
  Call& swap = Set(2, 3, "a", "2");
  swap.compares = {{"a", Register("0")}};
  swap.outcome->compared_true = false;
  EXPECT_EQ(Check(), Verdict::kYes);
  calls_.back().compares = {{"a", Register("1")}};
  EXPECT_EQ(Check(), Verdict::kNo);
}

// Two transactions that each see the other's nodes as they were before: fine node by node, and yet
// impossible.
TEST_F(LinearizabilityTest, TransactionsTieNodesTogether) {
  Create(0, 1, "a", "0");
  Create(0, 1, "b", "0");
  const auto skewed = [this](std::string read, std::string write) {
    Call& call = Set(2, 9, std::move(write), "1");
    call.then_steps.insert(call.then_steps.begin(), Call::Step{Kind::kGet, std::move(read), ""});
    call.outcome->read = {Register("0")};
  };
  skewed("a", "b");
  EXPECT_EQ(Check(), Verdict::kYes);
  skewed("b", "a");
  EXPECT_EQ(Check(), Verdict::kNo);
}

TEST_F(LinearizabilityTest, HalfATransactionIsFound) {
  Create(0, 1, "a", "0");
  Create(0, 1, "b", "0");
  Set(2, 3, "a", "1").then_steps.push_back({Kind::kSet, "b", "1"});
  Read(4, 5, "a", "1");
  Read(4, 5, "b", "0");
  EXPECT_EQ(Check(), Verdict::kNo);
}

TEST_F(LinearizabilityTest, GivesUpRatherThanRunForEver) {
  Create(0, 1, "a", "0");
  for (int i = 0; i < 40; ++i) Unknown(Set(2, 2, "a", std::to_string(i)));
  Read(100, 101, "a", "nobody wrote this");
  EXPECT_EQ(CheckLinearizable(calls_, 10'000).verdict, Verdict::kGaveUp);
}

// Random histories of one register that are right by construction: every call takes effect at a
// random moment of its time. One answer that is swapped for another value makes most of them wrong.
TEST_F(LinearizabilityTest, RandomHistories) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    base::Rng rng(seed);
    calls_.clear();
    std::vector<std::pair<int64_t, size_t>> moments;
    for (int i = 0; i < 60; ++i) {
      const auto invoked = static_cast<int64_t>(rng.Below(1'000));
      const auto moment = invoked + static_cast<int64_t>(rng.Below(50));
      const auto returned = moment + static_cast<int64_t>(rng.Below(50));
      if (rng.Chance(500)) {
        Read(invoked, returned, "a", {});
      } else {
        Create(invoked, returned, "a", "v" + std::to_string(i));
        calls_.back().then_steps.push_back({Kind::kSet, "a", "v" + std::to_string(i)});
      }
      moments.emplace_back(moment, calls_.size() - 1);
    }
    std::sort(moments.begin(), moments.end());
    Register value;
    std::vector<size_t> reads;
    for (const auto& [moment, i] : moments) {
      Call& call = calls_[i];
      if (call.then_steps[0].kind == Kind::kGet) {
        call.outcome->read = {value};
        reads.push_back(i);
      } else if (!value) {
        value = call.then_steps[1].data;
      } else {
        call.outcome->failed = 0;
      }
    }
    ASSERT_EQ(Check(), Verdict::kYes) << "seed " << seed;
    calls_[reads[rng.Below(reads.size())]].outcome->read = {Register("v" + std::to_string(99))};
    if (Check() == Verdict::kNo) ++found;
  }
  EXPECT_EQ(found, 200);
}

}  // namespace
}  // namespace pando::sim
