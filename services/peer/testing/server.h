// One server's peers, as a test sees them: the test is its core.
#ifndef PANDO_PEER_TESTING_SERVER_H_
#define PANDO_PEER_TESTING_SERVER_H_

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "io/inbox.h"
#include "io/testing/drain.h"
#include "peer/grpc_peers.h"

namespace pando::peer {

inline base::Instant SteadyNow() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

inline raft::Message Numbered(uint64_t id) { return raft::ReadRequest{model::Term(1), id}; }

class Server {
 public:
  // Port 0: any.
  explicit Server(uint64_t id, int port = 0, base::Duration refused_delay = std::chrono::hours(1),
                  io::ReceiveSnapshot receive_snapshot = nullptr) {
    Options options;
    options.id = model::ServerId(id);
    options.listen_address = "127.0.0.1:" + std::to_string(port);
    options.now = [this] { return SteadyNow() + passed_.load(); };
    options.seed = id;
    options.connection_refusals = &refusals_;
    options.refused_delay = refused_delay;
    options.receive_snapshot = std::move(receive_snapshot);
    auto started = GrpcPeers::Start(std::move(options), &inbox_);
    CHECK(started.ok());
    peers_ = *std::move(started);
    hello_.id = model::ServerId(id);
    hello_.storage = model::StorageId(id * 100);
    hello_.self.id = hello_.id;
  }

  GrpcPeers& peers() { return *peers_; }
  const io::PeerHello& hello() const { return hello_; }
  int port() const { return peers_->port(); }
  io::PeerAddress address() const { return {hello_.id, "127.0.0.1:" + std::to_string(port())}; }

  void Call(std::vector<io::PeerAddress> addresses) {
    peers_->SetPeers(hello_, std::move(addresses));
  }
  void Send(const Server& to, std::vector<io::PeerMessage> messages) {
    peers_->Send(to.hello_.id, std::move(messages));
  }
  // Its clock goes on by so much at once. Its thread looks at it when somebody calls next.
  void PassTime(base::Duration duration) { passed_ = passed_.load() + duration; }
  // Ends it, as a process ends.
  void Stop() { peers_.reset(); }

  // The next event; waits for it. REQUIRES: it is one of these.
  template <class Event>
  Event Next() {
    for (int i = 0; events_.empty() && i < 30; ++i) Drain(std::chrono::seconds(1));
    CHECK(!events_.empty());
    io::Event event = std::move(events_.front());
    events_.pop_front();
    Event* wanted = std::get_if<Event>(&event);
    CHECK(wanted != nullptr);
    return std::move(*wanted);
  }
  // The next of this kind; others are dropped.
  template <class Event>
  Event Await() {
    for (int i = 0; i < 1'000; ++i) {
      for (int j = 0; events_.empty() && j < 30; ++j) Drain(std::chrono::seconds(1));
      CHECK(!events_.empty());
      io::Event event = std::move(events_.front());
      events_.pop_front();
      if (Event* wanted = std::get_if<Event>(&event)) return std::move(*wanted);
    }
    CHECK(false);
  }
  bool NothingCame() {
    Drain(base::Duration(0));
    return events_.empty();
  }
  // The numbers of the next `count` Numbered messages of a channel.
  std::vector<uint64_t> NextNumbers(io::ChannelId channel, size_t count) {
    std::vector<uint64_t> numbers;
    while (numbers.size() < count) {
      const auto event = Next<io::PeerMessages>();
      EXPECT_EQ(event.channel, channel);
      for (const io::PeerMessage& message : event.messages) {
        numbers.push_back(std::get<raft::ReadRequest>(std::get<raft::Message>(message)).id);
      }
    }
    return numbers;
  }

 private:
  void Drain(base::Duration timeout) {
    std::vector<io::Event> events;
    io::Drain(&inbox_, timeout, &events);
    for (io::Event& event : events) events_.push_back(std::move(event));
  }

  std::atomic<base::Duration> passed_{base::Duration(0)};
  net::Refusals refusals_{"peer", SteadyNow};
  io::Inbox inbox_;
  std::deque<io::Event> events_;
  io::PeerHello hello_;
  std::unique_ptr<GrpcPeers> peers_;
};

}  // namespace pando::peer

#endif  // PANDO_PEER_TESTING_SERVER_H_
