// Material: what one end of TLS shows and trusts, read from the operator's files and checked.
#ifndef PANDO_TLS_MATERIAL_H_
#define PANDO_TLS_MATERIAL_H_

#include <string>

#include "base/status.h"
#include "tls/certificate.h"

namespace pando::tls {

// Paths of PEM files. Empty ones are not used.
struct Files {
  std::string certificate;  // with what leads to its CA, if that is not what others trust
  std::string key;
  std::string ca;  // trusted; one or more

  friend bool operator==(const Files&, const Files&) = default;
};

struct Material {
  std::string certificate_pem;
  std::string key_pem;
  std::string ca_pem;
  Certificate own;  // described; nothing without one

  bool SameAs(const Material& other) const {
    return certificate_pem == other.certificate_pem && key_pem == other.key_pem &&
           ca_pem == other.ca_pem;
  }
};

// Reads all of `files`. An error names the file and what is wrong with it; a key that is not the
// certificate's is one, a certificate that has expired is not.
absl::StatusOr<Material> Load(const Files& files);

// Makes one end of a connection use it. REQUIRES: it came from Load.
void Use(const Material& material, SSL* connection);

}  // namespace pando::tls

#endif  // PANDO_TLS_MATERIAL_H_
