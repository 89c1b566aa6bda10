// What a session costs, and what its Pipeline is worth.
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "absl/strings/str_join.h"
#include "pando/v1/tree.grpc.pb.h"
#include "world.h"

namespace pando::client {
namespace {

using Budgets = World;

constexpr int kCallers = 1000;
// Each way takes turns, and its best counts: other work on the machine slows both.
constexpr int kRounds = 4;
constexpr seconds kRound{1};

// Asks one question; the answer's arrival calls `done`.
using Question = std::function<void(std::function<void(bool ok)> done)>;

// Answers a second to kCallers, each of which asks again when it has its answer.
double Rate(const Question& ask) {
  const Clock::time_point end = Clock::now() + kRound;
  std::atomic<int64_t> answers{0};
  std::atomic<int> callers{kCallers};
  std::promise<void> over;
  std::function<void(bool)> again = [&](bool ok) {
    EXPECT_TRUE(ok);
    if (ok && Clock::now() < end) {
      ++answers;
      ask(again);
    } else if (--callers == 0) {
      over.set_value();
    }
  };
  for (int i = 0; i < kCallers; ++i) ask(again);
  over.get_future().get();
  return static_cast<double>(answers) / static_cast<double>(kRound.count());
}

// Of reads: how many writes a second there are is for the ensemble's disks to say.
TEST_F(Budgets, PipelineThroughput) {
  const std::string endpoint = endpoints()[Leader() - 1];
  const auto session = World::Connect({.endpoints = {endpoint}});
  const auto stub =
      v1::TreeService::NewStub(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials()));
  struct UnaryGet {
    grpc::ClientContext context;
    v1::GetRequest request = GetOf("/");
    v1::GetResponse response;
  };
  const Question unary_get = [&](std::function<void(bool)> done) {
    const auto call = std::make_shared<UnaryGet>();
    stub->async()->Get(&call->context, &call->request, &call->response,
                       [call, done](const grpc::Status& status) { done(status.ok()); });
  };
  const Question pipeline_get = [&](std::function<void(bool)> done) {
    session->AsyncGet(GetOf("/"),
                      [done](const absl::StatusOr<v1::GetResponse>& got) { done(got.ok()); });
  };
  double unary = 0, pipeline = 0;
  for (int round = 0; round < kRounds; ++round) {
    unary = std::max(unary, Rate(unary_get));
    pipeline = std::max(pipeline, Rate(pipeline_get));
  }
  std::printf("unary %.0f/s, pipeline %.0f/s: %.1f times as many\n", unary, pipeline,
              pipeline / unary);
  EXPECT_GE(pipeline, 5 * unary);
}

// The first line of a file below /proc that begins with `key`, without it.
std::string Line(const std::filesystem::path& file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return "";
}

// How often the session's thread of a process has waited for something. -1: there is none.
int64_t Waits(pid_t process) {
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    if (Line(task.path() / "comm", "") != "pando-session") continue;
    return std::stoll(Line(task.path() / "status", "voluntary_ctxt_switches:"));
  }
  return -1;
}

// A wake-up is a moment in which the session's thread ran: what a beat makes runs within one.
// gRPC's own threads look at their timers some three times a second, in every process with a
// channel.
TEST_F(Budgets, IdleSession) {
  std::array<int, 2> in, out;
  ASSERT_EQ(pipe2(in.data(), O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
  const std::string servers = absl::StrJoin(endpoints(), ",");
  const pid_t process = fork();
  if (process == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl("/proc/self/exe", "pando_client_test", "--idle", servers.c_str(), nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  std::array<char, 5> said;
  ASSERT_EQ(read(out[0], said.data(), said.size()), 5);  // "idle\n"
  constexpr int kSeconds = 10, kMoments = 50;
  std::this_thread::sleep_for(seconds(1));
  int wake_ups = 0;
  int64_t before = Waits(process);
  EXPECT_GT(before, 0);
  for (int moment = 0; moment < kSeconds * kMoments; ++moment) {
    std::this_thread::sleep_for(milliseconds(1000) / kMoments);
    const int64_t now = Waits(process);
    if (std::exchange(before, now) != now) ++wake_ups;
  }
  close(in[1]);
  waitpid(process, nullptr, 0);
  close(out[0]);
  std::printf("an idle session wakes up %.1f times a second\n", wake_ups / double{kSeconds});
  EXPECT_GT(wake_ups, 0) << "it does not even beat";
  EXPECT_LT(wake_ups, kSeconds);
}

}  // namespace
}  // namespace pando::client
