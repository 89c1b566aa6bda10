// ACLs as people write them, which is as ZooKeeper's tools do:
//
//   SCHEME:ID:PERMISSIONS    digest:ann:7aBcD…=:rw   world:anyone:r   ip:10.0.0.0/8:cdrwa
//   auth::cdrwa
//
// with c, d, r, w, a for CREATE, DELETE, READ, WRITE, ADMIN.
#ifndef PANDO_CLIENTS_CLI_ACL_TEXT_H_
#define PANDO_CLIENTS_CLI_ACL_TEXT_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/acl.h"
#include "pando/v1/common.pb.h"

namespace pando::cli {

using AclEntries = google::protobuf::RepeatedPtrField<v1::AclEntry>;

absl::StatusOr<model::AclEntry> ParseAclEntry(std::string_view text);
std::string AclEntryText(const model::AclEntry& entry);
// Entries separated by blanks.
std::string AclText(const model::Acl& acl);

model::Identity ToModel(const v1::Identity& identity);
model::Acl ToModel(const AclEntries& entries);
void ToProto(const model::Acl& acl, AclEntries* out);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_ACL_TEXT_H_
