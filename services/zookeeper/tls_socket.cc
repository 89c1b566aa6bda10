#include "zookeeper/tls_socket.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "base/check.h"
#include "tls/server_context.h"

namespace pando::zookeeper {
namespace {

using asio::ip::tcp;
using Error = asio::error_code;
using Reason = net::Refusals::Reason;

// A record of TLS: what one read can give.
constexpr size_t kReadBytes = size_t{16} << 10;
// The first byte of a record that carries a handshake (RFC 8446, 5.1).
constexpr unsigned char kHandshakeRecord = 0x16;

class TlsSocket : public Socket {
 public:
  TlsSocket(tcp::socket socket, SSL_CTX* context)
      : state_(std::make_shared<State>(std::move(socket), context)) {}
  ~TlsSocket() override { Close(); }

  void Start(Events events) override {
    state_->events = std::move(events);
    state_->reading = true;
    state_->WhenReady(tcp::socket::wait_read, &State::Look);
  }
  std::string* input() override { return &state_->input; }
  bool reading() const override { return state_->reading; }
  bool writing() const override { return state_->writing; }

  void Read() override {
    CHECK(!state_->reading);
    if (state_->closed) return;
    state_->reading = true;
    DropSpare(&state_->input);
    state_->ReadOn();
  }
  void Write(std::string* bytes) override {
    CHECK(!state_->writing);
    if (state_->closed || bytes->empty()) return;
    state_->writing = true;
    state_->output.swap(*bytes);
    state_->written = 0;
    state_->Soon(&State::WriteSome);
  }
  void Close() override { state_->Close(); }

 private:
  // What the handlers of the socket share with it: they may outlive it.
  struct State : std::enable_shared_from_this<State> {
    using Step = void (State::*)();

    State(tcp::socket s, SSL_CTX* context) : socket(std::move(s)), connection(SSL_new(context)) {
      CHECK(connection != nullptr);
      Error ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      socket.native_non_blocking(true, ignored);
      CHECK(SSL_set_fd(connection.get(), socket.native_handle()) == 1);
      SSL_set_accept_state(connection.get());
    }

    // --- Steps, each a turn of the io_context ---------------------------------------------------

    // Not read, but looked at: OpenSSL reads all of it.
    void Look() {
      unsigned char first = 0;
      const ssize_t got = recv(socket.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
      if (got <= 0) return Ended({});  // it asked for nothing
      if (first != kHandshakeRecord) {
        return Refuse(Reason::kPlaintext, "it does not speak TLS, and this port does");
      }
      Shake();
    }

    void Shake() {
      ERR_clear_error();
      const int result = SSL_do_handshake(connection.get());
      if (result == 1) {
        shaken = true;
        if (const auto subject = tls::SubjectOf(connection.get())) events.on_certificate(*subject);
        return ReadOn();
      }
      if (Again(result, &State::Shake)) return;
      const bool nothing_shown =
          ERR_GET_REASON(ERR_peek_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
      const std::string error = tls::TakeError();
      const std::string refusal = tls::RefusalOf(connection.get());
      if (!refusal.empty()) return Refuse(Reason::kCertificate, refusal);
      if (nothing_shown) {
        return Refuse(Reason::kNoCertificate,
                      "it shows no certificate, and this port demands one of a trusted CA");
      }
      Refuse(Reason::kHandshake, error.empty() ? "it has ended the handshake" : error);
    }

    void ReadSome() {
      // Not into `input`: a client that says nothing keeps nothing.
      std::array<char, kReadBytes> bytes;
      ERR_clear_error();
      const int result = SSL_read(connection.get(), bytes.data(), bytes.size());
      if (result > 0) {
        input.append(bytes.data(), static_cast<size_t>(result));
        reading = false;
        return events.on_input();
      }
      if (!Again(result, &State::ReadSome)) Broken(result);
    }

    void WriteSome() {
      while (written < output.size()) {
        ERR_clear_error();
        const int result = SSL_write(connection.get(), output.data() + written,
                                     static_cast<int>(output.size() - written));
        if (result > 0) {
          written += static_cast<size_t>(result);
          continue;
        }
        if (!Again(result, &State::WriteSome)) Broken(result);
        return;
      }
      writing = false;
      output.clear();
      DropSpare(&output);
      events.on_written();
    }

    // With what it has sent unread, the kernel would tell it that the connection was reset, and it
    // might never read why.
    void ThrowAway() {
      std::array<char, 4096> bytes;
      const ssize_t got = recv(socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN)) return Ended({});
      WhenReady(tcp::socket::wait_read, &State::ThrowAway);
    }

    // --- Between them ---------------------------------------------------------------------------

    // What OpenSSL has taken off the socket already makes the socket ready no more.
    void ReadOn() {
      if (SSL_has_pending(connection.get()) == 1) return Soon(&State::ReadSome);
      WhenReady(tcp::socket::wait_read, &State::ReadSome);
    }

    void WhenReady(tcp::socket::wait_type what, Step step) {
      socket.async_wait(what, [self = shared_from_this(), step](const Error& error) {
        if (self->closed) return;
        if (error) return self->Ended(error.message());
        (self.get()->*step)();
      });
    }

    void Soon(Step step) {
      asio::post(socket.get_executor(), [self = shared_from_this(), step] {
        if (!self->closed) (self.get()->*step)();
      });
    }

    // True: it can go on later, and will.
    bool Again(int result, Step step) {
      const int error = SSL_get_error(connection.get(), result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
      WhenReady(error == SSL_ERROR_WANT_READ ? tcp::socket::wait_read : tcp::socket::wait_write,
                step);
      return true;
    }

    void Refuse(Reason reason, const std::string& why) {
      events.on_refused(reason, why);
      if (closed) return;
      Error ignored;
      socket.shutdown(tcp::socket::shutdown_send, ignored);
      ThrowAway();
    }

    void Broken(int result) {
      const int error = SSL_get_error(connection.get(), result);
      broken = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
      const bool hung_up = error != SSL_ERROR_SSL ||
                           ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      const std::string why = tls::TakeError();
      Ended(hung_up ? std::string() : why);
    }

    void Ended(std::string why) {
      if (!std::exchange(ended, true)) events.on_end(std::move(why));
    }

    void Close() {
      if (std::exchange(closed, true)) return;
      // Said without waiting for it to be heard: so the client knows that nothing was cut off.
      ERR_clear_error();
      if (shaken && !broken && !writing) SSL_shutdown(connection.get());
      ERR_clear_error();
      Error ignored;
      socket.shutdown(tcp::socket::shutdown_both, ignored);
      socket.close(ignored);
    }

    tcp::socket socket;
    const tls::Connection connection;
    Events events;
    std::string input;
    std::string output;
    size_t written = 0;  // of it
    bool shaken = false;
    bool broken = false;  // OpenSSL must not be called any more
    bool reading = false;
    bool writing = false;
    bool ended = false;
    bool closed = false;
  };

  const std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Socket> TlsSockets::Make(tcp::socket socket) {
  std::shared_ptr<const tls::Material> current = current_();
  if (current != material_) {
    context_ = tls::MakeServerContext(*current);
    material_ = std::move(current);
  }
  return std::make_unique<TlsSocket>(std::move(socket), context_.get());
}

}  // namespace pando::zookeeper
