#include "zookeeper/survey.h"

#include "acl/permission.h"
#include "base/check.h"
#include "model/zookeeper.h"

namespace pando::zookeeper {

std::vector<io::Request> Survey::Next(uint64_t tag) {
  CHECK(waits_for_ == 0);
  std::vector<io::Request> requests;
  if (asked_) return requests;
  asked_ = true;
  requests.push_back({.tag = tag, .body = io::GetMembers()});
  requests.push_back({.tag = tag, .body = io::GetStatus()});
  model::Query config = {{acl::kSuper}, {}, model::Get{model::kConfigPath}};
  requests.push_back({.tag = tag, .body = std::move(config)});
  waits_for_ = requests.size();
  return requests;
}

bool Survey::Answer(model::Reply reply) {
  CHECK(waits_for_ > 0);
  if (auto* members = std::get_if<model::Membership>(&reply.result)) {
    ensemble_.members = std::move(*members);
  } else if (auto* status = std::get_if<model::EnsembleStatus>(&reply.result)) {
    ensemble_.status = std::move(*status);
  } else if (const auto* config = std::get_if<model::OperationResult>(&reply.result)) {
    ensemble_.version = config->stat.modify_revision;  // none before the first client has come
  }
  return --waits_for_ == 0;
}

}  // namespace pando::zookeeper
