#include "cli/credentials.h"

#include <cstddef>

#include "absl/strings/str_split.h"
#include "cli/files.h"

namespace pando::cli {
namespace {

constexpr size_t kBytesMax = 64 << 10;

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadCredentials(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadInput(file, kBytesMax);
  if (!text.ok()) return text.status();
  return absl::StrSplit(*text, absl::ByAnyChar("\r\n"), absl::SkipWhitespace());
}

std::string CheckCredential(const std::string& text) {
  const size_t colon = text.find(':');
  const bool good = colon != std::string::npos && colon > 0;
  // Not the text: it is a secret.
  return good ? "" : "a credential is SCHEME:CREDENTIAL, like digest:user:password";
}

}  // namespace pando::cli
