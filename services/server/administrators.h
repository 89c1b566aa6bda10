// Who may administer the ensemble, as flags say it.
#ifndef PANDO_SERVER_ADMINISTRATORS_H_
#define PANDO_SERVER_ADMINISTRATORS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/acl.h"

namespace pando::server {

// "SCHEME:ID;SCHEME:ID…" (semicolons: a certificate's subject has commas): an ACL that grants ADMIN
// to each of them.
absl::StatusOr<model::Acl> ParseAdministrators(std::string_view text);

// "USER:HASH", as an ACL would name the digest.
absl::StatusOr<std::string> ParseSuperDigest(std::string_view text);

}  // namespace pando::server

#endif  // PANDO_SERVER_ADMINISTRATORS_H_
