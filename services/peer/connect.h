// Connect: a gRPC channel to another server, on a connection of its own.
#ifndef PANDO_PEER_CONNECT_H_
#define PANDO_PEER_CONNECT_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "peer/options.h"

namespace pando::peer {

// `address` is resolved at the first call. Must not be destroyed in a reaction of its own.
std::shared_ptr<grpc::Channel> Connect(const Options& options, const std::string& address);

}  // namespace pando::peer

#endif  // PANDO_PEER_CONNECT_H_
