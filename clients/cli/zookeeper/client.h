// ZooKeeperClient: a session with a ZooKeeper, over the one of its servers that answers.
//
// When the connection breaks it goes on with the next server, and with a new session: it owns no
// ephemeral nodes, and its user sets watches anew. What was asked on the old one is not answered
// any more. The newest zxid seen goes with each greeting, so a server that is behind refuses:
// nothing goes back in time.
//
// A thread of its own talks, pings, and bounds how long a server may be silent. It stops reading
// while more waits to be taken than kWaitingBytesMax. The other functions are for one thread.
#ifndef PANDO_CLIENTS_CLI_ZOOKEEPER_CLIENT_H_
#define PANDO_CLIENTS_CLI_ZOOKEEPER_CLIENT_H_

#include <array>
#include <asio.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "cli/mirror/doorbell.h"
#include "jute/decode_reply.h"
#include "jute/records.h"

namespace pando::cli {

class ZooKeeperClient {
 public:
  struct Options {
    std::vector<std::string> servers;  // HOST:PORT each; at least one
    // SCHEME:CREDENTIAL each; shown to every server.
    std::vector<std::string> credentials;
    // How long to look for a server that answers.
    std::chrono::milliseconds timeout{0};
  };

  // Requests that name this session are answered from now on; no others are.
  struct Opened {
    uint64_t session = 0;  // counts from 1
  };
  struct Lost {
    std::string reason;
  };
  struct Reply {
    jute::ErrorCode error = jute::ErrorCode::kOk;
    std::string record;  // what follows the header
  };
  // Nothing more happens.
  struct Failed {
    absl::Status why;
  };
  using Happening = std::variant<Opened, Lost, Reply, jute::Event, Failed>;

  // `bell` rings when something has happened, and outlives the client.
  ZooKeeperClient(Options options, Doorbell* bell);
  // Closes the session.
  ~ZooKeeperClient();
  ZooKeeperClient(const ZooKeeperClient&) = delete;
  ZooKeeperClient& operator=(const ZooKeeperClient&) = delete;

  // What has happened since the last call, in order.
  std::vector<Happening> Take();
  // Replies come in the order of the requests. Nothing happens if the session is lost: Take says
  // so.
  void Ask(uint64_t session, const jute::Request& request);

  const Options& options() const { return options_; }

 private:
  using Clock = std::chrono::steady_clock;
  using Millis = std::chrono::milliseconds;

  void Dial();
  void Greet();
  void Read();
  // Takes whole frames out of what was read.
  void TakeInput();
  void TakeFrame(std::string_view payload);
  void TakeGreeting(std::string_view payload);
  void TakeReply(const jute::ReplyHeader& header, std::string_view record);
  void Open();
  // Sends what waits, if nothing is being sent.
  void Write();
  // Pings, and looks whether the server has fallen silent.
  void Beat();
  void Break(const std::string& reason);
  void Fail(absl::Status why);
  void Happen(Happening happening, size_t bytes);
  // A handler that does nothing once the connection that it was made for is gone.
  template <class Function>
  auto OfThisConnection(Function function);
  const std::string& server() const { return options_.servers[dials_ % options_.servers.size()]; }

  const Options options_;
  Doorbell& bell_;

  // --- Of the own thread ---
  asio::io_context context_;
  asio::ip::tcp::resolver resolver_{context_};
  asio::ip::tcp::socket socket_{context_};
  asio::steady_timer timer_{
      context_};  // bounds the dial; then beats; then the pause before another
  size_t dials_ = 0;
  uint64_t connection_ = 0;  // counts them
  bool greeted_ = false;
  bool failed_ = false;
  size_t credentials_left_ = 0;  // that the server has not taken yet
  int64_t last_zxid_ = 0;
  Millis session_timeout_{0};
  Clock::time_point search_began_;
  Clock::time_point heard_;
  bool reading_ = false;
  std::array<char, 64 << 10> chunk_{};
  std::string input_;
  std::string writing_;
  bool is_writing_ = false;
  std::string greeting_;  // goes before all else

  // --- Of both ---
  std::mutex mutex_;
  std::vector<Happening> happenings_;
  size_t waiting_bytes_ = 0;
  std::string outgoing_;
  std::deque<int32_t> asked_;  // xids, in order
  int32_t last_xid_ = 0;
  uint64_t sessions_ = 0;  // that were opened
  uint64_t session_ = 0;   // the one that is open; 0: none

  std::thread thread_;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_ZOOKEEPER_CLIENT_H_
