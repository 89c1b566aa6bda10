// What a server would hardly do on demand.
#include "backlog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pando::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class BacklogTest : public testing::Test {
 protected:
  std::shared_ptr<Operation> Write(size_t bytes = 0) {
    auto operation = Add();
    operation->is_write = true;
    operation->message.mutable_set()->set_data(std::string(bytes, 'x'));
    return operation;
  }
  std::shared_ptr<Operation> Read(bool linearizable) {
    auto operation = Add();
    operation->linearizable = linearizable;
    return operation;
  }
  std::vector<int64_t> Take() {
    std::vector<int64_t> ids;
    for (const auto& operation : backlog_.Take()) ids.push_back(operation->request_id());
    return ids;
  }

  Backlog backlog_;

 private:
  std::shared_ptr<Operation> Add() {
    auto operation = std::make_shared<Operation>();
    operation->done = [](absl::StatusOr<v1::PipelineResult*>, const v1::ResponseHeader&) {};
    backlog_.Add(operation);
    return operation;
  }
};

TEST_F(BacklogTest, WhatIsUnansweredGoesAgainFirstAndInOrder) {
  for (int i = 0; i < 3; ++i) Write();
  EXPECT_THAT(Take(), ElementsAre(1, 2, 3));
  Write();
  backlog_.Answered(1)->Refuse(NoServer("done"));
  backlog_.Keep(backlog_.Answered(2));
  backlog_.Rewind();
  EXPECT_EQ(backlog_.first_outstanding(), 2);
  EXPECT_THAT(Take(), ElementsAre(2, 3, 4));
}

TEST_F(BacklogTest, WhatWasGivenUpDoesNotGoAgain) {
  const auto first = Write();
  Write();
  Take();
  first->Abandon(NoServer("late"));
  backlog_.Rewind();
  EXPECT_THAT(Take(), ElementsAre(2));
  EXPECT_EQ(backlog_.first_outstanding(), 2);
}

TEST_F(BacklogTest, AnAnswerOutOfOrderIsFound) {
  Write();
  Write();
  Take();
  EXPECT_EQ(backlog_.Answered(2), nullptr);
  EXPECT_NE(backlog_.Answered(1), nullptr);
}

TEST_F(BacklogTest, MessagesAreOfOneConsistencyAndBounded) {
  Write(Backlog::kMessageBytesMax);
  Write(Backlog::kMessageBytesMax);
  Read(/*linearizable=*/true);
  Read(/*linearizable=*/false);
  for (const int64_t id : {1, 2, 3, 4}) EXPECT_THAT(Take(), ElementsAre(id));
}

TEST_F(BacklogTest, FewMessagesAndAThousandOperationsAreUnanswered) {
  for (size_t message = 0; message < Backlog::kMessagesMax; ++message) {
    Write();
    Write();
    EXPECT_THAT(Take(), SizeIs(2));
  }
  for (size_t i = 0; i < Backlog::kUnansweredMax; ++i) Write();
  EXPECT_THAT(Take(), IsEmpty());
  backlog_.Answered(1);
  EXPECT_THAT(Take(), IsEmpty());
  backlog_.Answered(2);
  EXPECT_THAT(Take(), SizeIs(Backlog::kUnansweredMax - 2 * (Backlog::kMessagesMax - 1)));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST(Operation, OnlyAWriteThatWasSentMayBeApplied) {
  for (const bool is_write : {false, true}) {
    for (const bool sent : {false, true}) {
      Operation operation;
      operation.is_write = is_write;
      operation.sent = sent;
      absl::Status end;
      operation.done = [&](absl::StatusOr<v1::PipelineResult*> result, const v1::ResponseHeader&) {
        end = result.status();
      };
      operation.Abandon(TimedOut(std::chrono::milliseconds(1)));
      EXPECT_EQ(ReasonOf(end), Reason::kTimeout);
      EXPECT_EQ(MaybeApplied(end), is_write && sent);
    }
  }
}

}  // namespace
}  // namespace pando::client
