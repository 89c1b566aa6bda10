#include "zookeeper/opcode.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pando::zookeeper {
namespace {

using jute::Opcode;

struct Named {
  Opcode type;
  const char* name;
};
constexpr char kOther[] = "zookeeper/other";
constexpr Named kNames[] = {
    {Opcode::kCreate, "zookeeper/create"},
    {Opcode::kDelete, "zookeeper/delete"},
    {Opcode::kExists, "zookeeper/exists"},
    {Opcode::kGetData, "zookeeper/getData"},
    {Opcode::kSetData, "zookeeper/setData"},
    {Opcode::kGetAcl, "zookeeper/getACL"},
    {Opcode::kSetAcl, "zookeeper/setACL"},
    {Opcode::kGetChildren, "zookeeper/getChildren"},
    {Opcode::kSync, "zookeeper/sync"},
    {Opcode::kPing, "zookeeper/ping"},
    {Opcode::kGetChildren2, "zookeeper/getChildren2"},
    {Opcode::kCheck, "zookeeper/check"},
    {Opcode::kMulti, "zookeeper/multi"},
    {Opcode::kCreate2, "zookeeper/create2"},
    {Opcode::kReconfig, "zookeeper/reconfig"},
    {Opcode::kCheckWatches, "zookeeper/checkWatches"},
    {Opcode::kRemoveWatches, "zookeeper/removeWatches"},
    {Opcode::kCreateContainer, "zookeeper/createContainer"},
    {Opcode::kCreateTtl, "zookeeper/createTTL"},
    {Opcode::kMultiRead, "zookeeper/multiRead"},
    {Opcode::kSetWatches, "zookeeper/setWatches"},
    {Opcode::kGetEphemerals, "zookeeper/getEphemerals"},
    {Opcode::kGetAllChildrenNumber, "zookeeper/getAllChildrenNumber"},
    {Opcode::kAddWatch, "zookeeper/addWatch"},
    {Opcode::kWhoAmI, "zookeeper/whoAmI"},
    {Opcode::kCreateSession, "zookeeper/createSession"},
    {Opcode::kFilteredList, "zookeeper/filteredList"},
    {Opcode::kCheckNotExists, "zookeeper/checkNotExists"},
    {Opcode::kCreateIfNotExists, "zookeeper/createIfNotExists"},
    {Opcode::kRemoveRecursive, "zookeeper/removeRecursive"},
    {Opcode::kCloseSession, "zookeeper/closeSession"},
    {Opcode::kAuth, "zookeeper/auth"},
    {Opcode::kSasl, "zookeeper/sasl"},
};

constexpr auto kFirst = static_cast<int32_t>(Opcode::kCloseSession);
constexpr auto kLast = static_cast<int32_t>(Opcode::kRemoveRecursive);

// By the number of the opcode: every request is looked up here.
constexpr auto kNamesByOpcode = [] {
  std::array<const char*, kLast - kFirst + 1> names{};
  names.fill(kOther);
  for (const Named& named : kNames) names[static_cast<int32_t>(named.type) - kFirst] = named.name;
  return names;
}();

}  // namespace

const char* NameOf(Opcode type) {
  const auto number = static_cast<int32_t>(type);
  if (number < kFirst || number > kLast) return kOther;
  return kNamesByOpcode[static_cast<size_t>(number - kFirst)];
}

bool NeedsMajority(Opcode type) {
  switch (type) {
    case Opcode::kCreate:
    case Opcode::kCreate2:
    case Opcode::kCreateContainer:
    case Opcode::kCreateTtl:
    case Opcode::kDelete:
    case Opcode::kSetData:
    case Opcode::kSetAcl:
    case Opcode::kCheck:
    case Opcode::kCheckNotExists:
    case Opcode::kCreateIfNotExists:
    case Opcode::kRemoveRecursive:
    case Opcode::kMulti:
    case Opcode::kReconfig:
    case Opcode::kSync:
      return true;
    default:
      return false;
  }
}

std::vector<std::string> OpcodeNames() {
  std::vector<std::string> names = {kOther};
  for (const Named& named : kNames) names.emplace_back(named.name);
  return names;
}

}  // namespace pando::zookeeper
