#include "cli/tls/diagnosis.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <asio.hpp>
#include <csignal>
#include <ctime>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/host_port.h"
#include "tls/certificate.h"
#include "tls/openssl.h"

namespace pando::cli {
namespace {

using asio::ip::tcp;
using Ssl = std::unique_ptr<SSL, tls::Freed<SSL_free>>;

// What HTTP/2 begins with, and an empty SETTINGS: a server that takes us answers it.
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
constexpr unsigned char kAlpn[] = {2, 'h', '2'};

// A socket whose every call gives up after `patience`; not open if nobody is there.
tcp::socket Dial(asio::io_context* context, const base::HostPort& to,
                 std::chrono::milliseconds patience) {
  asio::error_code error;
  const auto found = tcp::resolver(*context).resolve(to.host, to.port, error);
  if (error) return tcp::socket(*context);
  for (const auto& entry : found) {
    tcp::socket socket(*context);
    socket.open(entry.endpoint().protocol(), error);
    if (error) continue;
    const timeval limit{.tv_sec = patience.count() / 1000,
                        .tv_usec = patience.count() % 1000 * 1000};
    // Linux's connect keeps to the limit of sends.
    setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    socket.connect(entry.endpoint(), error);
    if (!error) return socket;
  }
  return tcp::socket(*context);
}

// A server that has gone away is an error of SSL_write here, and no signal that ends the program.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoPipeSignal() {
    const timespec now{};
    while (sigtimedwait(&pipe_, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

class Diagnosis {
 public:
  Diagnosis(const std::string& endpoint, const TlsOptions& options)
      : endpoint_(endpoint), to_(base::SplitHostPort(endpoint)), options_(options) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    CHECK(context_ != nullptr);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_cert_cb(
        context_.get(),
        [](SSL*, void* asked) {
          *static_cast<bool*>(asked) = true;
          return 1;
        },
        &asked_for_certificate_);
    ssl_.reset(SSL_new(context_.get()));
    CHECK(ssl_ != nullptr);
    CHECK(SSL_set_alpn_protos(ssl_.get(), kAlpn, sizeof kAlpn) == 0);
  }

  std::string Run(std::chrono::milliseconds patience) {
    asio::io_context io;
    tcp::socket socket = Dial(&io, to_, patience);
    if (!socket.is_open()) return {};
    SSL_set_fd(ssl_.get(), socket.native_handle());
    return options_.on() ? WithTls() : WithoutTls();
  }

 private:
  const std::string& name() const {
    return options_.server_name.empty() ? to_.host : options_.server_name;
  }

  // We do not speak TLS. Does the server?
  std::string WithoutTls() {
    SSL_set_verify(ssl_.get(), SSL_VERIFY_NONE, nullptr);
    const bool shaken = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
    if (!shaken) return {};
    return absl::StrCat(endpoint_, " speaks TLS: say with --tls-ca whom to trust");
  }

  std::string WithTls() {
    const absl::StatusOr<tls::Material> material = tls::Load(options_.files);
    if (!material.ok()) return std::string(material.status().message());
    tls::Use(*material, ssl_.get());
    if (options_.files.ca.empty()) SSL_CTX_set_default_verify_paths(context_.get());
    // The handshake goes on whatever is found, so that all of it can be told.
    SSL_set_verify(ssl_.get(), SSL_VERIFY_NONE, nullptr);
    X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl_.get());
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, name().c_str()) != 1) {
      SSL_set1_host(ssl_.get(), name().c_str());
      SSL_set_tlsext_host_name(ssl_.get(), name().c_str());
    }
    ERR_clear_error();
    const int shaken = SSL_connect(ssl_.get());
    if (shaken != 1) return WhyNoHandshake(shaken);
    const long verified = SSL_get_verify_result(ssl_.get());
    return verified == X509_V_OK ? WhyTurnedAway(*material) : WhyNotTrusted(verified);
  }

  std::string WhyNoHandshake(int result) {
    const int kind = SSL_get_error(ssl_.get(), result);
    const unsigned long code = ERR_peek_error();
    const std::string error = tls::TakeError();
    const bool silent = kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
    if (silent) return {};
    const bool said_nothing = BIO_number_read(SSL_get_rbio(ssl_.get())) == 0;
    if (said_nothing || ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
      return absl::StrCat(endpoint_,
                          " does not speak TLS: leave out the --tls options (and "
                          "PANDO_TLS variables), or give the server a --tls-cert");
    }
    return absl::StrCat(endpoint_, ": the TLS handshake has failed: ", error);
  }

  std::string WhyNotTrusted(long verified) {
    const tls::X509Certificate shown(SSL_get1_peer_certificate(ssl_.get()));
    CHECK(shown != nullptr);
    const tls::Certificate certificate = tls::Describe(shown.get());
    const std::string whose = absl::StrCat(endpoint_, ": the server's certificate ");
    if (tls::IsOfUnknownIssuer(verified)) {
      return absl::StrCat(whose, "is signed by \"", certificate.issuer, "\", which is no CA of ",
                          options_.files.ca.empty() ? "this system: say with --tls-ca whom to trust"
                                                    : options_.files.ca);
    }
    switch (verified) {
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return absl::StrCat(whose, "has expired at ", tls::TimeText(certificate.ends));
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return absl::StrCat(whose, "is not valid before ", tls::TimeText(certificate.begins));
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return absl::StrCat(whose, "is for ", absl::StrJoin(certificate.names, ", "), ", not for ",
                            name(), ": another address, or --tls-server-name");
      default:
        return absl::StrCat(whose, "is not good: ", X509_verify_cert_error_string(verified));
    }
  }

  // The handshake was good for us. A server that does not like us ends the connection now.
  std::string WhyTurnedAway(const tls::Material& material) {
    std::array<char, 16> answer{};
    SSL_write(ssl_.get(), kPreface, sizeof kPreface - 1);
    const int got = SSL_read(ssl_.get(), answer.data(), answer.size());
    const int kind = SSL_get_error(ssl_.get(), got);
    const std::string error = tls::TakeError();
    if (got > 0 || kind == SSL_ERROR_WANT_READ || !asked_for_certificate_) return {};
    if (material.certificate_pem.empty()) {
      return absl::StrCat(endpoint_,
                          " demands a client certificate: give --tls-cert and --tls-key");
    }
    const base::WallTime now{std::chrono::duration_cast<std::chrono::milliseconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count()};
    const tls::Certificate& own = material.own;
    const std::string until =
        absl::StrCat(own.ends < now ? "has expired at " : "valid until ", tls::TimeText(own.ends));
    return absl::StrCat(endpoint_, " does not take the client certificate ",
                        options_.files.certificate, " (of \"", own.subject, "\", signed by \"",
                        own.issuer, "\", ", until, "): the server's log says why");
  }

  const std::string& endpoint_;
  const base::HostPort to_;
  const TlsOptions& options_;
  bool asked_for_certificate_ = false;
  tls::Context context_;
  Ssl ssl_;
};

}  // namespace

std::string DiagnoseTls(const std::string& endpoint, const TlsOptions& options,
                        std::chrono::milliseconds patience) {
  const NoPipeSignal no_signal;
  return Diagnosis(endpoint, options).Run(patience);
}

}  // namespace pando::cli
