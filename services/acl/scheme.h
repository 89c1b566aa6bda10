// Schemes: who an entry of an ACL can name, as ZooKeeper has them.
//
//   world:anyone               everybody
//   digest:user:HASH           whoever shows user:password; HASH is base64(sha1(user:password))
//   ip:ADDRESS or ADDRESS/BITS whoever comes from there, IPv4 or IPv6
//   x509:SUBJECT               whoever shows a client certificate of that subject
//   auth:                      in a request only: everybody that the caller has authenticated as
#ifndef PANDO_ACL_SCHEME_H_
#define PANDO_ACL_SCHEME_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/acl.h"
#include "model/reply.h"

namespace pando::acl {

inline const model::Identity kAnyone = {"world", "anyone"};
inline constexpr char kAuthScheme[] = "auth";
inline constexpr char kDigestScheme[] = "digest";
inline constexpr char kIpScheme[] = "ip";
inline constexpr char kX509Scheme[] = "x509";

// The ACL that a node gets when `asked` is asked for by somebody with `identities`: repeats
// dropped, then auth replaced. INVALID_ACL if it is none that a node can have. Any permissions will
// do, as in ZooKeeper: none at all, and bits that mean nothing.
[[nodiscard]] model::Error Resolve(const model::Acl& asked,
                                   const std::vector<model::Identity>& identities, model::Acl* out);

// Of the subject of a client's certificate, as RFC 2253 writes it; none: it is empty, or longer
// than kIdentityBytesMax.
std::optional<model::Identity> IdentityOfSubject(std::string subject);

// Whether `address` is in `range`, ADDRESS or ADDRESS/BITS; false if either is malformed.
bool AddressIsWithin(std::string_view address, std::string_view range);
bool IsAddressRange(std::string_view range);

}  // namespace pando::acl

#endif  // PANDO_ACL_SCHEME_H_
