// HeldSession: a session that lives until it is closed, for as long as this process does. Where its
// server goes it attaches itself to the next.
#ifndef PANDO_CLIENTS_CLI_HELD_SESSION_H_
#define PANDO_CLIENTS_CLI_HELD_SESSION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "cli/connection.h"

namespace pando::cli {

// Owned and used by one thread, over a Connection that nobody else uses meanwhile.
class HeldSession {
 public:
  explicit HeldSession(Connection* connection) : connection_(*connection) {}

  absl::Status Open(std::chrono::milliseconds timeout);
  // Beats until `stopped`, which is asked several times a second. FAILED_PRECONDITION: the session
  // has expired. REQUIRES: open.
  absl::Status KeepAlive(const std::function<bool()>& stopped);
  // Ends it, with its ephemeral nodes. REQUIRES: open.
  absl::Status Close();

  // Names the session in a call: header and secret token. `request_id`: 0 for none.
  void Sign(v1::RequestHeader* header, grpc::ClientContext* context, int64_t request_id) const;
  // The same, for calls of other threads; constant while it is open.
  int64_t id() const { return id_; }
  const std::string& token() const { return token_; }
  std::chrono::milliseconds timeout() const { return timeout_; }

 private:
  absl::Status Beat();
  grpc::Status Attach(const Server& server);
  std::chrono::system_clock::time_point BeatDeadline() const;

  Connection& connection_;
  int64_t id_ = 0;  // 0: not open
  std::string token_;
  std::chrono::milliseconds timeout_{0};
  std::string attached_to_;  // endpoint
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_HELD_SESSION_H_
