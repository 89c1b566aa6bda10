// The hash of a digest, as ZooKeeper has it, so that ACLs move over from there.
#ifndef PANDO_ACL_DIGEST_H_
#define PANDO_ACL_DIGEST_H_

#include <string>
#include <string_view>

namespace pando::acl {

// "user:base64(sha1(user:password))" of "user:password": what an ACL names. Without a
// colon all of it is the user, as in ZooKeeper.
std::string DigestOf(std::string_view credential);

// What stands for a secret token, such as a session's: 32 bytes.
std::string Sha256(std::string_view token);

}  // namespace pando::acl

#endif  // PANDO_ACL_DIGEST_H_
