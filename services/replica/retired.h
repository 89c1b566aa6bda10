// Retired: the storages that were members and are none any more. A server that was removed may
// still be asking to be let in, by way of a member that has not heard of either; nobody wants it
// back.
//
// As many as are remembered since the start of this process: the last kRemembered.
#ifndef PANDO_REPLICA_RETIRED_H_
#define PANDO_REPLICA_RETIRED_H_

#include <algorithm>
#include <cstddef>
#include <deque>

#include "model/ids.h"
#include "model/membership.h"

namespace pando::replica {

class Retired {
 public:
  static constexpr size_t kRemembered = 64;

  // The membership that is in force from now on.
  void Follow(const model::Membership& membership) {
    for (const model::Member& member : last_.members) {
      const model::Member* still = membership.Find(member.id);
      if (!member.storage || (still != nullptr && still->storage == member.storage)) continue;
      storages_.push_back(member.storage);
      if (storages_.size() > kRemembered) storages_.pop_front();
    }
    last_ = membership;
  }
  bool Has(model::StorageId storage) const {
    return storage && std::find(storages_.begin(), storages_.end(), storage) != storages_.end();
  }

 private:
  model::Membership last_;
  std::deque<model::StorageId> storages_;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_RETIRED_H_
