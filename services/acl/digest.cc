#include "acl/digest.h"

#include <openssl/evp.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace pando::acl {

std::string DigestOf(std::string_view credential) {
  const size_t colon = credential.find(':');
  CHECK(colon != std::string_view::npos);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned int size = 0;
  CHECK(EVP_Digest(credential.data(), credential.size(), hash.data(), &size, EVP_sha1(), nullptr) ==
        1);
  const absl::string_view bytes(reinterpret_cast<const char*>(hash.data()), size);
  return absl::StrCat(base::View(credential.substr(0, colon)), ":", absl::Base64Escape(bytes));
}

}  // namespace pando::acl
