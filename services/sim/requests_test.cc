// What a client can ask of one server, through the real replica, and what the server's limits say.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "gtest/gtest.h"
#include "model/limits.h"
#include "sim/sim_server.h"
#include "sim/testing/calls.h"

namespace pando::sim {
namespace {

using model::Reason;
using model::Reply;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Keeps all that a stream is told.
struct Recorder : io::Stream {
  bool TryWrite(model::StreamBatch batch) override {
    for (const model::StreamBatch::Selected& selected : batch.selected) {
      events.push_back(batch.batch->changes[selected.change].path);
    }
    revision = batch.revision;
    return true;
  }
  bool TryWriteInitial(model::Revision at, model::WalkResult part) override {
    EXPECT_FALSE(initial_done);
    EXPECT_TRUE(!initial_revision || *initial_revision == at);
    initial_revision = at;
    for (model::WalkResult::Node& node : part.nodes) initial.push_back(std::move(node));
    return true;
  }
  void WriteInitialDone(model::Revision at, model::WalkResult rest) override {
    TryWriteInitial(at, std::move(rest));
    initial_done = true;
  }
  void End(model::Error error) override { ended = std::move(error); }

  std::vector<std::string> events;
  model::Revision revision;
  std::vector<model::WalkResult::Node> initial;
  std::optional<model::Revision> initial_revision;
  bool initial_done = false;
  std::optional<model::Error> ended;
};

// Takes a scan whole.
struct Collector : io::ScanSink {
  io::Taken Take(model::Revision, const std::vector<model::RecordWrite>& some) override {
    records += some.size();
    return io::Taken::kTaken;
  }
  void Finish(model::Revision, absl::Status result) override { status = std::move(result); }
  size_t records = 0;
  std::optional<absl::Status> status;
};

class RequestsTest : public testing::Test {
 protected:
  explicit RequestsTest(const SimServerOptions& options = Options())
      : server_(&schedule_, base::Rng(1), options) {
    Restart();
  }

  static SimServerOptions Options() {
    SimServerOptions options;
    options.value_bytes_max = 1'000;
    return options;
  }
  void Restart() {
    if (server_.running()) server_.Kill();
    server_.Start();
    schedule_.RunFor(seconds(1));
    calls_ = std::make_shared<Calls>(&server_);
  }

  // Sends, and waits in virtual time for the answer; nothing if there was none.
  std::optional<Reply> Call(io::Request request, base::Duration patience = seconds(20)) {
    std::optional<Reply> answer;
    calls_->Send(std::move(request), {}, [&answer](const Reply& reply) { answer = reply; });
    const base::Instant end = schedule_.now() + patience;
    while (!answer && schedule_.now() < end && schedule_.Step(end)) {
    }
    return answer;
  }
  Reply Do(model::CommandBody body) {
    model::Command command;
    command.session = session_;
    command.body = std::move(body);
    io::Request request;
    request.token_hash = token_;
    request.deadline = schedule_.now() + seconds(10);
    request.body = std::move(command);
    return Call(std::move(request)).value();
  }
  io::Request Query(model::QueryBody body) {
    io::Request request;
    request.body = model::Query{.session = session_, .body = std::move(body)};
    request.token_hash = token_;
    return request;
  }
  static io::Request Write(model::CommandBody body) {
    io::Request request;
    request.body = model::Command{.body = std::move(body)};
    return request;
  }
  void SendInLane(io::Request request) {
    calls_->Send(std::move(request), model::LaneId(1),
                 [this](const Reply& reply) { of_lane_.push_back(reply.error.reason); });
  }
  bool Exists(const std::string& path) { return Call(Query(model::Get{path}))->ok(); }

  std::shared_ptr<Recorder> Watch(std::vector<model::WatchTarget> targets, bool send_initial,
                                  model::Revision start = {}) {
    auto recorder = std::make_shared<Recorder>();
    io::WatchOpen open;
    open.stream = model::StreamId(++last_stream_);
    open.outbox = recorder;
    open.identities = {{"world", "anyone"}};
    open.targets = std::move(targets);
    open.send_initial = send_initial;
    open.start_revision = start;
    server_.Post(std::move(open));
    schedule_.RunFor(milliseconds(10));
    return recorder;
  }
  void OpenSession(int64_t timeout_ms) {
    token_ = std::string(32, 't');
    const Reply reply = Do(model::OpenSession{timeout_ms, token_});
    session_ = std::get<model::SessionResult>(reply.result).session;
  }

  Schedule schedule_;
  SimServer server_;
  std::shared_ptr<Calls> calls_;
  model::SessionId session_;
  std::string token_;
  uint64_t last_stream_ = 0;
  std::vector<Reason> of_lane_;  // the answers
};

// Whose store lags with little that is not stored.
class SmallStoreTest : public RequestsTest {
 protected:
  SmallStoreTest() : RequestsTest(Options()) {}
  static SimServerOptions Options() {
    SimServerOptions options = RequestsTest::Options();
    options.unstored_bytes_max = 100'000;
    return options;
  }
};

constexpr auto kSubtree = model::WatchTarget::Kind::kSubtree;
constexpr auto kChildren = model::WatchTarget::Kind::kChildren;
constexpr auto kNode = model::WatchTarget::Kind::kNode;

// --- Writes and reads -------------------------------------------------------------------------

TEST_F(RequestsTest, AWriteIsReadBackAfterItsAnswer) {
  EXPECT_TRUE(Do(model::Create{.path = "/a", .data = "x"}).ok());
  EXPECT_TRUE(Exists("/a"));
  Restart();
  EXPECT_TRUE(Exists("/a"));
}

// Though all of it is committed at once.
TEST_F(RequestsTest, AReadOfALaneSeesTheWritesBeforeItAndNoneAfterIt) {
  SendInLane(Write(model::Create{.path = "/a"}));
  SendInLane(Query(model::Get{"/a"}));
  SendInLane(Query(model::Get{"/b"}));
  SendInLane(Write(model::Create{.path = "/b"}));
  SendInLane(Query(model::Get{"/b"}));
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(of_lane_, (std::vector<Reason>{Reason::kOk, Reason::kOk, Reason::kNoNode, Reason::kOk,
                                           Reason::kOk}));
}

// Nor though all of it was held back, because the store lagged.
TEST_F(SmallStoreTest, AReadOfALaneSeesNoWriteAfterItThatWasHeldBackWithIt) {
  server_.store()->SetFull(true);
  model::Transaction much;
  for (int i = 0; i < 200; ++i) {
    much.then_operations.push_back(
        model::Create{.path = "/n", .data = std::string(1'000, 'x'), .sequential = true});
  }
  SendInLane(Write(much));
  SendInLane(Write(model::Create{.path = "/a"}));
  SendInLane(Query(model::Get{"/b"}));
  SendInLane(Write(model::Create{.path = "/b"}));
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(of_lane_, std::vector<Reason>{Reason::kOk});
  server_.store()->SetFull(false);
  schedule_.RunFor(seconds(5));
  EXPECT_EQ(of_lane_,
            (std::vector<Reason>{Reason::kOk, Reason::kOk, Reason::kNoNode, Reason::kOk}));
}

TEST_F(RequestsTest, DataOverTheFlagIsRefusedBeforeTheLog) {
  const model::Revision before = server_.gauges().applied;
  EXPECT_TRUE(Do(model::Create{.path = "/a", .data = std::string(1'000, 'x')}).ok());
  EXPECT_EQ(Do(model::Set{"/a", std::string(1'001, 'x')}).error.reason, Reason::kTooLarge);
  model::Transaction transaction;
  transaction.else_operations = {model::Set{"/a", std::string(1'001, 'x')}};
  EXPECT_EQ(Do(transaction).error.reason, Reason::kTooLarge);
  EXPECT_EQ(server_.gauges().applied, before + 1);
}

TEST_F(RequestsTest, LinearizableReadsAreGrantedAndMinRevisionWaits) {
  io::Request read = Query(model::Get{"/"});
  read.consistency = io::Consistency::kLinearizable;
  EXPECT_TRUE(Call(std::move(read))->ok());
  io::Request ahead = Query(model::Get{"/"});
  ahead.min_revision = server_.gauges().applied + 100;
  EXPECT_EQ(Call(std::move(ahead))->error.reason, Reason::kInvalidArgument);
}

TEST_F(RequestsTest, AFullStoreRefusesWritesWithOverloadedAndRecovers) {
  server_.store()->SetFull(true);
  // As the data weighs too little for it, what is not stored is made heavy by many writes.
  bool refused = false;
  for (int i = 0; i < 40'000 && !refused; ++i) {
    model::Transaction many;
    for (int j = 0; j < 200; ++j) {
      many.then_operations.push_back(model::Set{"/", std::string(1'000, 'x')});
    }
    refused = Do(many).error.reason == Reason::kOverloaded;
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(Exists("/"));
  server_.store()->SetFull(false);
  schedule_.RunFor(seconds(5));
  EXPECT_TRUE(Do(model::Set{"/", "y"}).ok());
}

TEST_F(RequestsTest, AFullDiskRefusesWritesServesReadsAndRecovers) {
  server_.Post(io::DiskSpace{0});
  EXPECT_EQ(Do(model::Create{.path = "/a"}).error.reason, Reason::kNoSpace);
  EXPECT_TRUE(Exists("/"));
  server_.Post(io::DiskSpace{uint64_t{1} << 30});
  EXPECT_TRUE(Do(model::Create{.path = "/a"}).ok());
}

TEST_F(RequestsTest, StatusNamesTheLeader) {
  io::Request request;
  request.body = io::GetStatus{};
  const Reply reply = *Call(std::move(request));
  const auto& status = std::get<model::EnsembleStatus>(reply.result);
  EXPECT_EQ(status.leader, model::ServerId(1));
  EXPECT_TRUE(bool{status.cluster});
  ASSERT_EQ(status.members.size(), 1u);
  EXPECT_EQ(status.members[0].role, model::EnsembleStatus::Role::kLeader);
  EXPECT_TRUE(status.members[0].reachable);
}

TEST_F(RequestsTest, ASmallWalkIsAnsweredAndALargeOneScanned) {
  const auto walk = [&](std::shared_ptr<Collector> sink) {
    io::Request request;
    request.body = io::LargeWalk{.walk = {.path = "/"}, .sink = std::move(sink)};
    return *Call(std::move(request));
  };
  Do(model::Create{.path = "/a"});
  Reply reply = walk(std::make_shared<Collector>());
  EXPECT_EQ(std::get<model::WalkResult>(reply.result).nodes.size(), 2u);
  model::Transaction many;
  for (size_t i = 0; i < model::kWalkInTurnNodesMax; ++i) {
    many.then_operations.push_back(model::Create{.path = "/n", .sequential = true});
  }
  ASSERT_TRUE(Do(many).ok());
  auto sink = std::make_shared<Collector>();
  reply = walk(sink);
  EXPECT_TRUE(reply.ok());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(reply.result));
  schedule_.RunFor(seconds(10));
  EXPECT_EQ(sink->status, absl::OkStatus());
  EXPECT_EQ(sink->records, model::kWalkInTurnNodesMax + 3);  // "/", its directory, and "/a"
}

TEST_F(RequestsTest, ABackupIsAScanOfEverything) {
  Do(model::Create{.path = "/a"});
  OpenSession(60'000);
  auto sink = std::make_shared<Collector>();
  io::Request request;
  request.body = io::TakeBackup{sink};
  const Reply reply = *Call(std::move(request));
  EXPECT_TRUE(reply.ok());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(reply.result));
  schedule_.RunFor(seconds(10));
  EXPECT_EQ(sink->status, absl::OkStatus());
  // "/", its directory and "/a"; the session; what was last applied of this server; and of the
  // ensemble its name, members, stamp and version.
  EXPECT_EQ(sink->records, 3u + 1 + 1 + 4);
}

// --- Sessions ---------------------------------------------------------------------------------

TEST_F(RequestsTest, ASessionExpiresWithItsEphemeralsWhenItIsSilent) {
  OpenSession(2'000);
  EXPECT_TRUE(Do(model::Create{.path = "/e", .kind = model::NodeKind::kEphemeral}).ok());
  for (int i = 0; i < 6; ++i) {
    schedule_.RunFor(seconds(1));
    io::Request keep_alive;
    keep_alive.token_hash = token_;
    keep_alive.body = io::KeepAlive{session_};
    const Reply reply = *Call(std::move(keep_alive));
    EXPECT_EQ(std::get<model::SessionResult>(reply.result).time_left_ms, 2'000);
  }
  schedule_.RunFor(milliseconds(2'300));
  EXPECT_EQ(Do(model::Set{"/", "x"}).error.reason, Reason::kSessionExpired);
  session_ = {};
  EXPECT_FALSE(Exists("/e"));
}

TEST_F(RequestsTest, ARestartGrantsTheFullTimeoutAnew) {
  OpenSession(2'000);
  Do(model::Create{.path = "/e", .kind = model::NodeKind::kEphemeral});
  schedule_.RunFor(milliseconds(1'500));
  Restart();  // takes a second
  EXPECT_TRUE(Exists("/e"));
  schedule_.RunFor(milliseconds(3'500));
  session_ = {};
  EXPECT_FALSE(Exists("/e"));
}

TEST_F(RequestsTest, APauseExpiresNobody) {
  OpenSession(2'000);
  server_.Pause(seconds(60));
  schedule_.RunFor(milliseconds(60'500));
  EXPECT_EQ(server_.gauges().sessions, 1u);
}

TEST_F(RequestsTest, AWrongTokenIsRefusedAndDoesNotRenew) {
  OpenSession(2'000);
  token_ = std::string(32, 'x');
  EXPECT_EQ(Do(model::Set{"/", "x"}).error.reason, Reason::kUnauthenticated);
  EXPECT_EQ(Call(Query(model::Get{"/"}))->error.reason, Reason::kUnauthenticated);
  schedule_.RunFor(seconds(1));
  Do(model::Set{"/", "x"});
  schedule_.RunFor(milliseconds(1'300));
  EXPECT_EQ(server_.gauges().sessions, 0u);
}

TEST_F(RequestsTest, TtlNodesAndContainersAreReaped) {
  Do(model::Create{.path = "/ttl", .kind = model::NodeKind::kTtl, .ttl_ms = 3'000});
  Do(model::Create{.path = "/c", .kind = model::NodeKind::kContainer});
  Do(model::Create{.path = "/c/x"});
  Do(model::Delete{.path = "/c/x"});
  schedule_.RunFor(milliseconds(2'000));
  EXPECT_FALSE(Exists("/c"));
  EXPECT_TRUE(Exists("/ttl"));
  schedule_.RunFor(milliseconds(3'000));
  EXPECT_FALSE(Exists("/ttl"));
}

// --- Watches ----------------------------------------------------------------------------------

TEST_F(RequestsTest, AWatchBeginsWithTheStateAndGoesOnWithEveryChange) {
  Do(model::Create{.path = "/a/b/c", .data = "x", .create_parents = true});
  Do(model::Create{.path = "/z"});
  const auto stream = Watch({{.path = "/a", .kind = kSubtree},
                             {.path = "/a/b/c", .kind = kNode, .with_data = true},
                             {.path = "/", .kind = kChildren}},
                            true);
  ASSERT_TRUE(stream->initial_done);
  std::vector<std::string> paths;
  for (const auto& node : stream->initial) paths.push_back(node.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"/a", "/a/b", "/a/b/c", "/z"}));
  EXPECT_EQ(stream->initial[2].data, "x");
  EXPECT_EQ(stream->initial[0].stat.children_count, 1);
  Do(model::Set{"/a/b", "y"});
  Do(model::Create{.path = "/y"});
  Do(model::Create{.path = "/z/unseen"});
  EXPECT_EQ(stream->events, (std::vector<std::string>{"/a/b", "/y"}));
}

TEST_F(RequestsTest, ALargeStateIsScannedAndNothingIsMissedMeanwhile) {
  model::Transaction many;
  for (size_t i = 0; i < 2 * model::kWalkInTurnNodesMax; ++i) {
    many.then_operations.push_back(model::Create{.path = "/n", .data = "d", .sequential = true});
  }
  ASSERT_TRUE(Do(many).ok());
  const auto stream = Watch({{.path = "/", .kind = kSubtree, .with_data = true}}, true);
  EXPECT_FALSE(stream->initial_done);
  std::vector<std::string> expected;
  for (int i = 0; !stream->initial_done && i < 1'000; ++i) {
    const std::string path = "/during-" + std::to_string(i);
    const model::Revision revision = Do(model::Create{.path = path}).revision;
    if (!stream->initial_revision || revision > *stream->initial_revision) expected.push_back(path);
  }
  ASSERT_TRUE(stream->initial_done);
  schedule_.RunFor(seconds(1));
  size_t created_during = 0;
  for (const auto& node : stream->initial) created_during += node.path.rfind("/during-", 0) == 0;
  EXPECT_EQ(stream->initial.size(), 1 + 2 * model::kWalkInTurnNodesMax + created_during);
  // What came while the state was read is in one of the two, and never in both.
  std::vector<std::string> after(expected.end() - static_cast<long>(stream->events.size()),
                                 expected.end());
  EXPECT_EQ(stream->events, after);
  EXPECT_EQ(server_.replica().machine().counts().nodes,
            stream->initial.size() + stream->events.size());
}

TEST_F(RequestsTest, AWatchResumesFromAnyRevisionThatIsKept) {
  const model::Revision first = Do(model::Create{.path = "/a"}).revision;
  Do(model::Set{"/a", "1"});
  Restart();
  Do(model::Set{"/a", "2"});
  const auto stream = Watch({{.path = "/a", .kind = kNode}}, false, first);
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(stream->events, (std::vector<std::string>{"/a", "/a", "/a"}));
}

TEST_F(RequestsTest, WhatTheServerWatchesByItselfIsNoClients) {
  Watch({{.path = "/", .kind = kSubtree}}, false);
  const auto recorder = std::make_shared<Recorder>();
  io::WatchOpen own;
  own.stream = model::StreamId(1'000);
  own.outbox = recorder;
  own.identities = {{"super", ""}};
  own.targets = {{.path = "/", .kind = kSubtree}};
  own.of_the_server = true;
  server_.Post(own);
  Do(model::Create{.path = "/a"});
  EXPECT_FALSE(recorder->events.empty());
  EXPECT_EQ(server_.gauges().streams, 1u);
  EXPECT_EQ(server_.gauges().watches, 1u);
  server_.Post(io::WatchClose{own.stream});
  schedule_.RunFor(milliseconds(10));
  EXPECT_EQ(server_.gauges().streams, 1u);
  EXPECT_EQ(server_.gauges().watches, 1u);
}

TEST_F(RequestsTest, BadTargetsEndTheStreamByName) {
  EXPECT_EQ(Watch({}, false)->ended->reason, Reason::kInvalidArgument);
  EXPECT_EQ(Watch({{.path = "a"}}, false)->ended->reason, Reason::kInvalidPath);
}

TEST_F(RequestsTest, AShutdownEndsStreamsAndAnswersEverything) {
  const auto stream = Watch({{.path = "/", .kind = kSubtree}}, false);
  std::optional<Reply> pending;
  io::Request request;
  request.body = model::Command{.body = model::Create{.path = "/last"}};
  calls_->Send(std::move(request), {}, [&](const Reply& reply) { pending = reply; });
  server_.Post(io::Shutdown{});
  schedule_.RunFor(seconds(1));
  EXPECT_TRUE(pending && pending->ok());
  ASSERT_TRUE(stream->ended);
  EXPECT_TRUE(stream->ended->ok());
  EXPECT_TRUE(server_.replica().finished());
  EXPECT_EQ(Do(model::Create{.path = "/late"}).error.reason, Reason::kNoLeader);
}

}  // namespace
}  // namespace pando::sim
