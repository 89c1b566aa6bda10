#include "peer/connect.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

namespace pando::peer {
namespace {

// A peer that is gone without a word. Raft's timeouts are quicker; this frees the connection.
constexpr int kPingIntervalMs = 10'000;
constexpr int kPingTimeoutMs = 5'000;
// What a connect may take before it is tried anew.
constexpr int kConnectTimeoutMs = 2'000;
// A peer answers with nothing but a refusal.
constexpr int kResponseBytesMax = 64 * 1024;

// gRPC checks that the certificate it is shown is one of the address's host.
std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Options& options) {
  if (options.tls == nullptr) return grpc::InsecureChannelCredentials();
  const std::shared_ptr<const tls::Material> material = options.tls->current();
  return grpc::SslCredentials({.pem_root_certs = material->ca_pem,
                               .pem_private_key = material->key_pem,
                               .pem_cert_chain = material->certificate_pem});
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const Options& options, const std::string& address) {
  grpc::ChannelArguments arguments;
  // A connection of its own, instead of one that an earlier attempt to the same name has found.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(kResponseBytesMax);
  return grpc::CreateCustomChannel(address, CredentialsOf(options), arguments);
}

}  // namespace pando::peer
