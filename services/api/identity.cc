#include "api/identity.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acl/digest.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "api/certificate_identity.h"
#include "base/check.h"
#include "base/status.h"
#include "model/limits.h"

namespace pando::api {
namespace {

using model::Error;
using model::Reason;

constexpr char kAuth[] = "pando-auth";
constexpr char kSessionToken[] = "pando-session-token-bin";

Error Unauthenticated(std::string detail) {
  return {.reason = Reason::kUnauthenticated, .detail = std::move(detail)};
}

}  // namespace

Error ParseCredential(std::string_view text, model::Identity* out) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return Unauthenticated("pando-auth is scheme:credential");
  }
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view credential = text.substr(colon + 1);
  if (scheme != acl::kDigestScheme) {
    return Unauthenticated("pando-auth takes the scheme digest only");
  }
  if (credential.size() > model::kIdentityBytesMax) {
    return Unauthenticated(
        absl::StrCat("a credential has at most ", model::kIdentityBytesMax, " bytes"));
  }
  const size_t user_end = credential.find(':');
  if (user_end == std::string_view::npos || user_end == 0) {
    return Unauthenticated("a digest credential is user:password");
  }
  *out = {acl::kDigestScheme, acl::DigestOf(credential)};
  return {};
}

std::string AddressOfPeer(std::string_view peer) {
  absl::string_view rest = base::View(peer);
  const bool v6 = absl::StartsWith(rest, "ipv6:");
  if (!v6 && !absl::StartsWith(rest, "ipv4:")) return {};
  rest.remove_prefix(5);
  const size_t port = rest.rfind(':');
  if (port == absl::string_view::npos) return {};
  rest = rest.substr(0, port);
  if (v6 && (absl::ConsumePrefix(&rest, "%5B") || absl::ConsumePrefix(&rest, "["))) {
    if (!absl::ConsumeSuffix(&rest, "%5D")) absl::ConsumeSuffix(&rest, "]");
  }
  return std::string(rest);
}

Error IdentitiesOf(const grpc::CallbackServerContext& context, std::string_view super_digest,
                   std::vector<model::Identity>* out) {
  out->push_back(acl::kAnyone);
  if (std::string address = AddressOfPeer(context.peer()); !address.empty()) {
    out->push_back({acl::kIpScheme, std::move(address)});
  }
  if (std::optional<model::Identity> subject = CertificateIdentity(*context.auth_context())) {
    out->push_back(*std::move(subject));
  }
  bool super = false;
  const auto [begin, end] = context.client_metadata().equal_range(kAuth);
  for (auto it = begin; it != end; ++it) {
    if (out->size() == model::kIdentitiesMax) {
      return Unauthenticated(
          absl::StrCat("a caller has at most ", model::kIdentitiesMax, " identities"));
    }
    model::Identity identity;
    Error error = ParseCredential({it->second.data(), it->second.size()}, &identity);
    if (!error.ok()) return error;
    super = super || (!super_digest.empty() && identity.id == super_digest);
    out->push_back(std::move(identity));
  }
  if (super) out->push_back(acl::kSuper);
  return {};
}

std::string TokenHashOf(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find(kSessionToken);
  if (found == context.client_metadata().end()) return {};
  return acl::Sha256({found->second.data(), found->second.size()});
}

}  // namespace pando::api
