#include "bench/connection.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pando::load {

using asio::ip::tcp;

Connection::Connection(Loop* loop, tcp::endpoint endpoint, std::string server,
                       const MakeWire& make_wire)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      server_(std::move(server)),
      wire_(make_wire(this)),
      socket_(loop->context()) {}

void Connection::Fail(std::string_view what) {
  loop_->Fail(absl::UnavailableError(absl::StrCat(server_, ": ", base::View(what))));
}

void Connection::Connect() {
  asio::error_code ignored;
  socket_.close(ignored);
  connected_ = false;
  blocked_ = false;
  out_.clear();
  socket_.async_connect(endpoint_, [this](const asio::error_code& error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return Fail(absl::StrCat("cannot connect: ", error.message()));
    connected_ = true;
    socket_.set_option(tcp::no_delay(true));
    socket_.non_blocking(true);
    wire_->Open();
    Flush();
    AwaitBytes();
  });
}

void Connection::Beat() {
  wire_->Beat();
  Flush();
}

void Connection::Flush() {
  if (wire_->state() == Wire::State::kWantsAnother) {
    if (connected_) Connect();
    return;
  }
  if (!connected_) return;
  wire_->Write(&out_);
  if (blocked_ || out_.empty()) return;
  asio::error_code error;
  out_.erase(0, socket_.write_some(asio::buffer(out_), error));
  if (error && error != asio::error::would_block) {
    // The server closes after the last word: not a failure then.
    if (wire_->state() == Wire::State::kOpen) Fail(absl::StrCat("broke: ", error.message()));
    return;
  }
  if (out_.empty()) return;
  blocked_ = true;
  socket_.async_wait(tcp::socket::wait_write, [this](const asio::error_code& failed) {
    if (failed) return;
    blocked_ = false;
    Flush();
  });
}

void Connection::AwaitBytes() {
  socket_.async_wait(tcp::socket::wait_read, [this](const asio::error_code& error) {
    if (!error) ReadBytes();
  });
}

void Connection::ReadBytes() {
  asio::error_code error;
  const size_t count = socket_.read_some(asio::buffer(loop_->buffer()), error);
  if (error && error != asio::error::would_block) {
    if (wire_->state() == Wire::State::kOpen) Fail(absl::StrCat("broke: ", error.message()));
    return;
  }
  const absl::Status read = wire_->Read({loop_->buffer().data(), count});
  if (!read.ok()) return Fail(std::string(read.message()));
  Flush();
  if (connected_) AwaitBytes();
}

}  // namespace pando::load
