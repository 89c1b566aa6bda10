// World: a test's own: a node, and sessions that are closed at its end, on three servers that all
// tests share and that are whole again before each.
#ifndef PANDO_CLIENTS_CPP_TESTS_WORLD_H_
#define PANDO_CLIENTS_CPP_TESTS_WORLD_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ensemble.h"
#include "pando/client/error.h"
#include "pando/client/session.h"

namespace pando::client {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

class World : public testing::Test {
 public:
  // Of all tests. Set by main.
  static inline Ensemble* ensemble = nullptr;
  static inline std::string clients_dir;

 protected:
  void SetUp() override;

  nlohmann::json Ask(const std::string& command) { return ensemble->Ask(command); }
  std::string AskEndpoint(const std::string& command) { return ensemble->AskEndpoint(command); }
  const std::vector<std::string>& endpoints() const { return ensemble->endpoints(); }
  void Kill(int server);
  void Heal();
  int Leader() { return Ask("leader").at("id"); }
  int Follower() { return Leader() % 3 + 1; }
  std::string Front(int server);
  // All endpoints but that of `server`, after `first`.
  std::vector<std::string> Rest(int server, std::vector<std::string> first = {}) const;
  // All endpoints, that of `server` first.
  std::vector<std::string> First(int server) const;

  // No endpoints: all.
  std::unique_ptr<Session> Connect(Options options = {});

  std::string Create(Session* session, const std::string& name,
                     v1::NodeKind kind = v1::NODE_KIND_PERSISTENT);
  bool Exists(Session* session, const std::string& path);
  std::vector<std::string> Names(Session* session);

  std::string root_;

 private:
  static inline std::vector<int> down_;
};

// What it holds; ends the test if that is an error.
template <class Value>
Value Must(absl::StatusOr<Value> value) {
  if (value.ok()) return *std::move(value);
  ADD_FAILURE() << value.status();
  return Value();
}

MATCHER_P(FailedWith, reason, "") {
  *result_listener << arg.status();
  return !arg.ok() && ReasonOf(arg.status()) == reason;
}

// False: not within `timeout`.
bool Until(Feed<SessionEvent>* events, SessionEvent event, milliseconds timeout);

// Runs `body` and holds it to its time.
void Takes(milliseconds least, milliseconds most, const std::function<void()>& body);

v1::GetRequest GetOf(const std::string& path);
v1::SetRequest SetOf(const std::string& path, const std::string& data = "");

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_TESTS_WORLD_H_
