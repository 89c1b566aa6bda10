#include "server/administrators.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "acl/scheme.h"
#include "base/status.h"

namespace pando::server {
namespace {

constexpr size_t kSha1Bytes = 20;

// A typing error there would lock everybody out, and only show when it matters.
absl::Status CheckDigest(const std::string& id) {
  std::string hash;
  const size_t colon = id.find(':');
  const bool parsed =
      colon != std::string::npos && colon != 0 && absl::Base64Unescape(id.substr(colon + 1), &hash);
  if (parsed && hash.size() == kSha1Bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", id, "' is not USER:HASH, as 'pando acl digest USER' prints it"));
}

}  // namespace

absl::StatusOr<model::Acl> ParseAdministrators(std::string_view text) {
  model::Acl asked;
  for (const absl::string_view part : absl::StrSplit(base::View(text), ';')) {
    const std::pair<std::string, std::string> words = absl::StrSplit(part, absl::MaxSplits(':', 1));
    asked.push_back({model::kAdmin, {words.first, words.second}});
    if (words.first == acl::kDigestScheme) PANDO_RETURN_IF_ERROR(CheckDigest(words.second));
  }
  model::Acl acl;
  if (const model::Error error = acl::Resolve(asked, {}, &acl); !error.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("'", base::View(text), "': ", error.detail));
  }
  return acl;
}

absl::StatusOr<std::string> ParseSuperDigest(std::string_view text) {
  std::string digest(text);
  PANDO_RETURN_IF_ERROR(CheckDigest(digest));
  return digest;
}

}  // namespace pando::server
