// Watch and Walk: streams to a client, from the Outbox and from scans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/testing/loopback.h"
#include "codec/record.h"
#include "io/store.h"

namespace pando::api {
namespace {

using model::Reason;
using model::Revision;
using testing::ElementsAre;

class Watch : public Loopback {
 protected:
  ~Watch() override { context_.TryCancel(); }

  // Up to where the core knows the stream.
  io::WatchOpen Open() { return Open(OneTarget(false)); }
  io::WatchOpen Open(const v1::WatchRequest& request) {
    reader_ = tree_->Watch(&context_, request);
    Answer(NextRequests(), {Ok(1)});
    return Next<io::WatchOpen>();
  }
  static v1::WatchRequest OneTarget(bool once) {
    v1::WatchRequest request;
    v1::WatchTarget* target = request.add_targets();
    target->set_path("/");
    target->set_kind(v1::WATCH_KIND_SUBTREE);
    target->set_once(once);
    return request;
  }
  // A batch of one change for each of `data`, all shown with it.
  static model::StreamBatch Batch(uint64_t revision, std::vector<std::string> data) {
    auto batch = std::make_shared<model::ChangeBatch>();
    batch->revision = Revision(revision);
    model::StreamBatch stream_batch{.revision = Revision(revision)};
    for (size_t i = 0; i < data.size(); ++i) {
      batch->changes.push_back({.revision = Revision(revision),
                                .kind = model::ChangeKind::kDataChanged,
                                .path = "/" + std::to_string(i),
                                .data = std::move(data[i])});
      stream_batch.selected.push_back({static_cast<uint32_t>(i), true});
    }
    stream_batch.batch = std::move(batch);
    return stream_batch;
  }
  static model::StreamBatch Mark(uint64_t revision) { return {.revision = Revision(revision)}; }

  // As the core does it: what the client has read may still be in the Outbox for a moment.
  void WriteOnceThereIsRoom(const io::WatchOpen& open, const model::StreamBatch& batch) {
    while (!open.outbox->TryWrite(batch)) {
      EXPECT_EQ(Next<io::StreamDrained>().stream, open.stream);
    }
  }

  v1::WatchResponse Read() {
    v1::WatchResponse response;
    EXPECT_TRUE(reader_->Read(&response));
    return response;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader_;
};

TEST_F(Watch, OpensWithWhatTheCallerAskedFor) {
  v1::WatchRequest request = OneTarget(false);
  request.set_start_revision(5);
  request.mutable_header()->set_session_id(9);
  context_.AddMetadata("pando-session-token-bin", kToken);
  const io::WatchOpen open = Open(request);
  EXPECT_TRUE(open.stream);
  EXPECT_EQ(open.session, model::SessionId(9));
  EXPECT_EQ(open.start_revision, Revision(5));
  EXPECT_EQ(open.identities.size(), 2u);
  ASSERT_EQ(open.targets.size(), 1u);
  EXPECT_EQ(open.targets[0].kind, model::WatchTarget::Kind::kSubtree);
}

// The token and min_revision of a header are a read's business.
TEST_F(Watch, HeaderIsCheckedBeforeTheStreamIsOpened) {
  v1::WatchRequest request = OneTarget(false);
  request.mutable_header()->set_session_id(9);
  request.mutable_header()->set_min_revision(7);
  reader_ = tree_->Watch(&context_, request);
  const io::RequestBatch check = NextRequests();
  EXPECT_EQ(check.requests[0].min_revision, Revision(7));
  EXPECT_EQ(std::get<model::Query>(check.requests[0].body).session, model::SessionId(9));
  Answer(check, {Refusal(Reason::kUnauthenticated)});
  EXPECT_EQ(ReasonIn(reader_->Finish()), "UNAUTHENTICATED");
  EXPECT_TRUE(NothingCame());
}

TEST_F(Watch, BadRequestDoesNotReachTheCore) {
  reader_ = tree_->Watch(&context_, v1::WatchRequest());
  EXPECT_EQ(ReasonIn(reader_->Finish()), "INVALID_ARGUMENT");
  EXPECT_TRUE(NothingCame());
}

TEST_F(Watch, FullInboxIsOverloaded) {
  FillInbox();
  reader_ = tree_->Watch(&context_, OneTarget(false));
  EXPECT_EQ(ReasonIn(reader_->Finish()), "OVERLOADED");
}

TEST_F(Watch, EventsAndMarksComeInOrder) {
  const io::WatchOpen open = Open();
  ASSERT_TRUE(open.outbox->TryWrite(Mark(10)));
  v1::WatchResponse response = Read();
  EXPECT_EQ(response.progress_revision(), 10);
  EXPECT_EQ(response.events_size(), 0);
  EXPECT_EQ(response.header().revision(), 10);

  ASSERT_TRUE(open.outbox->TryWrite(Batch(11, {"a", "b"})));
  ASSERT_TRUE(open.outbox->TryWrite(Batch(12, {"c"})));
  response = Read();
  EXPECT_EQ(response.progress_revision(), 11);
  EXPECT_FALSE(response.partial());
  ASSERT_EQ(response.events_size(), 2);
  EXPECT_EQ(response.events(0).revision(), 11);
  EXPECT_EQ(response.events(0).path(), "/0");
  EXPECT_EQ(response.events(0).data(), "a");
  EXPECT_EQ(response.events(1).data(), "b");
  response = Read();
  EXPECT_EQ(response.progress_revision(), 12);
  EXPECT_EQ(response.events(0).data(), "c");
  open.outbox->End({});
  reader_->Finish();
  EXPECT_EQ(delivered_, 3u);
}

TEST_F(Watch, OneRevisionTooLargeForAMessageComesInPartialOnes) {
  const io::WatchOpen open = Open();
  ASSERT_TRUE(open.outbox->TryWrite(Mark(10)));
  Read();
  const std::string large(model::kWatchMessageBytesMax / 2, 'x');
  WriteOnceThereIsRoom(open, Batch(11, {large, large, "small"}));
  const v1::WatchResponse first = Read();
  EXPECT_LE(first.ByteSizeLong(), model::kWatchMessageBytesMax);
  EXPECT_EQ(first.events_size(), 1);
  EXPECT_TRUE(first.partial());
  EXPECT_EQ(first.progress_revision(), 10);
  const v1::WatchResponse last = Read();
  EXPECT_LE(last.ByteSizeLong(), model::kWatchMessageBytesMax);
  EXPECT_EQ(last.events_size(), 2);
  EXPECT_FALSE(last.partial());
  EXPECT_EQ(last.progress_revision(), 11);
}

TEST_F(Watch, FullOutboxTakesNothingAndTellsWhenItHasRoom) {
  const io::WatchOpen open = Open();
  const std::string data(model::kOutboxBytesMax / 4, 'x');
  uint64_t taken = 0;
  // The transport holds some too, but not this much.
  while (taken < 1'000 && open.outbox->TryWrite(Batch(taken + 1, {data}))) ++taken;
  ASSERT_LT(taken, 1'000u);
  ASSERT_GE(taken, 3u);
  for (uint64_t revision = 1; revision <= taken; ++revision) {
    EXPECT_EQ(Read().progress_revision(), static_cast<int64_t>(revision));
  }
  EXPECT_EQ(Next<io::StreamDrained>().stream, open.stream);
  EXPECT_TRUE(open.outbox->TryWrite(Batch(taken + 1, {data})));
  EXPECT_EQ(Read().progress_revision(), static_cast<int64_t>(taken + 1));
}

TEST_F(Watch, BatchOverTheBoundIsTakenWhenTheOutboxIsEmpty) {
  const io::WatchOpen open = Open();
  const std::string data(model::kOutboxBytesMax + 1, 'x');
  ASSERT_TRUE(open.outbox->TryWrite(Batch(1, {data})));
  EXPECT_EQ(Read().events(0).data().size(), data.size());
  WriteOnceThereIsRoom(open, Batch(2, {data}));
  EXPECT_EQ(Read().progress_revision(), 2);
}

TEST_F(Watch, InitialStateComesBeforeTheCursor) {
  v1::WatchRequest request = OneTarget(false);
  request.set_send_initial(true);
  const io::WatchOpen open = Open(request);
  EXPECT_TRUE(open.send_initial);
  model::WalkResult part;
  part.nodes.push_back({.path = "/", .stat = {.version = 3}});
  ASSERT_TRUE(open.outbox->TryWriteInitial(Revision(20), part));
  part.nodes[0].path = "/a";
  part.nodes[0].data = "d";
  open.outbox->WriteInitialDone(Revision(20), part);
  ASSERT_TRUE(open.outbox->TryWrite(Batch(21, {"x"})));

  v1::WatchResponse response = Read();
  ASSERT_EQ(response.initial_nodes_size(), 1);
  EXPECT_EQ(response.initial_nodes(0).path(), "/");
  EXPECT_EQ(response.initial_nodes(0).stat().version(), 3);
  EXPECT_FALSE(response.initial_done());
  EXPECT_EQ(response.progress_revision(), 0);
  response = Read();
  EXPECT_EQ(response.initial_nodes(0).data(), "d");
  EXPECT_TRUE(response.initial_done());
  EXPECT_EQ(response.progress_revision(), 20);
  EXPECT_EQ(Read().events_size(), 1);
}

TEST_F(Watch, LargeInitialPartIsSplit) {
  const io::WatchOpen open = Open();
  model::WalkResult part;
  for (int i = 0; i < 3; ++i) {
    part.nodes.push_back({.path = "/" + std::to_string(i),
                          .data = std::string(model::kWatchMessageBytesMax / 2, 'x')});
  }
  open.outbox->WriteInitialDone(Revision(20), part);
  for (int i = 0; i < 3; ++i) {
    const v1::WatchResponse response = Read();
    EXPECT_LE(response.ByteSizeLong(), model::kWatchMessageBytesMax);
    ASSERT_EQ(response.initial_nodes_size(), 1);
    EXPECT_EQ(response.initial_done(), i == 2);
  }
}

TEST_F(Watch, EndComesAfterAllThatWasTaken) {
  const io::WatchOpen open = Open();
  ASSERT_TRUE(open.outbox->TryWrite(Batch(11, {"a"})));
  open.outbox->End({.reason = Reason::kCompacted, .oldest = Revision(77)});
  EXPECT_EQ(Read().events_size(), 1);
  v1::WatchResponse none;
  EXPECT_FALSE(reader_->Read(&none));
  const grpc::Status status = reader_->Finish();
  EXPECT_EQ(status.error_code(), grpc::OUT_OF_RANGE);
  EXPECT_EQ(ReasonIn(status), "COMPACTED");
  // The core reckons with what the client has not seen until this comes.
  EXPECT_EQ(Next<io::WatchClose>().stream, open.stream);
}

TEST_F(Watch, EndWithoutErrorIsTheServersOrTheLastTargets) {
  Open().outbox->End({});
  EXPECT_EQ(reader_->Finish().error_code(), grpc::UNAVAILABLE);
  Next<io::WatchClose>();

  grpc::ClientContext once_context;
  reader_ = tree_->Watch(&once_context, OneTarget(true));
  Answer(NextRequests(), {Ok(1)});
  Next<io::WatchOpen>().outbox->End({});
  EXPECT_TRUE(reader_->Finish().ok());
  Next<io::WatchClose>();

  server_->SetServing(false);
  grpc::ClientContext stopping_context;
  reader_ = tree_->Watch(&stopping_context, OneTarget(true));
  Answer(NextRequests(), {Ok(1)});
  Next<io::WatchOpen>().outbox->End({});
  EXPECT_EQ(reader_->Finish().error_code(), grpc::UNAVAILABLE);
  reader_.reset();
}

TEST_F(Watch, CancelClosesTheStream) {
  const io::WatchOpen open = Open();
  context_.TryCancel();
  EXPECT_EQ(Next<io::WatchClose>().stream, open.stream);
  // What the core wrote meanwhile is taken: a stream that lags would only cost it.
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(open.outbox->TryWrite(Batch(1, {std::string(model::kOutboxBytesMax, 'x')})));
  }
  open.outbox->End({});
}

// --- Walk -------------------------------------------------------------------------------------

class Walk : public Loopback {
 protected:
  ~Walk() override { context_.TryCancel(); }

  io::RequestBatch Start(const v1::WalkRequest& request) {
    reader_ = tree_->Walk(&context_, request);
    return NextRequests();
  }
  static v1::WalkRequest Of(const std::string& path) {
    v1::WalkRequest request;
    request.set_path(path);
    return request;
  }
  // Its sink, after the completion that says that a scan follows.
  std::shared_ptr<io::ScanSink> StartLarge(const v1::WalkRequest& request) {
    const io::RequestBatch batch = Start(request);
    model::Reply scan_follows;
    scan_follows.revision = Revision(30);
    Answer(batch, {scan_follows});
    return std::get<io::LargeWalk>(batch.requests[0].body).sink;
  }

  static model::RecordWrite Node(const std::string& path, const std::string& data = "") {
    codec::NodeRecord record;
    record.create_revision = record.modify_revision = Revision(5);
    record.data = data;
    return {codec::NodeKey(path), codec::EncodeNode(record)};
  }
  static model::RecordWrite Directory(const std::string& path, int64_t children) {
    return {codec::DirectoryKey(path),
            codec::EncodeDirectory({.children_revision = Revision(6), .creates = children})};
  }

  // Everything up to the end, as "/path=data(children)".
  std::vector<std::string> ReadAll() {
    std::vector<std::string> nodes;
    v1::WalkResponse response;
    while (reader_->Read(&response)) {
      revision_ = response.revision();
      EXPECT_GE(response.header().revision(), response.revision());
      for (const v1::WalkEntry& entry : response.entries()) {
        nodes.push_back(entry.path() + "=" + (entry.has_data() ? entry.data() : "null") + "(" +
                        std::to_string(entry.stat().children_count()) + ")");
      }
    }
    return nodes;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WalkResponse>> reader_;
  int64_t revision_ = 0;
};

TEST_F(Walk, SmallSubtreeComesWithTheReply) {
  v1::WalkRequest request = Of("/a");
  request.set_max_depth(2);
  request.mutable_header()->set_min_revision(7);
  const io::RequestBatch batch = Start(request);
  const auto& large = std::get<io::LargeWalk>(batch.requests[0].body);
  EXPECT_EQ(large.walk.path, "/a");
  EXPECT_EQ(large.walk.max_depth, 2u);
  EXPECT_EQ(batch.requests[0].min_revision, Revision(7));
  model::WalkResult result;
  result.nodes.push_back({.path = "/a", .data = "x", .stat = {.children_count = 1}});
  result.nodes.push_back({.path = "/a/b"});
  model::Reply reply;
  reply.revision = Revision(30);
  reply.result = result;
  Answer(batch, {reply});
  EXPECT_THAT(ReadAll(), ElementsAre("/a=x(1)", "/a/b=null(0)"));
  EXPECT_EQ(revision_, 30);
  EXPECT_TRUE(reader_->Finish().ok());
}

TEST_F(Walk, RefusalEndsIt) {
  Answer(Start(Of("/a")), {Refusal(Reason::kNoNode)});
  EXPECT_EQ(ReasonIn(reader_->Finish()), "NO_NODE");
}

TEST_F(Walk, SessionIsCheckedFirst) {
  v1::WalkRequest request = Of("/a");
  request.mutable_header()->set_session_id(9);
  io::RequestBatch batch = Start(request);
  EXPECT_EQ(std::get<model::Query>(batch.requests[0].body).session, model::SessionId(9));
  Answer(batch, {Ok(1)});
  batch = NextRequests();
  EXPECT_TRUE(std::holds_alternative<io::LargeWalk>(batch.requests[0].body));
  Answer(batch, {Refusal(Reason::kNoNode)});
  EXPECT_EQ(ReasonIn(reader_->Finish()), "NO_NODE");
}

TEST_F(Walk, ScanBecomesNodesWithTheirDirectories) {
  const auto sink = StartLarge(Of("/"));
  EXPECT_EQ(sink->Take(Revision(31), {Node("/", "r"), Directory("/", 2), Node("/a", "x")}),
            io::Taken::kTaken);
  // The directory of a node may come with the next records.
  EXPECT_EQ(sink->Take(Revision(31), {Directory("/a", 1), Node("/b"), Node("/a/c", "z")}),
            io::Taken::kTaken);
  sink->Finish(Revision(31), absl::OkStatus());
  EXPECT_THAT(ReadAll(), ElementsAre("/=r(2)", "/a=x(1)", "/b=(0)", "/a/c=z(0)"));
  EXPECT_EQ(revision_, 31);
  EXPECT_TRUE(reader_->Finish().ok());
}

TEST_F(Walk, SinkLeavesOutWhatIsTooDeepAndData) {
  v1::WalkRequest request = Of("/a");
  request.set_max_depth(1);
  request.set_without_data(true);
  const auto sink = StartLarge(request);
  EXPECT_EQ(
      sink->Take(Revision(31), {Node("/a", "x"), Directory("/a", 1), Node("/a/b", "y"),
                                Directory("/a/b", 1), Node("/a/b/c", "z"), Directory("/a/b/c", 1)}),
      io::Taken::kTaken);
  sink->Finish(Revision(31), absl::OkStatus());
  EXPECT_THAT(ReadAll(), ElementsAre("/a=null(1)", "/a/b=null(1)"));
}

TEST_F(Walk, ScanMayBeFasterThanTheCompletion) {
  const io::RequestBatch batch = Start(Of("/"));
  const auto sink = std::get<io::LargeWalk>(batch.requests[0].body).sink;
  EXPECT_EQ(sink->Take(Revision(31), {Node("/", "r")}), io::Taken::kTaken);
  sink->Finish(Revision(31), absl::OkStatus());
  EXPECT_THAT(ReadAll(), ElementsAre("/=r(0)"));
  EXPECT_TRUE(reader_->Finish().ok());
  Answer(batch, {Ok(30)});
}

TEST_F(Walk, SlowClientHoldsTheScanBack) {
  const auto sink = StartLarge(Of("/"));
  const std::string data(model::kScanChunkBytesMax, 'x');
  size_t taken = 0;
  const auto offer = [&] {
    return sink->Take(Revision(31), {Node("/" + std::to_string(taken), data)});
  };
  while (taken < 1'000 && offer() == io::Taken::kTaken) ++taken;
  ASSERT_LT(taken, 1'000u);
  ASSERT_GE(taken, 4u);
  // The same records are offered again until the client has made room.
  v1::WalkResponse response;
  size_t read = 0;
  while (offer() == io::Taken::kFull && reader_->Read(&response)) {
    read += static_cast<size_t>(response.entries_size());
  }
  ++taken;
  sink->Finish(Revision(31), absl::OkStatus());
  while (reader_->Read(&response)) read += static_cast<size_t>(response.entries_size());
  EXPECT_TRUE(reader_->Finish().ok());
  EXPECT_EQ(read, taken);
}

TEST_F(Walk, BrokenScanIsAnError) {
  for (const auto& [status, reason] : std::vector<std::pair<absl::Status, std::string>>{
           {absl::ResourceExhaustedError("too many"), "OVERLOADED"},
           {absl::UnavailableError("reopened"), "OVERLOADED"},
           {absl::DeadlineExceededError("10 minutes"), "TIMEOUT"},
           {absl::OkStatus(), "NO_NODE"}}) {  // nothing there: deleted since it was asked for
    grpc::ClientContext context;
    reader_ = tree_->Walk(&context, Of("/"));
    const io::RequestBatch batch = NextRequests();
    std::get<io::LargeWalk>(batch.requests[0].body).sink->Finish(Revision(31), status);
    EXPECT_EQ(ReasonIn(reader_->Finish()), reason);
    reader_.reset();
  }
}

TEST_F(Walk, DamagedRecordIsNotShown) {
  const auto sink = StartLarge(Of("/"));
  EXPECT_EQ(sink->Take(Revision(31), {{codec::NodeKey("/"), "damaged"}}), io::Taken::kCancelled);
  EXPECT_EQ(reader_->Finish().error_code(), grpc::INTERNAL);
}

TEST_F(Walk, CancelStopsTheScan) {
  const auto sink = StartLarge(Of("/"));
  EXPECT_EQ(sink->Take(Revision(31), {Node("/")}), io::Taken::kTaken);
  v1::WalkResponse response;
  server_->Shutdown(std::chrono::seconds(0));  // cancels, and waits until that is known
  EXPECT_EQ(sink->Take(Revision(31), {Node("/a")}), io::Taken::kCancelled);
  sink->Finish(Revision(31), absl::CancelledError());
  EXPECT_FALSE(reader_->Finish().ok());
  server_.reset();
}

}  // namespace
}  // namespace pando::api
