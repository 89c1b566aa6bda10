#include "acl/scheme.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "model/limits.h"

namespace pando::acl {
namespace {

using model::Error;

Error Invalid(std::string detail) {
  return {.reason = model::Reason::kInvalidAcl, .detail = std::move(detail)};
}

struct Address {
  std::array<uint8_t, 16> bytes{};
  unsigned bits = 0;  // 32 or 128
};

std::optional<Address> ParseAddress(std::string_view text) {
  const std::string terminated(text);
  Address address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    address.bits = 32;
  } else if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.bits = 128;
  } else {
    return std::nullopt;
  }
  return address;
}

struct Range {
  Address address;
  unsigned bits = 0;  // of it that count
};

std::optional<Range> ParseRange(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<Address> address = ParseAddress(text.substr(0, slash));
  if (!address) return std::nullopt;
  Range range{*address, address->bits};
  if (slash == std::string_view::npos) return range;
  const bool number = absl::SimpleAtoi(base::View(text.substr(slash + 1)), &range.bits);
  if (!number || range.bits > address->bits) return std::nullopt;
  return range;
}

// ZooKeeper counts neither world nor the caller's address as having authenticated.
bool IsAuthenticated(const model::Identity& identity) {
  return identity.scheme == kDigestScheme || identity.scheme == kX509Scheme;
}

Error CheckIdentity(const model::Identity& identity) {
  const std::string& id = identity.id;
  if (identity.scheme == kAnyone.scheme) {
    return id == kAnyone.id ? Error() : Invalid("of the scheme world there is only world:anyone");
  }
  if (identity.scheme == kDigestScheme) {
    const bool two_parts = std::count(id.begin(), id.end(), ':') == 1 && id.front() != ':';
    return two_parts ? Error() : Invalid("a digest is user:base64(sha1(user:password))");
  }
  if (identity.scheme == kIpScheme) {
    return IsAddressRange(id) ? Error() : Invalid("an ip is ADDRESS or ADDRESS/BITS");
  }
  if (identity.scheme == kX509Scheme) {
    return id.empty() ? Invalid("an x509 identity is the subject of a certificate") : Error();
  }
  return Invalid(absl::StrCat("there is no scheme ", identity.scheme,
                              ": it is world, auth, digest, ip or x509"));
}

}  // namespace

Error Resolve(const model::Acl& asked, const std::vector<model::Identity>& identities,
              model::Acl* out) {
  out->clear();
  for (auto it = asked.begin(); it != asked.end(); ++it) {
    // At once, however many more there are: each is compared with those before it.
    if (out->size() > model::kAclEntriesMax) break;
    const model::AclEntry& entry = *it;
    if (std::find(asked.begin(), it, entry) != it) continue;
    if (entry.identity.scheme != kAuthScheme) {
      if (Error error = CheckIdentity(entry.identity); !error.ok()) return error;
      out->push_back(entry);
      continue;
    }
    bool any = false;
    for (const model::Identity& identity : identities) {
      if (!IsAuthenticated(identity)) continue;
      out->push_back({entry.permissions, identity});
      any = true;
    }
    if (!any) return Invalid("auth names whoever the caller is, who has authenticated as nobody");
  }
  if (out->empty()) return Invalid("an ACL has at least one entry");
  if (out->size() > model::kAclEntriesMax) {
    return Invalid(absl::StrCat("an ACL has at most ", model::kAclEntriesMax, " entries"));
  }
  size_t bytes = 0;
  for (const model::AclEntry& entry : *out) {
    bytes += entry.identity.scheme.size() + entry.identity.id.size();
  }
  if (bytes > model::kAclBytesMax) {
    return Invalid(absl::StrCat("an ACL has at most ", model::kAclBytesMax, " bytes"));
  }
  return {};
}

std::optional<model::Identity> IdentityOfSubject(std::string subject) {
  if (subject.empty() || subject.size() > model::kIdentityBytesMax) return std::nullopt;
  return model::Identity{kX509Scheme, std::move(subject)};
}

bool IsAddressRange(std::string_view range) { return ParseRange(range).has_value(); }

bool AddressIsWithin(std::string_view address, std::string_view range) {
  const std::optional<Range> wanted = ParseRange(range);
  const std::optional<Address> actual = ParseAddress(address);
  if (!wanted || !actual || wanted->address.bits != actual->bits) return false;
  const size_t whole = wanted->bits / 8;
  if (std::memcmp(actual->bytes.data(), wanted->address.bytes.data(), whole) != 0) return false;
  const unsigned rest = wanted->bits % 8;
  return rest == 0 || (actual->bytes[whole] ^ wanted->address.bytes[whole]) >> (8 - rest) == 0;
}

}  // namespace pando::acl
