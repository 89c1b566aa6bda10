#include "replica/formation.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::replica {
bool SameList(const model::Membership& a, const model::Membership& b) {
  return std::equal(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                    [](const model::Member& x, const model::Member& y) {
                      return x.id == y.id && x.peer_address == y.peer_address;
                    });
}

Forming::Forming(model::ServerId id, const model::Membership& initial, model::Formation recorded)
    : id_(id), initial_(initial), state_(std::move(recorded)) {
  const model::Member* self = initial_.Find(id_);
  CHECK(self != nullptr);
  CHECK(self->storage);
  if (state_.members.members.empty()) state_.members = initial_;
  // Its addresses may have changed since; its storage has not.
  *state_.members.Find(id_) = *self;
}

io::Announce Forming::Announcement() const {
  return {.storage = initial_.Find(id_)->storage, .initial = initial_};
}

bool Forming::HearAnnounce(model::ServerId from, const io::Announce& announce) {
  const model::Member* row = announce.initial.Find(from);
  model::Member* known = state_.members.Find(from);
  if (row == nullptr || known == nullptr || from == id_) return false;
  if (!SameList(announce.initial, initial_) || known->storage) return false;
  *known = *row;
  known->storage = announce.storage;
  return true;
}

io::AnnounceReply Forming::AnswerTo(model::ServerId from, const io::Announce& announce) const {
  const model::Member* known = state_.members.Find(from);
  const bool recorded = known != nullptr && known->storage == announce.storage &&
                        SameList(announce.initial, initial_);
  return {.storage = announce.storage, .recorded = recorded};
}

bool Forming::Complete() const { return state_.complete || Missing().empty(); }

std::vector<model::ServerId> Forming::Missing() const {
  std::vector<model::ServerId> missing;
  for (const model::Member& member : state_.members.members) {
    if (member.id == id_) continue;
    if (!member.storage || !recorded_by_.contains(member.id)) missing.push_back(member.id);
  }
  return missing;
}

}  // namespace pando::replica
