#include "zookeeper/opcode.h"

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
    {Opcode::kCloseSession, "zookeeper/closeSession"},
};

}  // namespace

const char* NameOf(Opcode type) {
  for (const Named& named : kNames) {
    if (named.type == type) return named.name;
  }
  return kOther;
}

std::vector<std::string> OpcodeNames() {
  std::vector<std::string> names = {kOther};
  for (const Named& named : kNames) names.emplace_back(named.name);
  return names;
}

}  // namespace pando::zookeeper
