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
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "net/listener.h"
#include "transport/open_connections.h"

namespace pando::transport {
namespace {

using asio::ip::tcp;
using Error = asio::error_code;
using Door = grpc::experimental::ExternalConnectionAcceptor;

// Between two looks at all descriptors, at least.
constexpr std::chrono::milliseconds kCountPause(100);
constexpr std::chrono::seconds kCountInterval(1);
// The first byte of a record that carries a handshake (RFC 8446, 5.1). HTTP begins with a letter.
constexpr unsigned char kTlsHandshake = 0x16;

}  // namespace

class Acceptor::Core {
 public:
  explicit Core(Options options) : options_(std::move(options)) {}

  absl::Status Listen() {
    absl::StatusOr<std::unique_ptr<net::Listener>> listener = net::Listener::Listen(
        &context_,
        {.address = options_.address, .port = options_.refusals->port(), .now = options_.now});
    if (!listener.ok()) return listener.status();
    listener_ = *std::move(listener);
    port_ = listener_->port();
    return absl::OkStatus();
  }

  void AddTo(grpc::ServerBuilder* builder) {
    CHECK(doors_.empty());
    const auto add = [&](const std::shared_ptr<grpc::ServerCredentials>& credentials) {
      doors_.push_back(builder->experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials));
    };
    if (options_.tls == nullptr) {
      add(grpc::InsecureServerCredentials());
    } else {
      for (const auto& credentials : options_.tls->credentials()) add(credentials);
    }
  }

  void Start() {
    CHECK(!thread_.joinable());
    CHECK(!doors_.empty());
    listener_->Start([this](tcp::socket socket) { Take(std::move(socket)); });
    CountLater();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "pando-accept");
      context_.run();
    });
  }

  void Stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    listener_.reset();
  }

  int port() const { return port_; }
  size_t connections() const { return connections_.load(std::memory_order_relaxed); }

 private:
  // Said nothing yet. Shared by what waits for its first byte and what waits for that no longer: it
  // is over when the first of them has come.
  struct Waiting {
    Waiting(tcp::socket s, asio::io_context& context) : socket(std::move(s)), patience(context) {}
    tcp::socket socket;
    asio::steady_timer patience;
    bool over = false;
    std::list<std::shared_ptr<Waiting>>::iterator place;
  };

  void Take(tcp::socket socket) {
    if (full()) CountNow();
    if (full()) {
      const std::string why =
          absl::StrCat("there are ", options_.connections_max, " connections already");
      if (waiting_.empty()) {
        options_.refusals->Tell(net::Refusals::Reason::kCrowded, net::CallerOf(socket), why);
        return;
      }
      // Who speaks at once is not kept out by those who do not.
      Dismiss(waiting_.front().get(), net::Refusals::Reason::kCrowded, why);
    }
    const auto waiting = std::make_shared<Waiting>(std::move(socket), context_);
    waiting->place = waiting_.insert(waiting_.end(), waiting);
    waiting->patience.expires_after(options_.patience);
    waiting->patience.async_wait([this, waiting](const Error& error) {
      if (error || waiting->over) return;
      Dismiss(waiting.get(), net::Refusals::Reason::kSilent, "it has not said anything");
    });
    waiting->socket.async_wait(tcp::socket::wait_read, [this, waiting](const Error& error) {
      if (error == asio::error::operation_aborted || waiting->over) return;
      Look(waiting.get());
    });
  }

  void Dismiss(Waiting* waiting, net::Refusals::Reason reason, std::string_view why) {
    options_.refusals->Tell(reason, net::CallerOf(waiting->socket), why);
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
      Dismiss(waiting, net::Refusals::Reason::kPlaintext,
              "it does not speak TLS, and this port does");
    } else if (options_.tls == nullptr && first == kTlsHandshake) {
      Dismiss(waiting, net::Refusals::Reason::kTls, "it speaks TLS, and this port does not");
    } else {
      HandOver(waiting);
    }
  }

  void HandOver(Waiting* waiting) {
    const std::string caller = net::CallerOf(waiting->socket);
    Error error;
    waiting->socket.set_option(tcp::no_delay(true), error);
    waiting->socket.native_non_blocking(true, error);
    const int fd = waiting->socket.release(error);
    End(waiting);
    if (error) return;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    open_.Add(fd);
    const size_t door = options_.tls == nullptr ? 0 : options_.tls->handshakes()->Begin(fd, caller);
    Door::NewConnectionParameters parameters;
    parameters.fd = fd;
    doors_.at(door)->HandleNewConnection(&parameters);
  }

  bool full() const { return open_.size() + waiting_.size() >= options_.connections_max; }

  // While it is full, strangers must not make it look at all descriptors again and again.
  void CountNow() {
    const base::Instant now = options_.now();
    if (now - counted_ < kCountPause) return;
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
  std::unique_ptr<net::Listener> listener_;
  std::list<std::shared_ptr<Waiting>> waiting_;  // the oldest first
  OpenConnections open_;
  base::Instant counted_;
  std::vector<std::unique_ptr<Door>> doors_;  // as ServerTls has credentials
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

void Acceptor::AddTo(grpc::ServerBuilder* builder) { core_->AddTo(builder); }

void Acceptor::Start() { core_->Start(); }

void Acceptor::Stop() { core_->Stop(); }

int Acceptor::port() const { return core_->port(); }

size_t Acceptor::connections() const { return core_->connections(); }

}  // namespace pando::transport
