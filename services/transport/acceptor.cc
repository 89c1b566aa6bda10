#include "transport/acceptor.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <asio.hpp>
#include <atomic>
#include <chrono>
#include <list>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/host_port.h"
#include "base/log.h"
#include "transport/open_connections.h"

namespace pando::transport {
namespace {

using asio::ip::tcp;
using Error = asio::error_code;

constexpr int kBacklog = 4096;
// After accept has failed: there is no descriptor left, and more will not come at once.
constexpr std::chrono::milliseconds kFailedPause(100);
constexpr std::chrono::seconds kCountInterval(1);
// The first byte of a record that carries a handshake (RFC 8446, 5.1). HTTP begins with a letter.
constexpr unsigned char kTlsHandshake = 0x16;

std::string CallerOf(const tcp::socket& socket) {
  Error error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) return {};
  const bool v6 = endpoint.address().is_v6();
  const std::string host = endpoint.address().to_string(error);
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]:" : ":", endpoint.port());
}

}  // namespace

class Acceptor::Core {
 public:
  explicit Core(Options options) : options_(std::move(options)) {}

  absl::Status Listen() {
    const base::HostPort address = base::SplitHostPort(options_.address);
    Error error;
    tcp::resolver resolver(context_);
    const auto found = resolver.resolve(
        address.host, address.port, tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error) return Failed(error);
    for (const auto& entry : found) {
      tcp::endpoint endpoint = entry.endpoint();
      // A host that has several addresses listens on one port on all of them.
      if (port_ != 0) endpoint.port(static_cast<uint16_t>(port_));
      // As gRPC did: 0.0.0.0 is every address of this machine, IPv6 too, where there is that.
      const bool everywhere = endpoint.address().is_unspecified();
      if (everywhere && ListenOn(tcp::endpoint(tcp::v6(), endpoint.port()), &error)) return {};
      if (!ListenOn(endpoint, &error)) return Failed(error);
    }
    return absl::OkStatus();
  }

  void Start(std::unique_ptr<Grpc> grpc) {
    CHECK(!thread_.joinable());
    grpc_ = std::move(grpc);
    for (Listener& listener : listeners_) Accept(&listener);
    CountLater();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "pando-accept");
      context_.run();
    });
  }

  void Stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    listeners_.clear();
  }

  int port() const { return port_; }
  size_t connections() const { return connections_.load(std::memory_order_relaxed); }

 private:
  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context), pause(context) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };
  // Said nothing yet. Shared by what waits for its first byte and what waits for that no longer: it
  // is over when the first of them has come.
  struct Waiting {
    Waiting(tcp::socket s, asio::io_context& context) : socket(std::move(s)), patience(context) {}
    tcp::socket socket;
    asio::steady_timer patience;
    bool over = false;
    std::list<std::shared_ptr<Waiting>>::iterator place;
  };

  absl::Status Failed(const Error& error) const {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options_.address, ": ", error.message()));
  }

  bool ListenOn(const tcp::endpoint& endpoint, Error* error) {
    Listener& listener = listeners_.emplace_back(context_);
    tcp::acceptor& acceptor = listener.acceptor;
    acceptor.open(endpoint.protocol(), *error);
    if (!*error && endpoint.protocol() == tcp::v6()) {
      acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), *error);
    }
    // Not SO_REUSEPORT: with it a second server would get half of the connections.
    if (!*error) acceptor.set_option(tcp::acceptor::reuse_address(true), *error);
    if (!*error) acceptor.bind(endpoint, *error);
    if (!*error) acceptor.listen(kBacklog, *error);
    if (!*error) port_ = acceptor.local_endpoint(*error).port();
    if (!*error) return true;
    listeners_.pop_back();
    return false;
  }

  void Accept(Listener* listener) {
    listener->acceptor.async_accept([this, listener](const Error& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error && error != asio::error::connection_aborted) return Pause(listener, error);
      if (!error) Take(std::move(socket));
      Accept(listener);
    });
  }

  void Pause(Listener* listener, const Error& failed) {
    uint64_t suppressed = 0;
    if (failed_limit_.Due(options_.now(), &suppressed)) {
      base::Log(base::Severity::kError, "cannot accept a connection",
                {{"port", options_.refusals->port()},
                 {"error", failed.message()},
                 {"not_logged", suppressed}});
    }
    listener->pause.expires_after(kFailedPause);
    listener->pause.async_wait([this, listener](const Error& error) {
      if (!error) Accept(listener);
    });
  }

  void Take(tcp::socket socket) {
    if (full()) CountNow();
    if (full()) {
      const std::string why =
          absl::StrCat("there are ", options_.connections_max, " connections already");
      if (waiting_.empty()) {
        options_.refusals->Tell(Refusals::Reason::kCrowded, CallerOf(socket), why);
        return;
      }
      // Who speaks at once is not kept out by those who do not.
      Dismiss(waiting_.front().get(), Refusals::Reason::kCrowded, why);
    }
    const auto waiting = std::make_shared<Waiting>(std::move(socket), context_);
    waiting->place = waiting_.insert(waiting_.end(), waiting);
    waiting->patience.expires_after(options_.patience);
    waiting->patience.async_wait([this, waiting](const Error& error) {
      if (error || waiting->over) return;
      Dismiss(waiting.get(), Refusals::Reason::kSilent, "it has not said anything");
    });
    waiting->socket.async_wait(tcp::socket::wait_read, [this, waiting](const Error& error) {
      if (error == asio::error::operation_aborted || waiting->over) return;
      Look(waiting.get());
    });
  }

  void Dismiss(Waiting* waiting, Refusals::Reason reason, std::string_view why) {
    options_.refusals->Tell(reason, CallerOf(waiting->socket), why);
    End(waiting);
  }

  void End(Waiting* waiting) {
    CHECK(!waiting->over);
    waiting->over = true;
    Error ignored;
    waiting->socket.close(ignored);
    waiting->patience.cancel();
    const std::shared_ptr<Waiting> last = *waiting->place;
    waiting_.erase(last->place);
  }

  // Not read, but looked at: gRPC reads all of it.
  void Look(Waiting* waiting) {
    unsigned char first = 0;
    const ssize_t got = recv(waiting->socket.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got <= 0) {
      End(waiting);  // it has ended, and nothing was asked
    } else if (options_.tls && first != kTlsHandshake) {
      Dismiss(waiting, Refusals::Reason::kPlaintext, "it does not speak TLS, and this port does");
    } else if (!options_.tls && first == kTlsHandshake) {
      Dismiss(waiting, Refusals::Reason::kTls, "it speaks TLS, and this port does not");
    } else {
      HandOver(waiting);
    }
  }

  void HandOver(Waiting* waiting) {
    Error error;
    waiting->socket.set_option(tcp::no_delay(true), error);
    waiting->socket.native_non_blocking(true, error);
    const int fd = waiting->socket.release(error);
    End(waiting);
    if (error) return;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    open_.Add(fd);
    Grpc::NewConnectionParameters parameters;
    parameters.fd = fd;
    grpc_->HandleNewConnection(&parameters);
  }

  bool full() const { return open_.size() + waiting_.size() >= options_.connections_max; }

  // While it is full, strangers must not make it look at all descriptors again and again.
  void CountNow() {
    const base::Instant now = options_.now();
    if (now - counted_ < kFailedPause) return;
    counted_ = now;
    open_.Count();
    connections_ = open_.size() + waiting_.size();
  }

  void CountLater() {
    count_.expires_after(kCountInterval);
    count_.async_wait([this](const Error& error) {
      if (error) return;
      CountNow();
      CountLater();
    });
  }

  const Options options_;
  asio::io_context context_{1};
  asio::steady_timer count_{context_};
  std::list<Listener> listeners_;
  std::list<std::shared_ptr<Waiting>> waiting_;  // the oldest first
  OpenConnections open_;
  base::Instant counted_;
  base::LogLimit failed_limit_{std::chrono::seconds(1)};
  std::unique_ptr<Grpc> grpc_;
  int port_ = 0;
  std::atomic<size_t> connections_{0};
  std::thread thread_;
};

Acceptor::Acceptor(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Acceptor::~Acceptor() { Stop(); }

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(Options options) {
  CHECK(options.now && options.refusals != nullptr);
  CHECK(options.connections_max > 0);
  auto core = std::make_unique<Core>(std::move(options));
  PANDO_RETURN_IF_ERROR(core->Listen());
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(core)));
}

void Acceptor::Start(std::unique_ptr<Grpc> grpc) { core_->Start(std::move(grpc)); }

void Acceptor::Stop() { core_->Stop(); }

int Acceptor::port() const { return core_->port(); }

size_t Acceptor::connections() const { return core_->connections(); }

}  // namespace pando::transport
