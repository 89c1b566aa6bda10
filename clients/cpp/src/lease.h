// Lease: who the session is, what it has seen, and until when it surely lives. The session's
// thread's own, but for id() and timeout(), which are fixed once it is open.
#ifndef PANDO_CLIENTS_CPP_SRC_LEASE_H_
#define PANDO_CLIENTS_CPP_SRC_LEASE_H_

#include <grpcpp/client_context.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "loop.h"
#include "pando/client/options.h"
#include "pando/v1/session.pb.h"

namespace pando::client {

class Lease final {
 public:
  // `expired`: when nobody has renewed it in time.
  Lease(Loop* loop, const Options& options, Loop::Task expired);

  int64_t id() const { return id_; }
  std::chrono::milliseconds timeout() const { return timeout_; }

  // Names the session, and what it has seen.
  v1::RequestHeader Header() const;
  // Shows who asks.
  void Sign(grpc::ClientContext* context) const;

  void Opened(const v1::OpenResponse& response);
  void Heard(const v1::ResponseHeader& header);
  // A server has confirmed the session, as of `sent`.
  void Renew(Loop::Clock::time_point sent, std::chrono::milliseconds left);
  void End() { expiry_.Cancel(); }

 private:
  Loop* const loop_;
  const std::vector<std::string> identities_;
  Loop::Task expired_;
  Loop::Timer expiry_;
  uint64_t cluster_id_;
  int64_t revision_ = 0;
  int64_t id_ = 0;
  std::string token_;
  std::chrono::milliseconds timeout_;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_LEASE_H_
