#include "acl/digest.h"

#include <openssl/evp.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace pando::acl {

namespace {

std::string Hash(const EVP_MD* algorithm, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned int size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, algorithm, nullptr) == 1);
  return {reinterpret_cast<const char*>(hash.data()), size};
}

}  // namespace

std::string DigestOf(std::string_view credential) {
  const std::string_view user = credential.substr(0, credential.find(':'));
  return absl::StrCat(base::View(user), ":", absl::Base64Escape(Hash(EVP_sha1(), credential)));
}

std::string Sha256(std::string_view token) { return Hash(EVP_sha256(), token); }

}  // namespace pando::acl
