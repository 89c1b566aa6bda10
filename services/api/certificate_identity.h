// CertificateIdentity: who a caller is by its TLS certificate.
#ifndef PANDO_API_CERTIFICATE_IDENTITY_H_
#define PANDO_API_CERTIFICATE_IDENTITY_H_

#include <grpcpp/security/auth_context.h>

#include <optional>

#include "model/acl.h"

namespace pando::api {

// {"x509", the certificate's subject}, as ZooKeeper's scheme x509 has it: the distinguished name as
// RFC 2253 writes it, "CN=alice,O=Example". None: the caller showed no certificate, or one whose
// subject is empty or longer than kIdentityBytesMax.
//
// Not as there: an attribute that RFC 2253 has no short name for, such as emailAddress, has
// OpenSSL's name here and a number in Java.
std::optional<model::Identity> CertificateIdentity(const grpc::AuthContext& context);

}  // namespace pando::api

#endif  // PANDO_API_CERTIFICATE_IDENTITY_H_
