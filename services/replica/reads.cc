#include "replica/reads.h"

#include <algorithm>

#include "base/check.h"
#include "model/limits.h"

namespace pando::replica {

Reads::Key Reads::Add(Read read) {
  const Key key = ++last_key_;
  if (!read.granted) ungranted_.push_back(key);
  if (read.deadline != base::kNever) deadlines_.insert({read.deadline, key});
  Index(key, read);
  reads_.emplace(key, std::move(read));
  return key;
}

void Reads::Index(Key key, const Read& read) {
  if (read.at_front && read.granted) by_needs_.insert({read.needs, key});
}

Read Reads::Take(Key key) {
  const auto found = reads_.find(key);
  CHECK(found != reads_.end());
  Read read = std::move(found->second);
  reads_.erase(found);
  by_needs_.erase({read.needs, key});
  deadlines_.erase({read.deadline, key});
  return read;
}

void Reads::ReachedFront(Key key) {
  const auto found = reads_.find(key);
  if (found == reads_.end()) return;  // expired in its place
  found->second.at_front = true;
  Index(key, found->second);
}

std::optional<uint64_t> Reads::StartRound() {
  if (ungranted_.empty()) return std::nullopt;
  if (rounds_.size() >= model::kReadRoundsMax) {
    std::erase_if(ungranted_, [this](Key key) { return !reads_.contains(key); });
    return std::nullopt;
  }
  rounds_.emplace(++last_round_, std::exchange(ungranted_, {}));
  return last_round_;
}

std::vector<Read> Reads::Grant(uint64_t round, model::Revision index,
                               std::optional<model::Revision> last) {
  std::vector<Read> in_vain;
  const auto keys = rounds_.find(round);
  if (keys == rounds_.end()) return in_vain;
  for (const Key key : keys->second) {
    const auto found = reads_.find(key);
    if (found == reads_.end()) continue;
    Read& read = found->second;
    if (last && read.needs > *last) {
      in_vain.push_back(Take(key));
      continue;
    }
    read.granted = true;
    read.needs = std::max(read.needs, index);
    Index(key, read);
  }
  rounds_.erase(keys);
  return in_vain;
}

std::vector<Read> Reads::TakeReady(model::Revision applied) {
  std::vector<Read> ready;
  while (!by_needs_.empty() && by_needs_.begin()->first <= applied) {
    ready.push_back(Take(by_needs_.begin()->second));
  }
  return ready;
}

std::vector<Read> Reads::TakeExpired(base::Instant now) {
  std::vector<Read> expired;
  while (next_deadline() <= now) expired.push_back(Take(deadlines_.begin()->second));
  return expired;
}

std::vector<Read> Reads::TakeAll() {
  std::vector<Key> keys;
  for (const auto& [key, read] : reads_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());  // hash order must not show
  std::vector<Read> all;
  for (const Key key : keys) all.push_back(Take(key));
  rounds_.clear();
  ungranted_.clear();
  return all;
}

}  // namespace pando::replica
