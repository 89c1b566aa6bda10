// The server as a whole, and its unary calls.
#include "api/server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "api/testing/loopback.h"
#include "codec/command.h"

namespace pando::api {
namespace {

using model::Identity;
using model::Reason;
using testing::ElementsAre;

class Unary : public Loopback {
 protected:
  std::future<grpc::Status> Get(const v1::GetRequest& request) {
    return Async([this, request] { return tree_->Get(&context_, request, &got_); });
  }
  static v1::GetRequest GetOf(const std::string& path) {
    v1::GetRequest request;
    request.set_path(path);
    return request;
  }

  grpc::ClientContext context_;
  v1::GetResponse got_;
};

TEST_F(Unary, WriteBecomesACommandAndItsReplyTheResponse) {
  context_.AddMetadata("pando-session-token-bin", "secret");
  context_.AddMetadata("pando-auth", "digest:super:test");
  v1::CreateRequest request;
  request.mutable_header()->set_session_id(5);
  request.mutable_header()->set_request_id(6);
  request.mutable_header()->set_first_outstanding_request_id(4);
  request.set_path("/a");
  v1::CreateResponse response;
  auto status = Async([&] { return tree_->Create(&context_, request, &response); });

  const io::RequestBatch batch = NextRequests();
  ASSERT_EQ(batch.requests.size(), 1u);
  EXPECT_FALSE(batch.lane);
  EXPECT_EQ(batch.bytes, request.ByteSizeLong());
  const io::Request& posted = batch.requests[0];
  EXPECT_EQ(posted.token_hash.size(), 32u);
  // Ten seconds, for a call that has no deadline.
  EXPECT_EQ(posted.deadline.since_start, base::Duration(now_ns_) + std::chrono::seconds(10));
  const model::Command& command = CommandOf(posted);
  EXPECT_EQ(command.session, model::SessionId(5));
  EXPECT_EQ(command.request, model::RequestId(6));
  EXPECT_EQ(command.first_outstanding, model::RequestId(4));
  EXPECT_FALSE(command.attachment);
  EXPECT_EQ(command.request_hash, codec::HashBody(command.body));
  EXPECT_THAT(command.identities,
              ElementsAre(Identity{"world", "anyone"}, Identity{"ip", "127.0.0.1"},
                          Identity{"digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="}));
  EXPECT_EQ(std::get<model::Create>(command.body).path, "/a");

  Answer(batch, {Ok(42, {.path = "/a"})}, model::Revision(40));
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(response.path(), "/a");
  EXPECT_EQ(response.header().revision(), 42);
  EXPECT_EQ(response.header().stream_revision(), 40);
  EXPECT_EQ(response.header().cluster_id(), kCluster.value());
  EXPECT_EQ(response.header().server_id(), 3);
  EXPECT_EQ(response.header().term(), 7);
  EXPECT_THAT(counted(), ElementsAre("TreeService/Create OK"));
}

TEST_F(Unary, ReadCarriesWhatItMustSee) {
  v1::GetRequest request = GetOf("/a");
  request.mutable_header()->set_min_revision(9);
  request.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  auto status = Get(request);
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(batch.requests[0].min_revision, model::Revision(9));
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLinearizable);
  EXPECT_EQ(batch.requests[0].deadline, base::kNever);
  EXPECT_EQ(batch.requests[0].token_hash, "");
  EXPECT_EQ(BodyOf<model::Get>(batch.requests[0]).path, "/a");
  Answer(batch, {Ok(42, {.data = "d"})});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(got_.data(), "d");
}

TEST_F(Unary, DeadlineTravelsOnTheMonotonicClock) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
  auto status = Get(GetOf("/a"));
  const io::RequestBatch batch = NextRequests();
  const base::Duration left = batch.requests[0].deadline.since_start - base::Duration(now_ns_);
  // gRPC rounds a timeout up on its way.
  EXPECT_LE(left, std::chrono::minutes(65));
  EXPECT_GE(left, std::chrono::minutes(55));
  Answer(batch, {Ok(1)});
  EXPECT_TRUE(status.get().ok());
}

TEST_F(Unary, AnswerIsDueBeforeItsCallerStopsWaiting) {
  for (const auto& [timeout, margin] : std::vector<std::pair<base::Duration, base::Duration>>{
           {std::chrono::seconds(20), std::chrono::milliseconds(100)},
           {std::chrono::milliseconds(500), std::chrono::milliseconds(50)}}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    auto status = Async([&] { return tree_->Get(&context, GetOf("/a"), &got_); });
    const io::RequestBatch batch = NextRequests();
    const base::Duration due = batch.requests[0].deadline.since_start - base::Duration(now_ns_);
    EXPECT_LE(due, timeout - margin + std::chrono::milliseconds(10));  // gRPC rounds up
    Answer(batch, {Ok(1)});
    EXPECT_TRUE(status.get().ok());
  }
}

TEST_F(Unary, SyncIsLinearizable) {
  v1::SyncResponse response;
  auto status = Async([&] { return tree_->Sync(&context_, {}, &response); });
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLinearizable);
  EXPECT_TRUE(
      std::holds_alternative<model::Touch>(std::get<model::Query>(batch.requests[0].body).body));
  Answer(batch, {Ok(42)});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(response.header().revision(), 42);
}

TEST_F(Unary, RefusalIsAStatusWithItsReason) {
  auto status = Get(GetOf("/a"));
  Answer(NextRequests(), {Refusal(Reason::kNoNode)});
  const grpc::Status got = status.get();
  EXPECT_EQ(got.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(ReasonIn(got), "NO_NODE");
  EXPECT_THAT(counted(), ElementsAre("TreeService/Get NO_NODE"));
}

TEST_F(Unary, BadRequestDoesNotReachTheCore) {
  const grpc::Status status = tree_->Get(&context_, GetOf("no path"), &got_);
  EXPECT_EQ(ReasonIn(status), "INVALID_PATH");
  grpc::ClientContext other;
  v1::GetRequest request = GetOf("/a");
  request.mutable_header()->set_cluster_id(1);
  EXPECT_EQ(ReasonIn(tree_->Get(&other, request, &got_)), "WRONG_CLUSTER");
  grpc::ClientContext third;
  third.AddMetadata("pando-auth", "ip:10.0.0.1");
  EXPECT_EQ(ReasonIn(tree_->Get(&third, GetOf("/a"), &got_)), "UNAUTHENTICATED");
  EXPECT_TRUE(NothingCame());
}

TEST_F(Unary, FullInboxIsOverloaded) {
  FillInbox();
  const grpc::Status status = tree_->Get(&context_, GetOf("/a"), &got_);
  EXPECT_EQ(status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(status), "OVERLOADED");
}

TEST_F(Unary, LargestValueArrives) {
  v1::SetRequest request;
  request.set_path("/a");
  request.set_data(std::string(model::kValueBytesDefault, 'x'));
  v1::SetResponse response;
  auto status = Async([&] { return tree_->Set(&context_, request, &response); });
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(BodyOf<model::Set>(batch.requests[0]).data->size(), model::kValueBytesDefault);
  Answer(batch, {Ok(1)});
  EXPECT_TRUE(status.get().ok());

  grpc::ClientContext other;
  *request.mutable_data() += 'x';
  EXPECT_EQ(ReasonIn(tree_->Set(&other, request, &response)), "TOO_LARGE");
}

TEST_F(Unary, AnswerAfterTheCallersCancelIsDropped) {
  auto status = Get(GetOf("/a"));
  const io::RequestBatch batch = NextRequests();
  context_.TryCancel();
  EXPECT_EQ(status.get().error_code(), grpc::CANCELLED);
  // The next call on the same connection is answered after the first was cancelled at the server.
  Answer(batch, {Ok(1)});
  grpc::ClientContext other;
  auto next = Async([&] { return tree_->Get(&other, GetOf("/b"), &got_); });
  Answer(NextRequests(), {Ok(1)});
  EXPECT_TRUE(next.get().ok());
}

// --- Sessions ---------------------------------------------------------------------------------

TEST_F(Unary, OpenTellsTheTokenAndKeepsItsHash) {
  for (const auto& [asked, wanted] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 10'000}, {1, 1'000}, {5'000, 5'000}, {10'000'000, 600'000}}) {
    grpc::ClientContext context;
    v1::OpenRequest request;
    request.set_timeout_ms(asked);
    v1::OpenResponse response;
    auto status = Async([&] { return sessions_->Open(&context, request, &response); });
    const io::RequestBatch batch = NextRequests();
    const auto& open = BodyOf<model::OpenSession>(batch.requests[0]);
    EXPECT_EQ(open.timeout_ms, wanted);
    EXPECT_EQ(open.token_hash.size(), 32u);
    EXPECT_EQ(open.token_hash.find(kToken), std::string::npos);
    Answer(batch, {OkSession(9, {.session = model::SessionId(9), .timeout_ms = wanted})});
    EXPECT_TRUE(status.get().ok());
    EXPECT_EQ(response.session_id(), 9);
    EXPECT_EQ(response.token(), kToken);
    EXPECT_EQ(response.timeout_ms(), wanted);

    // Shown again, the token hashes to what the log has.
    grpc::ClientContext attach_context;
    attach_context.AddMetadata("pando-session-token-bin", response.token());
    v1::AttachRequest attach;
    attach.mutable_header()->set_session_id(9);
    v1::AttachResponse attached;
    auto attaching = Async([&] { return sessions_->Attach(&attach_context, attach, &attached); });
    const io::RequestBatch second = NextRequests();
    EXPECT_EQ(second.requests[0].token_hash, open.token_hash);
    EXPECT_EQ(CommandOf(second.requests[0]).session, model::SessionId(9));
    EXPECT_EQ(BodyOf<model::AttachSession>(second.requests[0]).session, model::SessionId(9));
    Answer(second, {OkSession(10, {.attachment = model::Attachment(10), .timeout_ms = wanted})});
    EXPECT_TRUE(attaching.get().ok());
    EXPECT_EQ(attached.timeout_ms(), wanted);
    EXPECT_EQ(attached.header().revision(), 10);
  }
}

TEST_F(Unary, OpenAndCloseAreChecked) {
  v1::OpenRequest open;
  v1::OpenResponse opened;
  open.set_timeout_ms(-1);
  EXPECT_EQ(ReasonIn(sessions_->Open(&context_, open, &opened)), "INVALID_ARGUMENT");
  grpc::ClientContext other;
  v1::CloseResponse closed;
  EXPECT_EQ(ReasonIn(sessions_->Close(&other, {}, &closed)), "INVALID_ARGUMENT");
}

TEST_F(Unary, SessionsAreListedAPageAtATime) {
  model::SessionsResult all;
  for (const uint64_t id : {3u, 5u, 8u}) {
    all.sessions.push_back({.session = model::SessionId(id),
                            .timeout_ms = 1,
                            .ephemerals = 2,
                            .kept_replies = 3,
                            .attachment = model::Attachment(4)});
  }
  std::vector<int64_t> listed;
  v1::SessionServiceListRequest request;
  request.set_page_size(2);
  for (int page = 0; page < 2; ++page) {
    grpc::ClientContext context;
    v1::SessionServiceListResponse response;
    auto status = Async([&] { return sessions_->List(&context, request, &response); });
    model::Reply reply;
    reply.result = all;
    Answer(NextRequests(), {reply});
    ASSERT_TRUE(status.get().ok());
    for (const v1::Session& session : response.sessions()) listed.push_back(session.session_id());
    EXPECT_EQ(response.sessions(0).attach_revision(), 4);
    EXPECT_EQ(response.next_page_token().empty(), page == 1);
    request.set_page_token(response.next_page_token());
  }
  EXPECT_THAT(listed, ElementsAre(3, 5, 8));
  request.set_page_token("of another list");
  v1::SessionServiceListResponse response;
  EXPECT_EQ(ReasonIn(sessions_->List(&context_, request, &response)), "INVALID_ARGUMENT");
}

// --- The server -------------------------------------------------------------------------------

class ServerLife : public Loopback {
 protected:
  // grpc.health.v1.Health/Check: the number of its answer's status.
  int Health() {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice no_service("", 0);
    const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                            grpc::ByteBuffer(&no_service, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    CHECK(queue.Next(&tag, &ok));
    EXPECT_TRUE(status.ok()) << status.error_message();
    grpc::Slice bytes;
    EXPECT_TRUE(response.DumpToSingleSlice(&bytes).ok());
    return bytes.size() == 2 ? bytes.begin()[1] : 0;
  }
};

TEST_F(ServerLife, HealthSaysWhatTheServerWasTold) {
  EXPECT_EQ(Health(), 1);
  server_->SetServing(false);
  EXPECT_EQ(Health(), 2);
}

TEST_F(ServerLife, TakenPortIsAnErrorThatNamesIt) {
  Options options;
  options.listen_address = address_;
  options.refusals = &refusals_;
  options.now = [] { return base::Instant(); };
  options.random_bytes = [](size_t size) { return std::string(size, 'x'); };
  options.cluster = [] { return kCluster; };
  options.term = [] { return model::Term(1); };
  const auto second = Server::Start(std::move(options), &inbox_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), testing::HasSubstr(address_));
}

TEST_F(ServerLife, ShutdownEndsEverythingThatIsOpen) {
  // A call that nobody answers.
  grpc::ClientContext get_context;
  v1::GetRequest get;
  get.set_path("/a");
  v1::GetResponse got;
  auto unanswered = Async([&] { return tree_->Get(&get_context, get, &got); });
  NextRequests();
  // A Pipeline with an operation that nobody answers, and one with none.
  grpc::ClientContext busy_context;
  auto busy = tree_->Pipeline(&busy_context);
  v1::PipelineRequest operations;
  operations.add_operations()->mutable_sync();
  ASSERT_TRUE(busy->Write(operations));
  NextRequests();
  grpc::ClientContext idle_context;
  auto idle = tree_->Pipeline(&idle_context);
  ASSERT_TRUE(idle->Write({}));
  // A KeepAlive between two beats.
  grpc::ClientContext beat_context;
  auto beats = sessions_->KeepAlive(&beat_context);
  v1::KeepAliveRequest beat;
  beat.mutable_header()->set_session_id(1);
  ASSERT_TRUE(beats->Write(beat));
  Answer(NextRequests(), {OkSession(1, {.time_left_ms = 5})});
  v1::KeepAliveResponse alive;
  ASSERT_TRUE(beats->Read(&alive));
  // A watch, and a walk whose scan never comes.
  grpc::ClientContext watch_context;
  v1::WatchRequest watch;
  watch.add_targets()->set_path("/");
  watch.mutable_targets(0)->set_kind(v1::WATCH_KIND_SUBTREE);
  auto events = tree_->Watch(&watch_context, watch);
  Answer(NextRequests(), {Ok(1)});
  const auto open = Next<io::WatchOpen>();
  grpc::ClientContext walk_context;
  v1::WalkRequest walk;
  walk.set_path("/");
  auto nodes = tree_->Walk(&walk_context, walk);
  const io::RequestBatch walking = NextRequests();

  auto shutdown =
      std::async(std::launch::async, [&] { server_->Shutdown(std::chrono::milliseconds(100)); });
  ASSERT_EQ(shutdown.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_FALSE(unanswered.get().ok());
  EXPECT_FALSE(busy->Finish().ok());
  EXPECT_EQ(idle->Finish().error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(beats->Finish().error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(events->Finish().error_code(), grpc::UNAVAILABLE);
  EXPECT_FALSE(nodes->Finish().ok());
  // What comes late is taken and dropped.
  EXPECT_TRUE(open.outbox->TryWrite({.revision = model::Revision(1)}));
  open.outbox->End({});
  Answer(walking, {Ok(1)});
  server_.reset();
}

TEST_F(ServerLife, StreamsThatComeAfterShutdownBeganEnd) {
  server_->Shutdown(std::chrono::seconds(0));
  server_.reset();
  grpc::ClientContext context;
  auto pipeline = tree_->Pipeline(&context);
  EXPECT_EQ(pipeline->Finish().error_code(), grpc::UNAVAILABLE);
}

}  // namespace
}  // namespace pando::api
