#include "world.h"

#include <algorithm>
#include <utility>

namespace pando::client {

void World::SetUp() {
  Heal();
  v1::CreateRequest request;
  request.set_path("/test-");
  request.set_sequential(true);
  root_ = Must(Connect()->Create(request)).path();
}

void World::Kill(int server) {
  Ask("kill " + std::to_string(server));
  down_.push_back(server);
}

void World::Heal() {
  for (const int server : std::exchange(down_, {})) Ask("start " + std::to_string(server));
}

std::string World::Front(int server) { return AskEndpoint("front " + std::to_string(server)); }

std::vector<std::string> World::Rest(int server, std::vector<std::string> first) const {
  for (const std::string& endpoint : endpoints()) {
    if (endpoint != endpoints()[server - 1]) first.push_back(endpoint);
  }
  return first;
}

std::vector<std::string> World::First(int server) const {
  return Rest(server, {endpoints()[server - 1]});
}

std::unique_ptr<Session> World::Connect(Options options) {
  if (options.endpoints.empty()) options.endpoints = endpoints();
  return Must(Session::Connect(std::move(options)));
}

std::string World::Create(Session* session, const std::string& name, v1::NodeKind kind) {
  v1::CreateRequest request;
  request.set_path(root_ + "/" + name);
  request.set_kind(kind);
  return Must(session->Create(request)).path();
}

bool World::Exists(Session* session, const std::string& path) {
  const auto got = session->Get(GetOf(path), {.linearizable = true});
  if (!got.ok()) {
    EXPECT_THAT(got, FailedWith(Reason::kNoNode));
  }
  return got.ok();
}

std::vector<std::string> World::Names(Session* session) {
  v1::ListRequest request;
  request.set_path(root_);
  std::vector<std::string> names;
  for (const auto& entry : Must(session->Children(request, {.linearizable = true}))) {
    names.push_back(entry.name());
  }
  return names;
}

bool Until(Feed<SessionEvent>* events, SessionEvent event, milliseconds timeout) {
  const Clock::time_point end = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    const auto next = events->Next(std::max(left, milliseconds(0)));
    if (!next.ok()) return false;
    if (*next == event) return true;
  }
}

void Takes(milliseconds least, milliseconds most, const std::function<void()>& body) {
  const Clock::time_point began = Clock::now();
  body();
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
  EXPECT_GE(took.count(), least.count());
  EXPECT_LE(took.count(), most.count());
}

v1::GetRequest GetOf(const std::string& path) {
  v1::GetRequest request;
  request.set_path(path);
  return request;
}

v1::SetRequest SetOf(const std::string& path, const std::string& data) {
  v1::SetRequest request;
  request.set_path(path);
  if (!data.empty()) request.set_data(data);
  return request;
}

}  // namespace pando::client
