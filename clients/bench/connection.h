// Connection: a TCP connection to a server, and the Wire that says what goes over it. When it
// breaks, or makes no sense, the whole load fails: a measurement with fewer clients than it says is
// none.
#ifndef PANDO_CLIENTS_BENCH_CONNECTION_H_
#define PANDO_CLIENTS_BENCH_CONNECTION_H_

#include <asio.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bench/loop.h"
#include "bench/wire.h"

namespace pando::load {

class Connection : private Wire::Listener {
 public:
  using MakeWire = std::function<std::unique_ptr<Wire>(Wire::Listener*)>;

  // `loop` outlives it. `server` is for people.
  Connection(Loop* loop, asio::ip::tcp::endpoint endpoint, std::string server,
             const MakeWire& make_wire);

  // Who hears what comes of it from now on; it outlives the connection, or is replaced before.
  void set_listener(Wire::Listener* listener) { listener_ = listener; }

  void Connect();
  void Ask(const Operation& operation, Tag tag) { wire_->Ask(operation, tag); }
  // Sends what was asked. The connection does so itself after each time that its listener has heard
  // something.
  void Flush();
  // To be called every few seconds.
  void Beat();

 private:
  void OnReady() override { listener_->OnReady(); }
  void OnAnswer(Tag tag, Outcome outcome, std::string_view why) override {
    listener_->OnAnswer(tag, outcome, why);
  }
  void OnEvents(Tag tag, size_t count) override { listener_->OnEvents(tag, count); }

  void AwaitBytes();
  void ReadBytes();
  void Fail(std::string_view what);

  Loop* const loop_;
  const asio::ip::tcp::endpoint endpoint_;
  const std::string server_;
  const std::unique_ptr<Wire> wire_;
  Wire::Listener* listener_ = nullptr;
  asio::ip::tcp::socket socket_;
  bool connected_ = false;
  std::string out_;
  bool blocked_ = false;  // the socket takes no more for now
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_CONNECTION_H_
