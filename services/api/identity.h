// Identity: who is calling, from the call's metadata and its connection.
//
//   pando-auth: digest:user:password      repeatable
//   pando-session-token-bin: 16 bytes     with a call that names a session
#ifndef PANDO_API_IDENTITY_H_
#define PANDO_API_IDENTITY_H_

#include <grpcpp/server_context.h>

#include <string>
#include <string_view>
#include <vector>

#include "model/acl.h"
#include "model/reply.h"

namespace pando::api {

// {"world", "anyone"}, {"ip", the peer's address}, one for each pando-auth, and {"super", ""} if
// one of those is the digest `super_digest`, "user:hash". A credential that is not understood is
// UNAUTHENTICATED: whoever shows one does not want to act without it.
[[nodiscard]] model::Error IdentitiesOf(const grpc::CallbackServerContext& context,
                                        std::string_view super_digest,
                                        std::vector<model::Identity>* out);

// Of one credential, "scheme:credential".
[[nodiscard]] model::Error ParseCredential(std::string_view text, model::Identity* out);

// "ipv4:10.0.0.1:4711" -> "10.0.0.1"; "ipv6:%5B::1%5D:4711" -> "::1"; empty for other transports.
std::string AddressOfPeer(std::string_view peer);

// SHA-256 of the call's session token; empty if it shows none.
std::string TokenHashOf(const grpc::CallbackServerContext& context);

}  // namespace pando::api

#endif  // PANDO_API_IDENTITY_H_
