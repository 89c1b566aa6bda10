#include "cli/tls/options.h"

namespace pando::cli {

absl::Status CheckTlsOptions(const TlsOptions& options) {
  if (options.files.certificate.empty() == options.files.key.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("--tls-cert and --tls-key: give both, or none");
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const TlsOptions& options, grpc::ChannelArguments* arguments) {
  if (!options.on()) return grpc::InsecureChannelCredentials();
  if (absl::Status good = CheckTlsOptions(options); !good.ok()) return good;
  const absl::StatusOr<tls::Material> material = tls::Load(options.files);
  if (!material.ok()) return absl::InvalidArgumentError(material.status().message());
  if (!options.server_name.empty()) arguments->SetSslTargetNameOverride(options.server_name);
  return grpc::SslCredentials({.pem_root_certs = material->ca_pem,
                               .pem_private_key = material->key_pem,
                               .pem_cert_chain = material->certificate_pem});
}

}  // namespace pando::cli
