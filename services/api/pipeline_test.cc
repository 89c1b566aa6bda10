// Pipeline: order, attachment, pauses and ends, from a client to the Inbox and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "api/testing/loopback.h"
#include "codec/command.h"

namespace pando::api {
namespace {

using model::Reason;
using testing::ElementsAre;

class Pipeline : public Loopback {
 protected:
  Pipeline() { stream_ = tree_->Pipeline(&context_); }
  // A stream that is not finished must not outlive its context.
  ~Pipeline() override { context_.TryCancel(); }

  static v1::PipelineRequest Gets(std::vector<int64_t> ids) {
    v1::PipelineRequest message;
    for (const int64_t id : ids) {
      v1::PipelineOperation* operation = message.add_operations();
      operation->set_request_id(id);
      operation->mutable_get()->set_path("/a");
    }
    return message;
  }
  static v1::PipelineRequest Sets(std::vector<int64_t> ids) {
    v1::PipelineRequest message;
    for (const int64_t id : ids) {
      v1::PipelineOperation* operation = message.add_operations();
      operation->set_request_id(id);
      operation->mutable_set()->set_path("/a");
    }
    return message;
  }
  static v1::PipelineRequest InSession(v1::PipelineRequest message, int64_t session = 9) {
    message.mutable_header()->set_session_id(session);
    return message;
  }

  void Write(const v1::PipelineRequest& message) { ASSERT_TRUE(stream_->Write(message)); }
  v1::PipelineResponse Read() {
    v1::PipelineResponse response;
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }
  // The ids of the next `count` results, over as many messages as they come in.
  std::vector<int64_t> ReadIds(size_t count) {
    std::vector<int64_t> ids;
    v1::PipelineResponse response;
    while (ids.size() < count && stream_->Read(&response)) {
      for (const v1::PipelineResult& result : response.results()) {
        ids.push_back(result.request_id());
      }
    }
    return ids;
  }
  void AnswerAll(const io::RequestBatch& batch, uint64_t revision = 1) {
    Answer(batch, std::vector<model::Reply>(batch.requests.size(), Ok(revision)));
  }
  // Up to the first answer, which says that the session is attached.
  void AttachAt(uint64_t revision) {
    Write(InSession({}));
    Answer(NextRequests(), {OkSession(revision, {.attachment = model::Attachment(revision)})});
    EXPECT_EQ(Read().header().revision(), static_cast<int64_t>(revision));
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PipelineRequest, v1::PipelineResponse>> stream_;
};

TEST_F(Pipeline, SeveralMessagesAreInFlightAndAnsweredInOrder) {
  Write(Gets({1, 2}));
  const io::RequestBatch first = NextRequests();
  Write(Gets({3}));
  const io::RequestBatch second = NextRequests();
  EXPECT_TRUE(first.lane);
  EXPECT_EQ(first.lane, second.lane);
  EXPECT_EQ(first.requests.size(), 2u);
  AnswerAll(first);
  AnswerAll(second);
  EXPECT_THAT(ReadIds(3), ElementsAre(1, 2, 3));
}

TEST_F(Pipeline, ResultsThatComeTogetherGoInOneMessage) {
  Write(Gets({1, 2, 3}));
  const io::RequestBatch batch = NextRequests();
  Answer(batch, {Ok(5, {.data = "x"}), Refusal(Reason::kNoNode, 6), Ok(7)}, model::Revision(4));
  const v1::PipelineResponse response = Read();
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.header().revision(), 7);
  EXPECT_EQ(response.header().stream_revision(), 4);
  EXPECT_EQ(response.header().cluster_id(), kCluster.value());
  EXPECT_EQ(response.results(0).get().data(), "x");
  EXPECT_EQ(response.results(0).revision(), 5);
  EXPECT_EQ(response.results(1).error().reason(), v1::REASON_NO_NODE);
  EXPECT_EQ(response.results(1).revision(), 6);
  EXPECT_THAT(counted(), ElementsAre("TreeService/Pipeline OK", "TreeService/Pipeline NO_NODE",
                                     "TreeService/Pipeline OK"));
}

// Two of them fill a message; a client's own limit is 4 MiB.
TEST_F(Pipeline, NoResponseIsOverThreeMebibytes) {
  Write(Gets({1, 2, 3, 4, 5}));
  const io::RequestBatch batch = NextRequests();
  Answer(batch, std::vector<model::Reply>(5, Ok(1, {.data = std::string(model::kMiB, 'x')})));
  std::vector<int64_t> ids;
  while (ids.size() < 5) {
    const v1::PipelineResponse response = Read();
    EXPECT_LE(response.ByteSizeLong(), model::kWatchMessageBytesMax);
    EXPECT_GT(response.results_size(), 0);
    for (const v1::PipelineResult& result : response.results()) ids.push_back(result.request_id());
  }
  EXPECT_THAT(ids, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(Pipeline, RefusedOperationKeepsItsPlace) {
  v1::PipelineRequest message = Gets({1, 2, 3});
  message.mutable_operations(0)->mutable_get()->set_path("no path");
  message.mutable_operations(2)->clear_operation();
  Write(message);
  const io::RequestBatch batch = NextRequests();
  ASSERT_EQ(batch.requests.size(), 1u);
  AnswerAll(batch, 8);
  EXPECT_THAT(ReadIds(3), ElementsAre(1, 2, 3));

  // One without company never reaches the core.
  message = Gets({4});
  message.mutable_operations(0)->mutable_get()->set_path("no path");
  Write(message);
  const v1::PipelineResponse response = Read();
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).error().reason(), v1::REASON_INVALID_PATH);
  EXPECT_EQ(response.results(0).revision(), 8);
  EXPECT_TRUE(NothingCame());
}

TEST_F(Pipeline, HeaderHoldsForItsOwnMessage) {
  v1::PipelineRequest message = Gets({1});
  message.mutable_header()->set_min_revision(5);
  message.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  Write(message);
  io::RequestBatch batch = NextRequests();
  EXPECT_EQ(batch.requests[0].min_revision, model::Revision(5));
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLinearizable);
  AnswerAll(batch);
  Write(Gets({2}));
  batch = NextRequests();
  EXPECT_EQ(batch.requests[0].min_revision, model::Revision());
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLocal);
  AnswerAll(batch);
  EXPECT_THAT(ReadIds(2), ElementsAre(1, 2));
}

// --- Sessions ---------------------------------------------------------------------------------

TEST_F(Pipeline, AttachesTheSessionBeforeItsOperations) {
  v1::PipelineRequest message = InSession(Sets({5}));
  message.mutable_header()->set_first_outstanding_request_id(4);
  Write(message);
  const io::RequestBatch attach = NextRequests();
  ASSERT_EQ(attach.requests.size(), 1u);
  EXPECT_TRUE(attach.lane);
  EXPECT_EQ(BodyOf<model::AttachSession>(attach.requests[0]).session, model::SessionId(9));
  EXPECT_EQ(CommandOf(attach.requests[0]).session, model::SessionId(9));
  EXPECT_FALSE(CommandOf(attach.requests[0]).attachment);
  EXPECT_FALSE(CommandOf(attach.requests[0]).request);
  EXPECT_TRUE(NothingCame());

  Answer(attach, {OkSession(20, {.attachment = model::Attachment(20)})}, model::Revision(15));
  const v1::PipelineResponse attached = Read();
  EXPECT_EQ(attached.results_size(), 0);
  EXPECT_EQ(attached.header().revision(), 20);
  EXPECT_EQ(attached.header().stream_revision(), 15);

  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(batch.lane, attach.lane);
  const model::Command& command = CommandOf(batch.requests[0]);
  EXPECT_EQ(command.attachment, model::Attachment(20));
  EXPECT_EQ(command.session, model::SessionId(9));
  EXPECT_EQ(command.request, model::RequestId(5));
  EXPECT_EQ(command.first_outstanding, model::RequestId(4));
  EXPECT_EQ(command.request_hash, codec::HashBody(command.body));
  AnswerAll(batch);
  EXPECT_THAT(ReadIds(1), ElementsAre(5));

  // Later messages need not name it again.
  Write(Sets({6}));
  const io::RequestBatch next = NextRequests();
  EXPECT_EQ(CommandOf(next.requests[0]).attachment, model::Attachment(20));
  EXPECT_EQ(CommandOf(next.requests[0]).session, model::SessionId(9));
}

TEST_F(Pipeline, RefusedAttachEndsTheStream) {
  Write(InSession(Sets({1})));
  const io::RequestBatch attach = NextRequests();
  Answer(attach, {Refusal(Reason::kUnauthenticated)});
  EXPECT_EQ(ReasonIn(stream_->Finish()), "UNAUTHENTICATED");
  EXPECT_EQ(Next<io::LaneClosed>().lane, attach.lane);
  EXPECT_TRUE(NothingCame());
}

TEST_F(Pipeline, LostSessionEndsTheStreamAfterWhatWasDone) {
  for (const Reason reason : {Reason::kSessionMoved, Reason::kSessionExpired}) {
    grpc::ClientContext context;
    stream_ = tree_->Pipeline(&context);
    AttachAt(20);
    Write(Sets({1, 2, 3}));
    Answer(NextRequests(), {Ok(21), Refusal(reason), Refusal(reason)});
    EXPECT_THAT(ReadIds(2), ElementsAre(1));
    EXPECT_EQ(ReasonIn(stream_->Finish()), model::ReasonName(reason));
    Next<io::LaneClosed>();
    stream_.reset();
  }
}

TEST_F(Pipeline, LaterHeaderMustFitTheFirst) {
  AttachAt(20);
  Write(InSession(Sets({1}), 9));
  AnswerAll(NextRequests());
  EXPECT_THAT(ReadIds(1), ElementsAre(1));
  Write(InSession(Sets({2}), 8));
  EXPECT_EQ(ReasonIn(stream_->Finish()), "INVALID_ARGUMENT");
}

TEST_F(Pipeline, BadMessageEndsTheStream) {
  std::vector<std::pair<v1::PipelineRequest, std::string>> cases(4);
  cases[0].first.mutable_header()->set_cluster_id(1);
  cases[0].second = "WRONG_CLUSTER";
  cases[1].first.mutable_header()->set_request_id(1);
  cases[1].second = "INVALID_ARGUMENT";
  cases[2].first.mutable_header()->set_session_id(-1);
  cases[2].second = "INVALID_ARGUMENT";
  for (size_t i = 0; i <= model::kPipelineOperationsPerMessageMax; ++i) {
    cases[3].first.add_operations()->mutable_sync();
  }
  cases[3].second = "TOO_LARGE";
  for (const auto& [message, reason] : cases) {
    grpc::ClientContext context;
    stream_ = tree_->Pipeline(&context);
    Write(message);
    EXPECT_EQ(ReasonIn(stream_->Finish()), reason);
    stream_.reset();
  }
}

// --- Limits and ends --------------------------------------------------------------------------

TEST_F(Pipeline, FullInboxRefusesNothing) {
  FillInbox();
  Write(Gets({1, 2}));
  Write(Gets({3}));
  // Its place in the Inbox comes with the room.
  const io::RequestBatch first = NextRequests();
  EXPECT_EQ(first.requests.size(), 2u);
  AnswerAll(first);
  AnswerAll(NextRequests());
  EXPECT_THAT(ReadIds(3), ElementsAre(1, 2, 3));
}

TEST_F(Pipeline, FullInboxDelaysTheAttach) {
  FillInbox();
  AttachAt(20);
}

TEST_F(Pipeline, OperationsInFlightAreBounded) {
  constexpr size_t kMessages = model::kLaneOutstandingMax / model::kPipelineOperationsPerMessageMax;
  v1::PipelineRequest message;
  while (message.operations_size() < static_cast<int>(model::kPipelineOperationsPerMessageMax)) {
    message.add_operations()->mutable_sync();
  }
  // The last one may be held back by the server, and this by it.
  std::thread writer([&] {
    for (size_t i = 0; i <= kMessages; ++i) stream_->Write(message);
    stream_->WritesDone();
  });
  std::deque<io::RequestBatch> batches;
  for (size_t i = 0; i < kMessages; ++i) batches.push_back(NextRequests());
  EXPECT_TRUE(NothingCame());
  AnswerAll(batches.front());
  batches.pop_front();
  batches.push_back(NextRequests());
  for (const io::RequestBatch& batch : batches) AnswerAll(batch);
  EXPECT_EQ(ReadIds(model::kLaneOutstandingMax + model::kPipelineOperationsPerMessageMax).size(),
            model::kLaneOutstandingMax + model::kPipelineOperationsPerMessageMax);
  EXPECT_TRUE(stream_->Finish().ok());
  writer.join();
}

TEST_F(Pipeline, HalfCloseGetsAllAnswersFirst) {
  Write(Gets({1, 2}));
  stream_->WritesDone();
  const io::RequestBatch batch = NextRequests();
  AnswerAll(batch);
  EXPECT_THAT(ReadIds(3), ElementsAre(1, 2));
  EXPECT_TRUE(stream_->Finish().ok());
  EXPECT_EQ(Next<io::LaneClosed>().lane, batch.lane);
}

TEST_F(Pipeline, CancelClosesTheLane) {
  Write(Gets({1}));
  const io::RequestBatch batch = NextRequests();
  context_.TryCancel();
  EXPECT_EQ(Next<io::LaneClosed>().lane, batch.lane);
  AnswerAll(batch);  // nobody wants it any more
  EXPECT_EQ(stream_->Finish().error_code(), grpc::CANCELLED);
}

// --- KeepAlive --------------------------------------------------------------------------------

class KeepAlive : public Loopback {
 protected:
  KeepAlive() {
    context_.AddMetadata("pando-session-token-bin", kToken);
    stream_ = sessions_->KeepAlive(&context_);
  }
  ~KeepAlive() override { context_.TryCancel(); }

  io::RequestBatch Beat(int64_t session = 9) {
    WriteBeat(session);
    return NextRequests();
  }
  void WriteBeat(int64_t session) {
    v1::KeepAliveRequest request;
    request.mutable_header()->set_session_id(session);
    EXPECT_TRUE(stream_->Write(request));
  }
  v1::KeepAliveResponse Read() {
    v1::KeepAliveResponse response;
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::KeepAliveRequest, v1::KeepAliveResponse>> stream_;
};

TEST_F(KeepAlive, EachBeatIsAnswered) {
  for (int64_t left : {5'000, 6'000}) {
    const io::RequestBatch batch = Beat();
    EXPECT_EQ(std::get<io::KeepAlive>(batch.requests[0].body).session, model::SessionId(9));
    EXPECT_EQ(batch.requests[0].token_hash.size(), 32u);
    Answer(batch, {OkSession(4, {.time_left_ms = left})});
    const v1::KeepAliveResponse response = Read();
    EXPECT_EQ(response.state(), v1::SESSION_STATE_OK);
    EXPECT_EQ(response.time_left_ms(), left);
    EXPECT_EQ(response.header().revision(), 4);
  }
  stream_->WritesDone();
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(KeepAlive, WithoutAPromiseTheStreamGoesOn) {
  for (const Reason reason : {Reason::kNoLeader, Reason::kBehind, Reason::kTimeout}) {
    Answer(Beat(), {Refusal(reason)});
    const v1::KeepAliveResponse response = Read();
    EXPECT_EQ(response.state(), v1::SESSION_STATE_NO_LEADER);
    EXPECT_EQ(response.time_left_ms(), 0);
  }
  Answer(Beat(), {OkSession(4, {.time_left_ms = 1})});
  EXPECT_EQ(Read().state(), v1::SESSION_STATE_OK);
}

TEST_F(KeepAlive, ExpiredIsAnAnswerAndTheLast) {
  Answer(Beat(), {Refusal(Reason::kSessionExpired)});
  EXPECT_EQ(Read().state(), v1::SESSION_STATE_EXPIRED);
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(KeepAlive, MovedSessionIsAnError) {
  Answer(Beat(), {Refusal(Reason::kSessionMoved)});
  EXPECT_EQ(ReasonIn(stream_->Finish()), "SESSION_MOVED");
}

TEST_F(KeepAlive, BeatsOfOneStreamAreOfOneSession) {
  Answer(Beat(9), {OkSession(4, {.time_left_ms = 1})});
  Read();
  WriteBeat(8);
  EXPECT_EQ(ReasonIn(stream_->Finish()), "INVALID_ARGUMENT");
}

TEST_F(KeepAlive, BeatNamesASession) {
  WriteBeat(0);
  EXPECT_EQ(ReasonIn(stream_->Finish()), "INVALID_ARGUMENT");
}

// A full server must not make clients believe that their sessions are lost.
TEST_F(KeepAlive, FullInboxOnlyDelays) {
  FillInbox();
  Answer(Beat(), {OkSession(4, {.time_left_ms = 1})});
  EXPECT_EQ(Read().state(), v1::SESSION_STATE_OK);
}

}  // namespace
}  // namespace pando::api
