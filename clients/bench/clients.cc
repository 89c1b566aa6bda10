#include "bench/clients.h"

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/host_port.h"
#include "bench/etcd_wire.h"
#include "bench/native_wire.h"
#include "bench/zookeeper_wire.h"

namespace pando::load {
namespace {

// Within the shortest timeout that ZooKeeper grants a session by default, 4 s.
constexpr auto kBeat = std::chrono::seconds(3);

std::unique_ptr<Wire> MakeWire(const ClientsOptions& options, Wire::Listener* listener) {
  switch (options.protocol) {
    case Protocol::kPipeline:
    case Protocol::kUnary:
      return std::make_unique<NativeWire>(
          listener, NativeWire::Options{options.protocol == Protocol::kPipeline,
                                        options.linearizable, options.needs_session});
    case Protocol::kZooKeeper:
      return std::make_unique<ZooKeeperWire>(listener);
    case Protocol::kEtcd:
      return std::make_unique<EtcdWire>(
          listener, EtcdWire::Options{options.linearizable, options.needs_session});
  }
  CHECK(false);
}

absl::StatusOr<asio::ip::tcp::endpoint> Resolve(Loop* loop, const std::string& endpoint) {
  const base::HostPort at = base::SplitHostPort(endpoint);
  asio::ip::tcp::resolver resolver(loop->context());
  asio::error_code error;
  const auto found = resolver.resolve(at.host, at.port, error);
  if (error || found.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(endpoint, ": ", error.message()));
  }
  return found.begin()->endpoint();
}

// Hears one word of each connection, and finishes the loop with the last.
class Roll : public Wire::Listener {
 public:
  Roll(Loop* loop, std::vector<Connection*> connections)
      : loop_(*loop), connections_(std::move(connections)), left_(connections_.size()) {
    for (Connection* connection : connections_) connection->set_listener(this);
  }
  ~Roll() override {
    for (Connection* connection : connections_) connection->set_listener(nullptr);
  }
  Roll(const Roll&) = delete;
  Roll& operator=(const Roll&) = delete;

  void OnReady() override { CountOne(); }
  void OnAnswer(Tag, Outcome, std::string_view) override { CountOne(); }
  void OnEvents(Tag, size_t) override {}

 private:
  void CountOne() {
    if (--left_ == 0) loop_.Finish();
  }

  Loop& loop_;
  const std::vector<Connection*> connections_;
  size_t left_;
};

}  // namespace

absl::Status Clients::Connect(const ClientsOptions& options) {
  CHECK(options.connections > 0);
  timeout_ = options.timeout;
  std::vector<asio::ip::tcp::endpoint> endpoints;
  for (const std::string& endpoint : options.endpoints) {
    const auto resolved = Resolve(loop_, endpoint);
    if (!resolved.ok()) return resolved.status();
    endpoints.push_back(*resolved);
  }
  for (size_t i = 0; i < options.connections; ++i) {
    const size_t server = i % endpoints.size();
    Connection& connection = connections_.emplace_back(
        loop_, endpoints[server], options.endpoints[server],
        [&](Wire::Listener* listener) { return MakeWire(options, listener); });
    all_.push_back(&connection);
  }
  const Roll roll(loop_, all_);
  for (Connection* connection : all_) connection->Connect();
  BeatLater();
  return loop_->RunFor(timeout_, "not all servers greeted within --timeout");
}

absl::Status Clients::Leave() {
  const Roll roll(loop_, all_);
  Operation leave;
  leave.kind = Operation::Kind::kLeave;
  for (Connection* connection : all_) {
    connection->Ask(leave, Tag{});
    connection->Flush();
  }
  return loop_->RunFor(timeout_, "not all sessions could be closed within --timeout");
}

void Clients::BeatLater() {
  beat_.Set(loop_->now() + kBeat, [this] {
    for (Connection* connection : all_) connection->Beat();
    BeatLater();
  });
}

}  // namespace pando::load
