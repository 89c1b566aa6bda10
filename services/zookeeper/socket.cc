#include "zookeeper/socket.h"

#include <cstddef>
#include <utility>

#include "base/check.h"

namespace pando::zookeeper {
namespace {

using asio::ip::tcp;
using Error = asio::error_code;

// For what comes next. Few of 10,000 connections are busy: only those get the larger one, and all
// of them hold the one that they wait with.
constexpr size_t kReadBytes = size_t{2} << 10;
constexpr size_t kBusyReadBytes = size_t{32} << 10;

class PlainSocket : public Socket {
 public:
  explicit PlainSocket(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {}
  ~PlainSocket() override { Close(); }

  void Start(Events events) override {
    state_->events = std::move(events);
    Read();
  }
  std::string* input() override { return &state_->input; }
  bool reading() const override { return state_->reading; }
  bool writing() const override { return state_->writing; }

  void Read() override {
    CHECK(!state_->reading);
    if (state_->closed) return;
    state_->reading = true;
    if (!state_->busy) DropSpare(&state_->input);
    const size_t had = state_->input.size();
    const size_t room = state_->busy ? kBusyReadBytes : kReadBytes;
    state_->input.resize(had + room);
    state_->socket.async_read_some(asio::buffer(state_->input.data() + had, room),
                                   [state = state_, had, room](const Error& error, size_t count) {
                                     state->reading = false;
                                     state->busy = count == room;
                                     state->input.resize(had + (error ? 0 : count));
                                     if (state->closed) return;
                                     if (error) return state->Ended(error);
                                     state->events.on_input();
                                   });
  }

  void Write(std::string* bytes) override {
    CHECK(!state_->writing);
    if (state_->closed || bytes->empty()) return;
    state_->writing = true;
    state_->output.swap(*bytes);
    asio::async_write(state_->socket, asio::buffer(state_->output),
                      [state = state_](const Error& error, size_t) {
                        state->writing = false;
                        state->output.clear();
                        DropSpare(&state->output);
                        if (state->closed) return;
                        if (error) return state->Ended(error);
                        state->events.on_written();
                      });
  }

  void Close() override {
    if (std::exchange(state_->closed, true)) return;
    Error ignored;
    state_->socket.shutdown(tcp::socket::shutdown_both, ignored);
    state_->socket.close(ignored);
  }

 private:
  // What the handlers of the socket share with it: they may outlive it.
  struct State {
    explicit State(tcp::socket s) : socket(std::move(s)) {}
    void Ended(const Error& error) {
      if (std::exchange(ended, true)) return;
      const bool by_client = error == asio::error::eof || error == asio::error::connection_reset ||
                             error == asio::error::broken_pipe;
      events.on_end(by_client ? std::string() : error.message());
    }

    tcp::socket socket;
    Events events;
    std::string input;
    std::string output;
    bool busy = false;  // what came last was all that there was room for
    bool reading = false;
    bool writing = false;
    bool ended = false;
    bool closed = false;
  };

  const std::shared_ptr<State> state_;
};

}  // namespace

void DropSpare(std::string* bytes) {
  if (bytes->empty() && bytes->capacity() > kSpareBytesMax) std::string().swap(*bytes);
}

std::unique_ptr<Socket> MakePlainSocket(tcp::socket socket) {
  Error ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  return std::make_unique<PlainSocket>(std::move(socket));
}

}  // namespace pando::zookeeper
