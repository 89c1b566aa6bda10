#include "zookeeper/socket.h"

#include <cstddef>
#include <utility>

#include "base/check.h"

namespace pando::zookeeper {
namespace {

using Error = asio::error_code;

constexpr size_t kReadBytes = size_t{16} << 10;

// What the handlers of a stream share with it: they may outlive it.
template <class Stream>
class SocketOver : public Socket {
 public:
  explicit SocketOver(Stream stream) : state_(std::make_shared<State>(std::move(stream))) {}
  ~SocketOver() override { Close(); }

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
    const size_t had = state_->input.size();
    state_->input.resize(had + kReadBytes);
    state_->stream.async_read_some(asio::buffer(state_->input.data() + had, kReadBytes),
                                   [state = state_, had](const Error& error, size_t count) {
                                     state->reading = false;
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
    state_->output.clear();
    state_->output.swap(*bytes);
    asio::async_write(state_->stream, asio::buffer(state_->output),
                      [state = state_](const Error& error, size_t) {
                        state->writing = false;
                        if (state->closed) return;
                        if (error) return state->Ended(error);
                        state->events.on_written();
                      });
  }

  void Close() override {
    if (std::exchange(state_->closed, true)) return;
    Error ignored;
    state_->stream.lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    state_->stream.lowest_layer().close(ignored);
  }

 private:
  struct State {
    explicit State(Stream s) : stream(std::move(s)) {}
    void Ended(const Error& error) {
      if (std::exchange(ended, true)) return;
      const bool by_client = error == asio::error::eof || error == asio::error::connection_reset ||
                             error == asio::error::broken_pipe;
      events.on_end(by_client ? std::string() : error.message());
    }

    Stream stream;
    Events events;
    std::string input;
    std::string output;
    bool reading = false;
    bool writing = false;
    bool ended = false;
    bool closed = false;
  };

  const std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Socket> MakePlainSocket(asio::ip::tcp::socket socket) {
  Error ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  return std::make_unique<SocketOver<asio::ip::tcp::socket>>(std::move(socket));
}

}  // namespace pando::zookeeper
