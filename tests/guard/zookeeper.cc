// ZooKeeper's port: what zookeeper/server.h does with bytes, without its sockets and its thread.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "base/check.h"
#include "base/rng.h"
#include "jute/encode.h"
#include "jute/encode_request.h"
#include "server.h"
#include "workload.h"
#include "zookeeper/connection.h"
#include "zookeeper/feed.h"
#include "zookeeper/intake.h"
#include "zookeeper/watch_table.h"

namespace pando::guard {
namespace {

using zookeeper::WatcherId;

constexpr size_t kWatchers = 1'000;
constexpr int32_t kPersistent = 0;
constexpr model::StreamId kStream(uint64_t{1} << 32);

class Port : public zookeeper::Host, private zookeeper::Feed::Reader {
 public:
  explicit Port(size_t connections)
      : intake_(std::make_shared<zookeeper::Intake>([this] { woken_ = true; })),
        feed_(this),
        server_(intake_.get()) {
    OpenStream();
    for (uint64_t id = 1; id <= connections; ++id) Connect(WatcherId(id));
  }

  // What a client says; then all that follows from it.
  void Say(WatcherId id, std::string_view frames) {
    CHECK(clients_.at(id)->Consume(frames) == frames.size());
    Settle();
  }
  std::string* OutputOf(WatcherId id) { return clients_.at(id)->output(); }

  // Host
  bool Post(zookeeper::Connection*, io::RequestBatch&& batch) override {
    batch.sink = intake_;
    return server_.inbox()->TryPost(std::move(batch));
  }
  zookeeper::WatchTable* watches() override { return &watches_; }
  model::Revision told() const override { return feed_.told(); }
  base::Instant now() const override { return server_.now(); }
  std::string RandomBytes(size_t count) override { return std::string(count, 'r'); }
  bool prepared() const override { return prepared_; }
  bool read_only() const override { return false; }
  void Prepared() override { prepared_ = true; }
  zookeeper::Traffic* traffic() override { return &traffic_; }
  void Attached(zookeeper::Connection*) override {}
  void Answered(jute::Opcode, base::Duration, model::Reason reason) override {
    CHECK(reason == model::Reason::kOk);
  }
  void Denied(const zookeeper::Denial&) override { CHECK(false); }

 private:
  void OpenStream() {
    io::WatchOpen open;
    open.stream = kStream;
    open.outbox = intake_;
    open.identities = {acl::kSuper};
    open.of_the_server = true;
    open.targets = {{.path = "/", .kind = model::WatchTarget::Kind::kSubtree}};
    server_.inbox()->Post(std::move(open));
    Settle();
    CHECK(feed_.live());
  }

  void Connect(WatcherId id) {
    zookeeper::Connection::Options options;
    options.identities = {acl::kAnyone, {acl::kIpScheme, "10.0.0.1"}};
    options.frame_bytes_max = model::kMiB;
    options.reply_bytes_max = model::kMiB;
    options.server = model::ServerId(1);
    clients_[id] = std::make_unique<zookeeper::Connection>(id, std::move(options), this);
    std::string greeting;
    jute::AppendConnectRequest({.timeout_ms = 30'000,
                                .password = std::string(jute::kPasswordBytes, '\0'),
                                .read_only = false},
                               &greeting);
    Say(id, greeting);
    CHECK(clients_.at(id)->session());
    OutputOf(id)->clear();
  }

  void Settle() {
    do {
      server_.Run();
      bool drained = false;
      for (zookeeper::Turn& turn : intake_->Take(&drained)) feed_.Take(std::move(turn));
    } while (std::exchange(woken_, false));
  }

  // Feed::Reader
  void OnChanges(const model::ChangeBatch& batch) override {
    const auto zxid = static_cast<int64_t>(batch.revision.value());
    for (const model::Change& change : batch.changes) {
      firings_.clear();
      watches_.Fire(change, &firings_);
      for (const zookeeper::WatchTable::Firing& firing : firings_) {
        frame_.clear();
        jute::AppendEvent(firing.type, firing.path, zxid, &frame_);
        for (const WatcherId watcher : firing.watchers) {
          clients_.at(watcher)->Tell(firing.acl, batch.revision, frame_);
        }
      }
    }
  }
  void OnCompletion(io::Completion completion) override {
    const auto client = clients_.find(WatcherId(completion.tag));
    if (client != clients_.end()) client->second->Answer(std::move(completion));
  }

  bool woken_ = false;
  bool prepared_ = false;
  zookeeper::Traffic traffic_;
  const std::shared_ptr<zookeeper::Intake> intake_;
  zookeeper::Feed feed_;
  zookeeper::WatchTable watches_;
  absl::flat_hash_map<WatcherId, std::unique_ptr<zookeeper::Connection>> clients_;
  std::vector<zookeeper::WatchTable::Firing> firings_;
  std::string frame_;
  Server server_;
};

}  // namespace

Workload MakeZooKeeperGet() {
  base::Rng rng(1);
  int32_t xid = 0;
  std::vector<std::string> requests(64);
  for (std::string& frames : requests) {
    for (size_t i = 0; i < kRequestsInTurn; ++i) {
      jute::AppendRequest(++xid, jute::Read{.path = PathOf(rng.Below(kNodes))}, &frames);
    }
  }
  const auto port = std::make_shared<Port>(1);
  size_t next = 0;
  return {.turn =
              [port, requests = std::move(requests), next]() mutable {
                const WatcherId id(1);
                port->Say(id, requests[next++ % requests.size()]);
                CHECK(port->OutputOf(id)->size() > kRequestsInTurn * kValueBytes);
                port->OutputOf(id)->clear();
              },
          .operations = kRequestsInTurn};
}

Workload MakeZooKeeperFanOut() {
  const auto port = std::make_shared<Port>(kWatchers);
  std::string watch;
  jute::AppendRequest(1, jute::AddWatch{.path = PathOf(0), .mode = kPersistent}, &watch);
  for (uint64_t id = 1; id <= kWatchers; ++id) port->Say(WatcherId(id), watch);
  CHECK(port->watches()->watches() == kWatchers);
  std::string set;
  jute::AppendRequest(
      2, jute::SetData{.path = PathOf(0), .data = std::string(kValueBytes, 'e'), .version = -1},
      &set);
  return {.turn = [port, set = std::move(set)] {
    port->Say(WatcherId(1), set);
    for (uint64_t id = 1; id <= kWatchers; ++id) {
      CHECK(!port->OutputOf(WatcherId(id))->empty());
      port->OutputOf(WatcherId(id))->clear();
    }
  }};
}

}  // namespace pando::guard
