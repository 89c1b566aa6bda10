#include "cli/dev/peer_network.h"

#include <array>
#include <asio.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/dev/socket_owner.h"

namespace pando::cli {
namespace {

using asio::ip::tcp;

constexpr size_t kBufferBytes = 64 << 10;
// Stands for whoever is no server of ours.
constexpr int kNobody = 0;

tcp::endpoint Loopback(uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

// What must happen now, or when the network between two servers is whole again.
using WhenWhole = std::function<void(int from, int to, std::function<void()> step)>;

// One connection, from a server to another. It lives as long as it has something to wait for.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(int from, int to, tcp::socket caller, const WhenWhole& when_whole)
      : from_(from),
        to_(to),
        caller_(std::move(caller)),
        callee_(caller_.get_executor()),
        when_whole_(when_whole) {}

  void Connect(uint16_t port) {
    callee_.async_connect(Loopback(port), [self = shared_from_this()](asio::error_code error) {
      // Nobody listens there: whoever connected is to see that.
      if (error) return self->Close();
      asio::error_code ignored;
      self->caller_.set_option(tcp::no_delay(true), ignored);
      self->callee_.set_option(tcp::no_delay(true), ignored);
      self->Read(&self->there_);
      self->Read(&self->back_);
    });
  }

 private:
  // One direction. What is read is written before more is read, so nothing is held but one buffer.
  struct Direction {
    tcp::socket& in;
    tcp::socket& out;
    std::array<char, kBufferBytes> buffer;
  };

  void Read(Direction* way) {
    way->in.async_read_some(asio::buffer(way->buffer),
                            [self = shared_from_this(), way](asio::error_code error, size_t bytes) {
                              self->when_whole_(self->from_, self->to_, [self, way, error, bytes] {
                                if (error) return self->Close();
                                self->Write(way, bytes);
                              });
                            });
  }

  void Write(Direction* way, size_t bytes) {
    asio::async_write(way->out, asio::buffer(way->buffer, bytes),
                      [self = shared_from_this(), way](asio::error_code error, size_t) {
                        if (error) return self->Close();
                        self->Read(way);
                      });
  }

  // Both ends: gRPC needs no half of a connection.
  void Close() {
    asio::error_code ignored;
    caller_.close(ignored);
    callee_.close(ignored);
  }

  const int from_;
  const int to_;
  tcp::socket caller_;
  tcp::socket callee_;
  const WhenWhole& when_whole_;
  Direction there_{caller_, callee_, {}};
  Direction back_{callee_, caller_, {}};
};

}  // namespace

// All but Start and Stop runs on the one thread of `context_`.
class PeerNetwork::Fabric {
 public:
  ~Fabric() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    // What waits refers to the fabric.
    waiting_.clear();
  }

  absl::Status Listen(const Route& route) {
    CHECK(route.server != kNobody);
    tcp::acceptor acceptor(context_);
    asio::error_code error;
    acceptor.open(tcp::v4(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(Loopback(route.outer_port), error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return absl::InternalError(
          absl::StrCat("cannot listen on 127.0.0.1:", route.outer_port, ": ", error.message(),
                       "; is another `pando dev` running? --base-port moves this one"));
    }
    doors_.push_back(std::make_unique<Door>(Door{route, std::move(acceptor)}));
    Accept(doors_.back().get());
    return absl::OkStatus();
  }

  void Run() {
    thread_ = std::thread([this] { context_.run(); });
  }

  void Post(std::function<void(Fabric*)> step) {
    asio::post(context_, [this, step = std::move(step)] { step(this); });
  }

  void SetProcess(int server, pid_t process) { processes_[server] = process; }
  void Cut(int server) { cut_.insert(server); }
  void Heal(int server) {
    cut_.erase(server);
    for (Waiting& waiting : std::exchange(waiting_, {})) {
      WhenWhole(waiting.from, waiting.to, std::move(waiting.step));
    }
  }

 private:
  struct Door {
    Route route;
    tcp::acceptor acceptor;
  };
  struct Waiting {
    int from;
    int to;
    std::function<void()> step;
  };

  void Accept(Door* door) {
    door->acceptor.async_accept([this, door](asio::error_code error, tcp::socket caller) {
      const int from = error ? kNobody : WhoConnected(caller, door->route.outer_port);
      if (!error && !IsCut(from, door->route.server)) {
        std::make_shared<Relay>(from, door->route.server, std::move(caller), when_whole_)
            ->Connect(door->route.own_port);
      }
      Accept(door);
    });
  }

  int WhoConnected(const tcp::socket& caller, uint16_t port) const {
    asio::error_code error;
    const tcp::endpoint remote = caller.remote_endpoint(error);
    if (error) return kNobody;
    std::vector<pid_t> processes;
    for (const auto& [server, process] : processes_) processes.push_back(process);
    const std::optional<pid_t> owner = FindSocketOwner({remote.port(), port}, processes);
    if (!owner) return kNobody;
    for (const auto& [server, process] : processes_) {
      if (process == *owner) return server;
    }
    return kNobody;
  }

  bool IsCut(int from, int to) const { return cut_.contains(from) || cut_.contains(to); }

  void WhenWhole(int from, int to, std::function<void()> step) {
    if (IsCut(from, to)) {
      waiting_.push_back({from, to, std::move(step)});
    } else {
      step();
    }
  }

  asio::io_context context_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::map<int, pid_t> processes_;
  std::set<int> cut_;
  std::vector<Waiting> waiting_;
  const cli::WhenWhole when_whole_ = [this](int from, int to, std::function<void()> step) {
    WhenWhole(from, to, std::move(step));
  };
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<PeerNetwork>> PeerNetwork::Start(const std::vector<Route>& routes) {
  auto fabric = std::make_unique<Fabric>();
  for (const Route& route : routes) PANDO_RETURN_IF_ERROR(fabric->Listen(route));
  fabric->Run();
  return std::unique_ptr<PeerNetwork>(new PeerNetwork(std::move(fabric)));
}

PeerNetwork::PeerNetwork(std::unique_ptr<Fabric> fabric) : fabric_(std::move(fabric)) {}

PeerNetwork::~PeerNetwork() = default;

void PeerNetwork::SetProcess(int server, pid_t process) {
  fabric_->Post([=](Fabric* fabric) { fabric->SetProcess(server, process); });
}

void PeerNetwork::Cut(int server) {
  fabric_->Post([=](Fabric* fabric) { fabric->Cut(server); });
}

void PeerNetwork::Heal(int server) {
  fabric_->Post([=](Fabric* fabric) { fabric->Heal(server); });
}

}  // namespace pando::cli
