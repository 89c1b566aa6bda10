// TlsSocket: a Socket under TLS.
//
//   connected ──► first byte ──► handshake ──► input and output
//                     └── no TLS ───┴──► refused ──► what comes is thrown away, until it ends
//
// Over OpenSSL itself: Asio's stream keeps some 70 KB for each connection that says nothing, this
// one as good as none.
#ifndef PANDO_ZOOKEEPER_TLS_SOCKET_H_
#define PANDO_ZOOKEEPER_TLS_SOCKET_H_

#include <asio.hpp>
#include <functional>
#include <memory>

#include "tls/material.h"
#include "tls/openssl.h"
#include "zookeeper/socket.h"

namespace pando::zookeeper {

// Makes them with the certificates of the moment. One thread's.
class TlsSockets {
 public:
  using Source = std::function<std::shared_ptr<const tls::Material>()>;
  explicit TlsSockets(Source current) : current_(std::move(current)) {}

  std::unique_ptr<Socket> Make(asio::ip::tcp::socket socket);

 private:
  const Source current_;
  std::shared_ptr<const tls::Material> material_;  // that context_ is made of
  tls::Context context_;
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_TLS_SOCKET_H_
