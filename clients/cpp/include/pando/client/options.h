// Options: how a session is to be had.
#ifndef PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_OPTIONS_H_
#define PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pando::client {

// What happens to a session.
enum class SessionEvent {
  kConnected,    // it is open; once, and first
  kSuspended,    // its server is gone; calls wait. Whoever holds a lock pauses
  kReconnected,  // it lives on, on another server or the same
  kLost,         // it is over, with its ephemeral nodes; last
};

// "CONNECTED".
const char* Name(SessionEvent event);

// PEM texts.
struct Tls {
  std::string ca;           // that signed the servers' certificates; empty: those the system trusts
  std::string certificate;  // one's own, for mutual TLS, and its key
  std::string key;
  std::string server_name;  // in the servers' certificates; empty: their address's host
};

// The longest timeout; a longer one of a call is this.
inline constexpr std::chrono::milliseconds kTimeoutMax = std::chrono::hours(24 * 365);

// Timeouts are from 1 ms to kTimeoutMax.
struct Options {
  std::vector<std::string> endpoints;  // HOST:PORT each; one is used at a time, the first one first
  // How long the ensemble waits for a silent client.
  std::chrono::milliseconds session_timeout{10'000};
  // For Connect to find a server and get a session.
  std::chrono::milliseconds connect_timeout{10'000};
  // Of a call that does not say its own.
  std::chrono::milliseconds operation_timeout{10'000};
  // How long a server may be silent to an attempt to connect before the next one is tried.
  std::chrono::milliseconds attempt_timeout{1'000};
  uint64_t cluster_id = 0;              // the ensemble that is meant; 0: whichever answers first
  std::optional<Tls> tls;               // none: plaintext
  std::vector<std::string> identities;  // "digest:user:password"
  // On the session's thread, for each event. Session::Events is for threads that wait.
  std::function<void(SessionEvent)> on_event;
};

// How one call is to be made.
struct CallOptions {
  std::optional<std::chrono::milliseconds> timeout;  // none: Options::operation_timeout
  bool linearizable = false;  // of reads: all that was committed anywhere when it was asked
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_OPTIONS_H_
