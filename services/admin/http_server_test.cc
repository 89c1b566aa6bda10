#include "admin/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "admin/health.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pando::admin {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() : metrics_("1", {"Get"}) {
    metrics_.Turned(now_);
    auto started = HttpServer::Start({"127.0.0.1", 0, &metrics_, [this] { return now_.load(); }});
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = std::move(*started);
  }

  void RestartWith(std::function<HttpAnswer(const std::string&)> commands) {
    HttpServer::Options options;
    options.host = "127.0.0.1";
    options.metrics = &metrics_;
    options.clock = [this] { return now_.load(); };
    options.commands = std::move(commands);
    server_.reset();
    server_ = *HttpServer::Start(std::move(options));
  }

  int Connect() {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return connection;
  }

  // The whole answer: status line, headers and body.
  std::string Ask(const std::string& request) {
    const int connection = Connect();
    EXPECT_EQ(send(connection, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char bytes[4096];
    ssize_t size = 0;
    while ((size = recv(connection, bytes, sizeof bytes, 0)) > 0) {
      answer.append(bytes, static_cast<size_t>(size));
    }
    close(connection);
    return answer;
  }
  std::string Get(const std::string& path) { return Ask("GET " + path + " HTTP/1.1\r\n\r\n"); }

  std::atomic<base::Instant> now_{base::Instant{seconds(100)}};
  Metrics metrics_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, IsAliveUntilTheCoreStalls) {
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
  now_ = now_.load() + kCoreStallMax;
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
  now_ = now_.load() + base::Duration(1);
  const std::string stalled = Get("/healthz");
  EXPECT_THAT(stalled, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(stalled, HasSubstr("FAIL core: the core loop turned 10000 ms ago"));
  metrics_.Turned(now_);
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, IsReadyOnceItsLogIsAppliedAndALeaderIsKnown) {
  metrics_.Set(Gauge::kReadyAt, 7);
  std::string answer = Get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("FAIL leader: no leader is known"));
  EXPECT_THAT(answer, HasSubstr("FAIL applied: revision 0"));

  metrics_.Set(Gauge::kLeader, 2);
  metrics_.Set(Gauge::kApplied, 6);
  answer = Get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nFAIL applied: revision 6; up to date from 7 on"));

  metrics_.Set(Gauge::kApplied, 7);
  answer = Get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nok\n"));
  EXPECT_THAT(Get("/readyz?verbose"), HasSubstr("ok   leader: server 2\n"));
}

TEST_F(HttpServerTest, AnEmptyLogIsNotReady) {
  metrics_.Set(Gauge::kLeader, 1);
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503"));
  metrics_.Set(Gauge::kApplied, 1);
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, MetricsAreInPrometheusTextFormat) {
  metrics_.Set(Gauge::kNodes, 42);
  const std::string answer = Get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("\npando_tree_nodes 42\n"));
}

TEST_F(HttpServerTest, CommandsAreSomebodyElsesToAnswer) {
  EXPECT_THAT(Get("/commands/ruok"), StartsWith("HTTP/1.1 404"));
  RestartWith([](const std::string& name) {
    return HttpAnswer{name == "secret" ? 403 : 200, "application/json", "<" + name + ">"};
  });
  EXPECT_THAT(Get("/commands/ruok"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/commands/ruok"), HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(Get("/commands/ruok"), HasSubstr("\r\n\r\n<ruok>"));
  EXPECT_THAT(Get("/commands/secret"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(Get("/commands"), HasSubstr("\r\n\r\n<>"));
  EXPECT_THAT(Get("/commands/"), HasSubstr("\r\n\r\n<>"));
  EXPECT_THAT(Get("/commands/a/b"), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, CommandsThatWaitLeaveRoomForProbes) {
  std::latch waiting(kCommandsMax);
  std::promise<void> end;
  RestartWith([&waiting, ended = end.get_future().share()](const std::string& name) {
    if (name == "slow") {
      waiting.count_down();
      ended.wait();
    }
    return HttpAnswer{200, "text/plain", name};
  });
  std::vector<std::thread> callers;
  for (size_t i = 0; i < kCommandsMax; ++i) {
    callers.emplace_back(
        [this] { EXPECT_THAT(Get("/commands/slow"), StartsWith("HTTP/1.1 200")); });
  }
  waiting.wait();
  EXPECT_THAT(Get("/commands/ruok"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
  end.set_value();
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(Get("/commands/ruok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, TellsAStrangerWhatThereIs) {
  EXPECT_THAT(Get("/"), HasSubstr("/readyz"));
  const std::string missing = Get("/nonsense");
  EXPECT_THAT(missing, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(missing, HasSubstr("/metrics"));
}

TEST_F(HttpServerTest, BadRequestsGetAnErrorAndTheServerStaysUp) {
  for (const std::string& request :
       {std::string("nonsense\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n",
        std::string("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")}) {
    EXPECT_THAT(Ask(request), StartsWith("HTTP/1.1 4")) << request.substr(0, 40);
  }
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, SilentConnectionsDoNotKeepItFromAnswering) {
  std::vector<int> silent;
  for (size_t i = 0; i < kHttpThreads; ++i) silent.push_back(Connect());
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
  for (const int connection : silent) close(connection);
}

TEST_F(HttpServerTest, APortThatIsTakenIsAnErrorThatNamesIt) {
  const auto second =
      HttpServer::Start({"127.0.0.1", server_->port(), &metrics_, [this] { return now_.load(); }});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("127.0.0.1:" + std::to_string(server_->port())));
}

}  // namespace
}  // namespace pando::admin
