// ServerContext: the server's end of TLS, 1.2 and newer, for a port that makes its connections from
// OpenSSL's.
#ifndef PANDO_TLS_SERVER_CONTEXT_H_
#define PANDO_TLS_SERVER_CONTEXT_H_

#include <memory>
#include <optional>
#include <string>

#include "tls/material.h"
#include "tls/openssl.h"

namespace pando::tls {

using Connection = std::unique_ptr<SSL, Freed<SSL_free>>;

// Shows the certificate of `material`. With a CA, whoever connects must show a certificate that
// leads to it and is good for a TLS client now; the handshake fails otherwise, with the alert that
// says why. No session is resumed: a client is judged anew each time it comes, by the CAs of that
// time. REQUIRES: `material` came from Load, and has a certificate.
Context MakeServerContext(const Material& material);

// Of a connection of such a context whose handshake has failed: whose certificate was refused and
// why; empty if it was not for that.
std::string RefusalOf(const SSL* connection);
// Of one that is shaken: the subject of the client's certificate, as Certificate has it; none, if
// it showed none.
std::optional<std::string> SubjectOf(const SSL* connection);

}  // namespace pando::tls

#endif  // PANDO_TLS_SERVER_CONTEXT_H_
