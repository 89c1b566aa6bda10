// Membership: who the ensemble is. A Raft configuration with names and addresses.
#ifndef PANDO_MODEL_MEMBERSHIP_H_
#define PANDO_MODEL_MEMBERSHIP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/ids.h"

namespace pando::model {

struct Member {
  enum class Role : uint8_t { kVoter = 1, kLearner = 2 };

  ServerId id;
  StorageId storage;
  Role role = Role::kVoter;
  // HOST:PORT as other machines reach them; resolved again at each connect.
  std::string peer_address;
  std::string client_address;
  std::string http_address;
  std::string zookeeper_address;
  // Machine versions that the member's binary supports.
  uint32_t version_min = 0;
  uint32_t version_max = 0;

  friend bool operator==(const Member&, const Member&) = default;
};

struct Membership {
  std::vector<Member> members;  // by id, without repeats

  // Null: there is none.
  const Member* Find(ServerId id) const {
    for (const Member& member : members) {
      if (member.id == id) return &member;
    }
    return nullptr;
  }
  Member* Find(ServerId id) {
    return const_cast<Member*>(static_cast<const Membership*>(this)->Find(id));
  }
  friend bool operator==(const Membership&, const Membership&) = default;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_MEMBERSHIP_H_
