// HttpServer: the port for machines that watch this server.
//
//   GET /healthz   200 while the process should be left running, else 503 and why
//   GET /readyz    200 while clients should be sent here, else 503 and why
//   GET /metrics   Prometheus' text format
//   GET /commands  what ZooKeeper's AdminServer tells, where there is that
//   GET /          a list of these
//   ?verbose       every check of the first two, not only the failing ones
//
// The answers of the first three come from Metrics alone and never wait for the core thread: what
// asks must get an answer most of all when the core hangs.
#ifndef PANDO_ADMIN_HTTP_SERVER_H_
#define PANDO_ADMIN_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "admin/metrics.h"
#include "base/status.h"
#include "base/time.h"
#include "tls/material.h"

namespace pando::admin {

// Connections that are answered at the same time; each is closed after its answer, or when it has
// been silent for kHttpSilenceMax, so that idle ones cannot keep /healthz from being asked.
inline constexpr size_t kHttpThreads = 4;
// Of them, those that may wait for a command's answer: the others are there for probes.
inline constexpr size_t kCommandsMax = 2;
inline constexpr base::Duration kHttpSilenceMax = std::chrono::seconds(2);

struct HttpAnswer {
  int status = 200;
  std::string type;
  std::string body;
};

class HttpServer {
 public:
  struct Options {
    std::string host;
    uint16_t port = 0;                 // 0: any free one
    const Metrics* metrics = nullptr;  // outlives the server
    std::function<base::Instant()> clock;
    // What it shows, asked for at each handshake; with a CA, whoever asks must show a certificate
    // of it. Null: without encryption. Who cannot shake hands is told to `on_refused`.
    std::function<std::shared_ptr<const tls::Material>()> tls;
    std::function<void(const std::string& caller, const std::string& why)> on_refused;
    // GET /commands/`name`, and /commands with "". Waits for somebody else, but not for long. Null:
    // there is no such thing.
    std::function<HttpAnswer(const std::string& name)> commands;
  };

  // Listens from its return on, on threads of its own. UNAVAILABLE names the address and why not.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options);
  // Closes the port and waits for answers under way.
  ~HttpServer();

  uint16_t port() const;

 private:
  class Core;
  explicit HttpServer(std::unique_ptr<Core> core);

  const std::unique_ptr<Core> core_;
};

}  // namespace pando::admin

#endif  // PANDO_ADMIN_HTTP_SERVER_H_
