// One server that is killed and loses its power again and again, under clients that retry and a
// watch that resumes. SimServer checks its own promises; this checks those to clients:
//
//   what was acknowledged is there; a request with an id is applied once; a watch sees each change
//   exactly once, in order; a lane answers in order; nobody waits for ever
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "codec/command.h"
#include "gtest/gtest.h"
#include "sim/sim_server.h"
#include "sim/testing/calls.h"

namespace pando::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What a stream was told, over all its openings.
class Watcher {
 public:
  struct Event {
    model::Revision revision;
    model::ChangeKind kind;
    std::string path;
    friend bool operator==(const Event&, const Event&) = default;
  };

  Watcher(SimServer* server, base::Rng rng) : server_(server), rng_(rng) {}

  void Open() {
    stream_ = std::make_shared<Outbox>(this, ++last_stream_);
    io::WatchOpen open;
    open.stream = model::StreamId(last_stream_);
    open.outbox = stream_;
    open.identities = {{"world", "anyone"}};
    open.targets = {{.path = "/", .kind = model::WatchTarget::Kind::kSubtree, .with_data = true}};
    open.start_revision = seen_ + 1;
    server_->Post(std::move(open));
  }
  // Makes room in an Outbox that was full.
  void Drain() {
    if (stream_ == nullptr || !stream_->full) return;
    stream_->full = false;
    server_->Post(io::StreamDrained{model::StreamId(last_stream_)});
  }

  const std::vector<Event>& events() const { return events_; }
  model::Revision seen() const { return seen_; }
  const std::optional<model::Error>& ended() const { return ended_; }

 private:
  struct Outbox : io::Stream {
    Outbox(Watcher* w, uint64_t n) : watcher(w), number(n) {}
    bool TryWrite(model::StreamBatch batch) override {
      if (number != watcher->last_stream_) return true;  // of an earlier life
      if (full || watcher->rng_.Chance(50)) {
        full = true;
        return false;
      }
      EXPECT_GE(batch.revision, watcher->seen_);
      for (const model::StreamBatch::Selected& selected : batch.selected) {
        const model::Change& change = batch.batch->changes[selected.change];
        watcher->events_.push_back({change.revision, change.kind, change.path});
      }
      watcher->seen_ = batch.revision;
      return true;
    }
    bool TryWriteInitial(model::Revision, model::WalkResult) override { return true; }
    void WriteInitialDone(model::Revision, model::WalkResult) override {}
    void End(model::Error error) override { watcher->ended_ = std::move(error); }

    Watcher* const watcher;
    const uint64_t number;
    bool full = false;
  };

  SimServer* const server_;
  base::Rng rng_;
  std::shared_ptr<Outbox> stream_;
  uint64_t last_stream_ = 0;
  model::Revision seen_;
  std::vector<Event> events_;
  std::optional<model::Error> ended_;
};

class World {
 public:
  explicit World(uint64_t seed)
      : rng_(seed),
        server_(&schedule_, base::Rng(rng_.Next()), Options()),
        calls_(std::make_shared<Calls>(&server_)),
        watcher_(&server_, base::Rng(rng_.Next())) {}

  void Run(int crashes) {
    server_.Start();
    watcher_.Open();
    for (int i = 0; i < 3; ++i) Write();
    RunLane();
    OpenSession();
    Drain();
    for (int i = 0; i < crashes; ++i) {
      schedule_.RunFor(milliseconds(rng_.Between(1, 700)));
      if (rng_.Chance(200)) server_.store()->SetFull(true);
      if (rng_.Chance(500)) {
        server_.Kill();
      } else {
        server_.LosePower();
      }
      schedule_.RunFor(milliseconds(rng_.Between(0, 50)));
      server_.Start();
      ++life_;
      watcher_.Open();
      for (int writer = 0; writer < 3; ++writer) Write();
      RunLane();
      Once();
    }
    stopping_ = true;
    schedule_.RunFor(seconds(20));
    Check();
  }

 private:
  static SimServerOptions Options() {
    SimServerOptions options;
    options.wal_segment_bytes = 16 << 10;
    options.store.interval = milliseconds(100);
    options.store.snapshot_revisions = 20;
    options.store.changes_bytes_max = size_t{64} << 20;
    return options;
  }

  io::Request Request(model::CommandBody body) {
    model::Command command;
    command.identities = {{"world", "anyone"}};
    command.body = std::move(body);
    io::Request request;
    request.body = std::move(command);
    request.deadline = schedule_.now() + seconds(5);
    return request;
  }

  // Writes one after the other, each when the one before is answered.
  void Write() {
    if (stopping_) return;
    const std::string path = "/n" + std::to_string(rng_.Below(20));
    model::CommandBody body;
    switch (rng_.Below(3)) {
      case 0:
        body = model::Create{.path = path, .data = std::string(rng_.Below(200), 'x')};
        break;
      case 1:
        body = model::Set{path, std::string(rng_.Below(200), 'y')};
        break;
      default:
        body = model::Delete{.path = path};
    }
    calls_->Send(Request(std::move(body)), {}, [this, life = life_](const model::Reply& reply) {
      if (reply.ok()) acknowledged_ = std::max(acknowledged_, reply.revision);
      if (life != life_) return;  // its writer was started anew
      schedule_.After(milliseconds(rng_.Below(4)), [this, life] {
        if (life == life_) Write();
      });
    });
  }

  // A lane: a write and a read of it right behind, without waiting for the write's answer.
  void RunLane() {
    const model::LaneId lane(++last_lane_);
    auto last = std::make_shared<int>(-1);
    for (int i = 0; i < 20; ++i) {
      const std::string path = "/lane-" + std::to_string(lane.value()) + "-" + std::to_string(i);
      calls_->Send(
          Request(model::Create{.path = path, .data = "mine"}), lane,
          [last, i](const model::Reply&) { EXPECT_EQ(std::exchange(*last, 2 * i), 2 * i - 1); });
      io::Request read;
      read.body = model::Query{.body = model::Get{path}};
      calls_->Send(std::move(read), lane, [last, i](const model::Reply& reply) {
        EXPECT_EQ(std::exchange(*last, 2 * i + 1), 2 * i);
        const auto* result = std::get_if<model::OperationResult>(&reply.result);
        if (result != nullptr) {
          EXPECT_EQ(result->data, "mine");
        }
        EXPECT_TRUE(reply.ok()) << "a read behind its own write";
      });
    }
  }

  // --- Exactly once ---------------------------------------------------------------------------

  void OpenSession() {
    calls_->Send(Request(model::OpenSession{600'000, std::string(32, 't')}), {},
                 [this](const model::Reply& reply) {
                   if (!reply.ok()) return;
                   session_ = std::get<model::SessionResult>(reply.result).session;
                   Once();
                 });
  }

  // Sends the request at hand until it is answered; a crash leaves it unanswered.
  void Once() {
    if (!session_) {
      if (!stopping_) OpenSession();
      return;
    }
    const uint64_t id = request_;
    io::Request request =
        Request(model::Create{.path = "/once-", .data = std::to_string(id), .sequential = true});
    auto& command = std::get<model::Command>(request.body);
    command.session = session_;
    command.request = model::RequestId(id);
    command.first_outstanding = model::RequestId(id);
    command.request_hash = codec::HashBody(command.body);
    request.token_hash = std::string(32, 't');
    calls_->Send(std::move(request), {}, [this, id](const model::Reply& reply) {
      // A server that has just started may not have a leader in time, or not know the session yet.
      if (reply.ok() && request_ == id) {
        ++request_;
        if (!stopping_) Once();
      }
    });
  }

  void Drain() {
    watcher_.Drain();
    schedule_.After(milliseconds(3), [this] { Drain(); });
  }

  // --- At the end -----------------------------------------------------------------------------

  void Check() {
    ASSERT_TRUE(server_.running());
    const auto& history = server_.history();
    ASSERT_FALSE(history.empty());
    const replica::Gauges gauges = server_.gauges();
    EXPECT_EQ(gauges.applied, history.rbegin()->first);
    EXPECT_EQ(gauges.pending_requests, 0u);
    EXPECT_LE(acknowledged_, gauges.applied);
    EXPECT_GT(acknowledged_.value(), 20u);
    EXPECT_EQ(server_.replica().machine().digest(), history.rbegin()->second.digest);

    // The watch: the projection of everything that was committed.
    EXPECT_FALSE(watcher_.ended()) << watcher_.ended()->detail;
    std::vector<Watcher::Event> expected;
    for (const auto& [revision, record] : history) {
      if (record.changes == nullptr) continue;
      for (const model::Change& change : record.changes->changes) {
        expected.push_back({revision, change.kind, change.path});
      }
    }
    EXPECT_EQ(watcher_.events().size(), expected.size());
    EXPECT_TRUE(watcher_.events() == expected);

    // Exactly once: one node for each request that was answered, and at most one for the last.
    std::map<std::string, int> nodes;
    for (const Watcher::Event& event : expected) {
      if (event.kind == model::ChangeKind::kCreated && event.path.rfind("/once-", 0) == 0) {
        const model::Reply reply =
            server_.replica().machine().Query({.body = model::Get{event.path}});
        ++nodes[*std::get<model::OperationResult>(reply.result).data];
      }
    }
    for (uint64_t id = 1; id < request_; ++id) EXPECT_EQ(nodes[std::to_string(id)], 1) << id;
    EXPECT_LE(nodes[std::to_string(request_)], 1);
  }

  base::Rng rng_;
  Schedule schedule_;
  SimServer server_;
  std::shared_ptr<Calls> calls_;
  Watcher watcher_;
  int life_ = 0;
  bool stopping_ = false;
  uint64_t last_lane_ = 0;
  model::SessionId session_;
  uint64_t request_ = 1;
  model::Revision acknowledged_;
};

TEST(OneServer, KeepsItsPromisesOverCrashes) {
  for (uint64_t seed = 1; seed <= 20 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    World(seed).Run(15);
  }
}

}  // namespace
}  // namespace pando::sim
