#include "api/certificate_identity.h"

#include <grpc/grpc_security_constants.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "acl/scheme.h"

namespace pando::api {
namespace {

// gRPC writes a byte beyond ASCII as "\C3"; RFC 2253 and Java have it as it is.
std::string WithoutEscapedLetters(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned int byte = 0;
    if (text[i] == '\\' && i + 2 < text.size()) {
      const char* const digits = text.data() + i + 1;
      const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
      if (error == std::errc() && end == digits + 2 && byte >= 0x80) {
        out += static_cast<char>(byte);
        i += 2;
        continue;
      }
      out += text[i++];  // what is escaped stays so, be it another backslash
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::optional<model::Identity> CertificateIdentity(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> subjects =
      context.FindPropertyValues(GRPC_X509_SUBJECT_PROPERTY_NAME);
  if (subjects.size() != 1) return std::nullopt;
  const std::string_view subject(subjects.front().data(), subjects.front().size());
  return acl::IdentityOfSubject(WithoutEscapedLetters(subject));
}

}  // namespace pando::api
