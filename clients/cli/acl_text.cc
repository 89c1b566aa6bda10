#include "cli/acl_text.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace pando::cli {
namespace {

constexpr std::pair<char, uint32_t> kLetters[] = {{'c', model::kCreate},
                                                  {'d', model::kDelete},
                                                  {'r', model::kRead},
                                                  {'w', model::kWrite},
                                                  {'a', model::kAdmin}};

uint32_t PermissionOf(char letter) {
  for (const auto& [of, permission] : kLetters) {
    if (of == letter) return permission;
  }
  return 0;
}

}  // namespace

absl::StatusOr<model::AclEntry> ParseAclEntry(std::string_view text) {
  const size_t first = text.find(':');
  const size_t last = text.rfind(':');
  const auto wrong = [text](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", base::View(text), "' is no entry of an ACL: ", base::View(why)));
  };
  if (first == last) return wrong("those are SCHEME:ID:PERMISSIONS, like world:anyone:r");
  model::AclEntry entry;
  entry.identity.scheme = text.substr(0, first);
  entry.identity.id = text.substr(first + 1, last - first - 1);
  for (const char letter : text.substr(last + 1)) {
    const uint32_t permission = PermissionOf(letter);
    if (permission == 0) return wrong("permissions are letters of cdrwa");
    entry.permissions |= permission;
  }
  if (entry.permissions == 0) return wrong("it gives no permission; those are letters of cdrwa");
  return entry;
}

std::string AclEntryText(const model::AclEntry& entry) {
  std::string text = absl::StrCat(entry.identity.scheme, ":", entry.identity.id, ":");
  for (const auto& [letter, permission] : kLetters) {
    if ((entry.permissions & permission) != 0) text += letter;
  }
  return text;
}

std::string AclText(const model::Acl& acl) {
  return absl::StrJoin(acl, " ", [](std::string* out, const model::AclEntry& entry) {
    out->append(AclEntryText(entry));
  });
}

model::Identity ToModel(const v1::Identity& identity) { return {identity.scheme(), identity.id()}; }

model::Acl ToModel(const AclEntries& entries) {
  model::Acl acl;
  for (const v1::AclEntry& entry : entries) {
    acl.push_back({entry.permissions(), ToModel(entry.identity())});
  }
  return acl;
}

void ToProto(const model::Acl& acl, AclEntries* out) {
  out->Clear();
  for (const model::AclEntry& entry : acl) {
    v1::AclEntry* row = out->Add();
    row->set_permissions(entry.permissions);
    row->mutable_identity()->set_scheme(entry.identity.scheme);
    row->mutable_identity()->set_id(entry.identity.id);
  }
}

}  // namespace pando::cli
