#include "admin/http_server.h"

#include <httplib.h>
#include <pthread.h>

#include <cerrno>
#include <cstring>
#include <semaphore>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "admin/health.h"
#include "admin/https.h"
#include "base/check.h"

namespace pando::admin {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kPrometheus[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kIndex[] =
    "/healthz  should this process be left running?\n"
    "/readyz   should clients be sent here?\n"
    "/metrics  numbers, for Prometheus\n"
    "/commands what ZooKeeper's AdminServer tells\n";

using Checks = std::vector<HealthCheck> (*)(const Metrics&, base::Instant);

}  // namespace

class HttpServer::Core {
 public:
  explicit Core(Options options)
      : options_(std::move(options)),
        server_(options_.tls ? MakeHttps(options_) : std::make_unique<httplib::Server>()),
        http_(*server_) {
    CHECK(http_.is_valid());
    http_.new_task_queue = [] { return new httplib::ThreadPool(kHttpThreads); };
    http_.set_keep_alive_max_count(1);
    http_.set_keep_alive_timeout(
        std::chrono::duration_cast<std::chrono::seconds>(kHttpSilenceMax).count());
    http_.set_read_timeout(kHttpSilenceMax);
    http_.set_write_timeout(kHttpSilenceMax);
    http_.set_payload_max_length(0);
    // Not the library's SO_REUSEPORT: with it a second server would take half of the connections
    // instead of an error.
    http_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    http_.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(kIndex, kPlain);
    });
    http_.Get("/healthz", HealthHandler(&CheckAlive));
    http_.Get("/readyz", HealthHandler(&CheckReady));
    http_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(options_.metrics->Scrape(options_.clock()), kPrometheus);
    });
    if (options_.commands) {
      http_.Get("/commands/?", CommandHandler());
      http_.Get("/commands/([a-z_]+)", CommandHandler());
    }
    http_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) response.set_content(kIndex, kPlain);
    });
  }

  absl::Status Listen() {
    errno = 0;
    port_ = options_.port;
    if (port_ == 0) {
      const int any = http_.bind_to_any_port(options_.host);
      port_ = static_cast<uint16_t>(any < 0 ? 0 : any);
    } else if (!http_.bind_to_port(options_.host, port_)) {
      port_ = 0;
    }
    if (port_ == 0) {
      const char* why = errno != 0 ? std::strerror(errno) : "no such address on this machine";
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.host, ":", options_.port, ": ", why));
    }
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "pando-http");
      http_.listen_after_bind();
    });
    // stop() before the loop runs would be lost.
    while (!http_.is_running()) std::this_thread::yield();
    return absl::OkStatus();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    http_.stop();
    thread_.join();
  }

  uint16_t port() const { return port_; }

 private:
  httplib::Server::Handler HealthHandler(Checks checks) {
    return [this, checks](const httplib::Request& request, httplib::Response& response) {
      const std::vector<HealthCheck> result = checks(*options_.metrics, options_.clock());
      response.status = AllOk(result) ? 200 : 503;
      response.set_content(FormatChecks(result, request.has_param("verbose")), kPlain);
    };
  }

  httplib::Server::Handler CommandHandler() {
    return [this](const httplib::Request& request, httplib::Response& response) {
      HttpAnswer answer = {503, kPlain, "others wait for commands already\n"};
      if (command_room_.try_acquire()) {
        answer = options_.commands(request.matches.size() > 1 ? request.matches[1].str() : "");
        command_room_.release();
      }
      response.status = answer.status;
      response.set_content(answer.body, answer.type.c_str());
    };
  }

  const Options options_;
  const std::unique_ptr<httplib::Server> server_;
  httplib::Server& http_;
  std::counting_semaphore<kCommandsMax> command_room_{kCommandsMax};
  std::thread thread_;
  uint16_t port_ = 0;
};

HttpServer::HttpServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}

HttpServer::~HttpServer() { core_->Stop(); }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  auto core = std::make_unique<Core>(std::move(options));
  PANDO_RETURN_IF_ERROR(core->Listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

uint16_t HttpServer::port() const { return core_->port(); }

}  // namespace pando::admin
