#include "admin/https.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::admin {
namespace {

std::string CallerOf(const SSL* connection) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (getpeername(SSL_get_fd(connection), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return "not known";
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return absl::StrCat("[", text.data(), "]:", ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  return absl::StrCat(text.data(), ":", ntohs(v4.sin_port));
}

// At the beginning of each handshake: so nothing but this says which certificate is shown.
int UseCurrent(SSL* connection, void* options) {
  const auto material = static_cast<const HttpServer::Options*>(options)->tls();
  tls::Use(*material, connection);
  if (!material->ca_pem.empty()) {
    SSL_set_verify(connection, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return 1;
}

// cpp-httplib tells nobody of a handshake that failed.
void Watch(const SSL* connection, int where, int result) {
  // Without an error in the queue it goes on, or the caller has hung up.
  const unsigned long code = ERR_peek_error();
  if (where != SSL_CB_ACCEPT_EXIT || result > 0 || code == 0) return;
  const auto* options =
      static_cast<const HttpServer::Options*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  if (!options->on_refused) return;
  const long verified = SSL_get_verify_result(connection);
  const char* why = verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                          : ERR_reason_error_string(code);
  options->on_refused(CallerOf(connection), why != nullptr ? why : "not known");
}

}  // namespace

std::unique_ptr<httplib::Server> MakeHttps(const HttpServer::Options& options) {
  CHECK(options.tls != nullptr);
  return std::make_unique<httplib::SSLServer>([&options](SSL_CTX& context) {
    void* const shared = const_cast<HttpServer::Options*>(&options);
    SSL_CTX_set_app_data(&context, shared);
    SSL_CTX_set_cert_cb(&context, &UseCurrent, shared);
    SSL_CTX_set_info_callback(&context, &Watch);
    return SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1;
  });
}

}  // namespace pando::admin
