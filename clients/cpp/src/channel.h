// A channel to one server, as a session wants it.
#ifndef PANDO_CLIENTS_CPP_SRC_CHANNEL_H_
#define PANDO_CLIENTS_CPP_SRC_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "pando/client/options.h"

namespace pando::client {

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& endpoint, const Options& options);

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_CHANNEL_H_
