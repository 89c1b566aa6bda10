#include "zookeeper/dump.h"

#include <utility>

#include "acl/permission.h"
#include "base/check.h"

namespace pando::zookeeper {
namespace {

io::Request Question(uint64_t tag, model::QueryBody body) {
  io::Request request;
  request.tag = tag;
  request.body = model::Query{{acl::kSuper}, {}, std::move(body)};
  return request;
}

}  // namespace

std::vector<io::Request> Dump::Next(uint64_t tag) {
  CHECK(asked_ == answered_);
  std::vector<io::Request> requests;
  if (!listed_) {
    requests.push_back(Question(tag, model::ListSessions()));
    return requests;
  }
  for (; asked_ < owners_.size() && requests.size() < kStep; ++asked_) {
    const model::SessionId session = sessions_[owners_[asked_]].session;
    requests.push_back(Question(tag, model::ListEphemerals{session, {}}));
  }
  return requests;
}

bool Dump::Answer(model::Reply reply) {
  if (!listed_) {
    listed_ = true;
    const auto* result = std::get_if<model::SessionsResult>(&reply.result);
    if (result == nullptr) return true;
    for (const model::SessionsResult::Session& session : result->sessions) {
      if (session.ephemerals > 0) owners_.push_back(sessions_.size());
      sessions_.push_back({session.session, session.timeout_ms, {}});
    }
    return true;
  }
  CHECK(answered_ < asked_);
  // It may have ended meanwhile, and then has none.
  if (auto* names = std::get_if<model::NamesResult>(&reply.result)) {
    sessions_[owners_[answered_]].ephemerals = std::move(names->names);
  }
  return ++answered_ == asked_;
}

}  // namespace pando::zookeeper
