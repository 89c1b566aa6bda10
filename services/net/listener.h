// Listener: a port that takes TCP connections, on somebody's io_context.
#ifndef PANDO_NET_LISTENER_H_
#define PANDO_NET_LISTENER_H_

#include <asio.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "base/time.h"

namespace pando::net {

// "10.0.0.1:4711", "[::1]:4711"; empty if the socket has no peer any more.
std::string CallerOf(const asio::ip::tcp::socket& socket);

class Listener {
 public:
  struct Options {
    std::string address;  // HOST:PORT; port 0: any
    std::string port;     // its name in the log: "client"
    std::function<base::Instant()> now;
  };

  // Listens; nobody is accepted yet. `context` outlives it. UNAVAILABLE names the address and why
  // not.
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(asio::io_context* context,
                                                          Options options);

  // Each connection goes to `on_connection`, on the thread that runs the context. Called once.
  void Start(std::function<void(asio::ip::tcp::socket)> on_connection);

  // Where it listens.
  int port() const { return port_; }

 private:
  struct Place {
    explicit Place(asio::io_context& context) : acceptor(context), pause(context) {}
    asio::ip::tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  Listener(asio::io_context* context, Options options)
      : options_(std::move(options)), context_(context) {}
  absl::Status ListenOnAll();
  bool ListenOn(const asio::ip::tcp::endpoint& endpoint, asio::error_code* error);
  void Accept(Place* place);
  void Pause(Place* place, const asio::error_code& failed);

  const Options options_;
  asio::io_context* const context_;
  std::list<Place> places_;
  std::function<void(asio::ip::tcp::socket)> on_connection_;
  base::LogLimit failed_limit_{std::chrono::seconds(1)};
  int port_ = 0;
};

}  // namespace pando::net

#endif  // PANDO_NET_LISTENER_H_
