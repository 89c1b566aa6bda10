#include "raft/membership_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::raft {
namespace {

// A member that has not connected yet has no storage on record: that is whoever has its id.
bool HasVoter(const model::Membership& membership, model::ServerId id, model::StorageId storage) {
  const model::Member* member = membership.Find(id);
  return member != nullptr && member->role == model::Member::Role::kVoter &&
         (!member->storage || !storage || member->storage == storage);
}

}  // namespace

MembershipLog::MembershipLog(model::Revision index, model::Membership membership) {
  entries_.push_back({index, std::move(membership)});
  FindVoters();
}

bool MembershipLog::IsVoter(model::ServerId id) const {
  return std::binary_search(voters_.begin(), voters_.end(), id);
}

bool MembershipLog::IsVoter(model::ServerId id, model::StorageId storage) const {
  return HasVoter(current(), id, storage);
}

bool MembershipLog::MayBeVoter(model::ServerId id, model::StorageId storage,
                               model::Revision committed) const {
  for (size_t i = entries_.size(); i-- > 0;) {
    if (HasVoter(entries_[i].membership, id, storage)) return true;
    if (entries_[i].index <= committed) break;
  }
  return false;
}

void MembershipLog::Push(model::Revision index, model::Membership membership) {
  CHECK(index > entries_.back().index);
  entries_.push_back({index, std::move(membership)});
  FindVoters();
}

void MembershipLog::CutFrom(model::Revision first) {
  CHECK(entries_.front().index < first);
  while (entries_.back().index >= first) entries_.pop_back();
  FindVoters();
}

void MembershipLog::Compact(model::Revision index) {
  while (entries_.size() > 1 && entries_[1].index <= index) entries_.pop_front();
}

void MembershipLog::FindVoters() {
  voters_.clear();
  for (const model::Member& member : current().members) {
    if (member.role == model::Member::Role::kVoter) voters_.push_back(member.id);
  }
}

}  // namespace pando::raft
