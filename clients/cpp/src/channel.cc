#include "channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"

namespace pando::client {
namespace {

// Above every message of the API, which are at most 4 MiB.
constexpr int kMessageBytesMax = 8 << 20;
// gRPC's own patience with a server that takes a connection and says nothing.
constexpr std::chrono::milliseconds kSilenceMax{20'000};

std::shared_ptr<grpc::ChannelCredentials> Credentials(const Options& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = options.tls->ca,
                               .pem_private_key = options.tls->key,
                               .pem_cert_chain = options.tls->certificate});
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& endpoint, const Options& options) {
  grpc::ChannelArguments arguments;
  // A channel is dropped when it fails, and must not inherit the back-off of the one before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // So long a connection may stand on which a server has said nothing, once it is given up.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   static_cast<int>(std::min(options.attempt_timeout, kSilenceMax).count()));
  // Nobody but the session decides what is sent twice.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // http_proxy is for the web; an ensemble is named by its own address.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  if (options.tls && !options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  return grpc::CreateCustomChannel(absl::StrCat("dns:///", endpoint), Credentials(options),
                                   arguments);
}

}  // namespace pando::client
