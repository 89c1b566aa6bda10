#include "tls/server_context.h"

#include <vector>

#include "base/check.h"
#include "tls/refusal.h"

namespace pando::tls {
namespace {

void FreeText(void*, void* text, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(text);
}

// Where a connection keeps the text of RefusalOf. What OpenSSL keeps by itself is a number, and the
// certificate is gone when the handshake has failed.
int RefusalIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &FreeText);
  return index;
}

int Judge(X509_STORE_CTX* context, void*) {
  if (X509_verify_cert(context) == 1) return 1;
  auto* connection =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* refusal = new std::string(WhatIsWrong(context, X509_STORE_CTX_get0_cert(context)));
  CHECK(SSL_set_ex_data(connection, RefusalIndex(), refusal) == 1);
  return 0;
}

void Show(const Material& material, SSL_CTX* context) {
  const auto certificates = ReadCertificates(material.certificate_pem);
  const auto key = ReadPrivateKey(material.key_pem);
  CHECK(certificates.ok());
  CHECK(key.ok());
  CHECK(SSL_CTX_use_certificate(context, certificates->front().get()) == 1);
  CHECK(SSL_CTX_use_PrivateKey(context, key->get()) == 1);
  for (size_t i = 1; i < certificates->size(); ++i) {
    CHECK(SSL_CTX_add1_chain_cert(context, (*certificates)[i].get()) == 1);
  }
}

}  // namespace

Context MakeServerContext(const Material& material) {
  Context context(SSL_CTX_new(TLS_server_method()));
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  // A connection that says nothing keeps no buffers.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  CHECK(SSL_CTX_set_num_tickets(context.get(), 0) == 1);
  Show(material, context.get());
  if (material.ca_pem.empty()) return context;
  const auto trust = ReadTrust(material.ca_pem);
  CHECK(trust.ok());
  SSL_CTX_set1_cert_store(context.get(), trust->get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), &Judge, nullptr);
  return context;
}

std::string RefusalOf(const SSL* connection) {
  const auto* text = static_cast<const std::string*>(SSL_get_ex_data(connection, RefusalIndex()));
  return text == nullptr ? "" : *text;
}

std::optional<std::string> SubjectOf(const SSL* connection) {
  const X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) return std::nullopt;
  return Describe(certificate).subject;
}

}  // namespace pando::tls
