#include "sim/truth.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/record.h"

namespace pando::sim {

void Violated(const std::string& what) {
  std::fprintf(stderr, "violation: %s\n", what.c_str());
  std::abort();
}

void Truth::Applied(model::ServerId server, const io::StoreWrite& write) {
  if (const Record* known = Find(write.revision)) {
    if (known->digest != write.digest || known->term != write.term) {
      Violated(absl::StrCat("server ", server.value(), " applied something else at revision ",
                            write.revision.value()));
    }
    return;
  }
  if (write.revision != last_ + 1) {
    Violated(absl::StrCat("server ", server.value(), " applied revision ", write.revision.value(),
                          " after ", last_.value()));
  }
  last_ = write.revision;
  records_.push_back({write.digest, write.term, write.changes, schedule_->now()});
  if (write.changes != nullptr) {
    for (const model::Change& change : write.changes->changes) Follow(change);
  }
  FollowSessions(write);
}

void Truth::Follow(const model::Change& change) {
  const bool deleted = change.kind == model::ChangeKind::kDeleted;
  nodes_[change.path].emplace_back(change.revision, deleted ? Register() : change.data);
  if (change.stat.ephemeral_owner) {
    std::set<std::string>& owned = ephemerals_[change.stat.ephemeral_owner];
    if (deleted) {
      owned.erase(change.path);
    } else {
      owned.insert(change.path);
    }
  }
  const bool wrote =
      change.kind == model::ChangeKind::kCreated || change.kind == model::ChangeKind::kDataChanged;
  if (!wrote || !change.data || change.data->empty()) return;
  if (!written_.emplace(*change.data, schedule_->now()).second) {
    Violated(absl::StrCat(*change.data, " was written twice, again at revision ",
                          change.revision.value()));
  }
  if (forbidden_.contains(*change.data)) {
    Violated(absl::StrCat(*change.data, " took effect at revision ", change.revision.value(),
                          ", after its session had moved"));
  }
  // "lane/<name>/<number>"
  const size_t slash = change.data->rfind('/');
  uint64_t number = 0;
  if (!change.data->starts_with("lane/") ||
      !absl::SimpleAtoi(std::string(*change.data).substr(slash + 1).c_str(), &number)) {
    return;
  }
  uint64_t& newest = lanes_[change.data->substr(0, slash)];
  if (number <= newest) Violated(absl::StrCat(*change.data, " came after ", newest));
  newest = number;
}

void Truth::FollowSessions(const io::StoreWrite& write) {
  for (const model::RecordWrite& record : write.delta.writes) {
    const std::optional<model::SessionId> session = codec::ParseSessionKey(record.key);
    if (!session) continue;
    if (record.value) {
      sessions_.insert(*session);
      continue;
    }
    sessions_.erase(*session);
    if (!ephemerals_[*session].empty()) {
      Violated(absl::StrCat(*ephemerals_[*session].begin(), " outlives its session"));
    }
    const auto beaten = beaten_until_.find(*session);
    if (beaten != beaten_until_.end() && schedule_->now() < beaten->second) {
      Violated(absl::StrCat("session ", session->value(), " expired although its client beat"));
    }
  }
  for (const auto& [session, owned] : ephemerals_) {
    if (!owned.empty() && !sessions_.contains(session)) {
      Violated(absl::StrCat(*owned.begin(), " belongs to a session that is gone"));
    }
  }
}

void Truth::CheckState(model::ServerId server, model::Revision applied, uint64_t digest) const {
  const Record* record = Find(applied);
  if (!applied || (record != nullptr && record->digest == digest)) return;
  Violated(absl::StrCat("the state of server ", server.value(), " at revision ", applied.value(),
                        " is not what others had there"));
}

void Truth::Leads(model::ServerId server, model::Term term) {
  if (leaders_.try_emplace(term, server).first->second != server) {
    Violated(absl::StrCat("two leaders in term ", term.value()));
  }
}

const Truth::Record* Truth::Find(model::Revision revision) const {
  if (!revision || revision > last_) return nullptr;
  return &records_[static_cast<size_t>(revision.value() - 1)];
}

Register Truth::At(const std::string& path, model::Revision revision) const {
  const auto node = nodes_.find(path);
  if (node == nodes_.end()) return {};
  const auto after =
      std::upper_bound(node->second.begin(), node->second.end(), revision,
                       [](model::Revision at, const auto& value) { return at < value.first; });
  return after == node->second.begin() ? Register() : std::prev(after)->second;
}

std::map<std::string, Register> Truth::NodesAt(model::Revision revision) const {
  std::map<std::string, Register> nodes;
  for (const auto& [path, values] : nodes_) {
    if (const Register data = At(path, revision)) nodes[path] = data;
  }
  return nodes;
}

std::optional<base::Instant> Truth::WrittenAt(const std::string& data) const {
  const auto found = written_.find(data);
  return found == written_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<const model::Change*> Truth::Changes(model::Revision after,
                                                 model::Revision through) const {
  std::vector<const model::Change*> changes;
  for (model::Revision at = after + 1; at <= std::min(through, last_); ++at) {
    const Record& record = *Find(at);
    if (record.changes == nullptr) continue;
    for (const model::Change& change : record.changes->changes) changes.push_back(&change);
  }
  return changes;
}

void Truth::Beat(model::SessionId session, base::Instant invoked, base::Duration timeout) {
  base::Instant& until = beaten_until_[session];
  until = std::max(until, invoked + timeout);
}

}  // namespace pando::sim
