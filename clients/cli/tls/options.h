// TlsOptions: how the connection to a server is encrypted, and who this client is there.
#ifndef PANDO_CLIENTS_CLI_TLS_OPTIONS_H_
#define PANDO_CLIENTS_CLI_TLS_OPTIONS_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tls/material.h"

namespace pando::cli {

struct TlsOptions {
  bool asked = false;       // for TLS, without a word on what to trust
  tls::Files files;         // no CA: those that the system trusts
  std::string server_name;  // that the server's certificate must have; none: its address's host

  bool on() const { return asked || files != tls::Files() || !server_name.empty(); }
};

// INVALID_ARGUMENT: a certificate without its key, or the other way round.
absl::Status CheckTlsOptions(const TlsOptions& options);

// For one channel, from the files as they are now. INVALID_ARGUMENT names what is wrong with them.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const TlsOptions& options, grpc::ChannelArguments* arguments);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_TLS_OPTIONS_H_
