// Refusal: why a chain of certificates does not hold, as text.
#ifndef PANDO_TLS_REFUSAL_H_
#define PANDO_TLS_REFUSAL_H_

#include <string>

#include "tls/openssl.h"

namespace pando::tls {

// Of a chain from `leaf` that X509_verify_cert has found not to hold: whose certificate, and why.
std::string WhatIsWrong(X509_STORE_CTX* context, const X509* leaf);

}  // namespace pando::tls

#endif  // PANDO_TLS_REFUSAL_H_
