#include "replica/lanes.h"

#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace pando::replica {
namespace {

class NoSink : public io::ReplySink {
 public:
  void Deliver(std::vector<io::Completion>) override {}
};

class LanesTest : public testing::Test {
 protected:
  Responder Expect(uint64_t tag, uint64_t lane) {
    return lanes_.Expect(sink_, tag, model::LaneId(lane));
  }
  void Answer(const Responder& responder) { lanes_.Answer(responder, {}, model::Revision(0)); }
  std::vector<uint64_t> Left() {
    std::vector<uint64_t> tags;
    for (const io::Egress::Parcel& parcel : lanes_.TakeParcels()) {
      for (const io::Completion& completion : parcel.completions) tags.push_back(completion.tag);
    }
    return tags;
  }

  std::shared_ptr<io::ReplySink> sink_ = std::make_shared<NoSink>();
  Lanes lanes_;
};

using Tags = std::vector<uint64_t>;

TEST_F(LanesTest, UnaryAnswersLeaveAsTheyCome) {
  const Responder a = Expect(1, 0), b = Expect(2, 0);
  EXPECT_TRUE(lanes_.AtFront(b));
  Answer(b);
  Answer(a);
  EXPECT_EQ(Left(), (Tags{2, 1}));
  EXPECT_EQ(lanes_.outstanding(), 0u);
}

TEST_F(LanesTest, ALanesAnswersLeaveInTheOrderOfItsRequests) {
  const Responder a = Expect(1, 7), b = Expect(2, 7), c = Expect(3, 7);
  Answer(c);
  Answer(b);
  EXPECT_EQ(Left(), Tags{});
  Answer(a);
  EXPECT_EQ(Left(), (Tags{1, 2, 3}));
}

TEST_F(LanesTest, OneLaneDoesNotWaitForAnother) {
  const Responder a = Expect(1, 7), b = Expect(2, 8);
  Answer(b);
  EXPECT_EQ(Left(), Tags{2});
  Answer(a);
  EXPECT_EQ(Left(), Tags{1});
}

TEST_F(LanesTest, AReadIsGivenBackWhenItGetsToTheFront) {
  const Responder write = Expect(1, 7), read = Expect(2, 7), late = Expect(3, 7);
  EXPECT_FALSE(lanes_.AtFront(read));
  lanes_.RunAtFront(read, 99);
  Answer(late);
  EXPECT_TRUE(lanes_.TakeFronts().empty());
  Answer(write);
  EXPECT_EQ(lanes_.TakeFronts(), Tags{99});
  EXPECT_TRUE(lanes_.TakeFronts().empty());
  EXPECT_TRUE(lanes_.AtFront(read));
  Answer(read);
  EXPECT_EQ(Left(), (Tags{1, 2, 3}));
}

TEST_F(LanesTest, AClosedLaneAnswersNobodyAndGoes) {
  const Responder a = Expect(1, 7);
  lanes_.Close(model::LaneId(7));
  EXPECT_EQ(lanes_.outstanding(model::LaneId(7)), 1u);
  Answer(a);
  EXPECT_EQ(Left(), Tags{});
  EXPECT_EQ(lanes_.outstanding(model::LaneId(7)), 0u);
}

TEST_F(LanesTest, WhatIsBehindAReadThatWaitsIsHeldBackUntilItIsAnswered) {
  const auto released = [this] {
    std::vector<uint64_t> tags;
    for (const Lanes::Held& held : lanes_.TakeReleased()) tags.push_back(held.responder.tag);
    return tags;
  };
  const Responder a = Expect(1, 7), b = Expect(2, 7), c = Expect(3, 7), d = Expect(4, 7);
  EXPECT_FALSE(lanes_.HoldsBack(model::LaneId(7)));
  lanes_.HoldBack(a);
  EXPECT_TRUE(lanes_.HoldsBack(model::LaneId(7)));
  EXPECT_FALSE(lanes_.HoldsBack(model::LaneId(8)));
  lanes_.Hold({.responder = b});
  lanes_.HoldBack(c);
  lanes_.Hold({.responder = d});
  EXPECT_EQ(released(), Tags{});
  Answer(a);
  EXPECT_EQ(released(), Tags{2});
  Answer(c);  // it had waited too long, though b is not answered
  EXPECT_EQ(released(), Tags{4});
  EXPECT_FALSE(lanes_.HoldsBack(model::LaneId(7)));
}

TEST_F(LanesTest, AReadBehindTheOneThatIsAnsweredHoldsBackWhatItHeld) {
  const Responder a = Expect(1, 7), b = Expect(2, 7), c = Expect(3, 7);
  lanes_.HoldBack(a);
  lanes_.HoldBack(b);
  lanes_.Hold({.responder = c});
  Answer(b);
  EXPECT_TRUE(lanes_.TakeReleased().empty());
  Answer(a);
  EXPECT_EQ(lanes_.TakeReleased().size(), 1u);
}

}  // namespace
}  // namespace pando::replica
