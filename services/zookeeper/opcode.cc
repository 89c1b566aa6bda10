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
  const char* letters;
};
constexpr char kOther[] = "zookeeper/other";
constexpr Named kNames[] = {
    {Opcode::kCreate, "zookeeper/create", "CREA"},
    {Opcode::kDelete, "zookeeper/delete", "DELE"},
    {Opcode::kExists, "zookeeper/exists", "EXIS"},
    {Opcode::kGetData, "zookeeper/getData", "GETD"},
    {Opcode::kSetData, "zookeeper/setData", "SETD"},
    {Opcode::kGetAcl, "zookeeper/getACL", "GETA"},
    {Opcode::kSetAcl, "zookeeper/setACL", "SETA"},
    {Opcode::kGetChildren, "zookeeper/getChildren", "GETC"},
    {Opcode::kSync, "zookeeper/sync", "SYNC"},
    {Opcode::kPing, "zookeeper/ping", "PING"},
    {Opcode::kGetChildren2, "zookeeper/getChildren2", "GETC"},
    {Opcode::kCheck, "zookeeper/check", "CHEC"},
    {Opcode::kMulti, "zookeeper/multi", "MULT"},
    {Opcode::kCreate2, "zookeeper/create2", "CREA"},
    {Opcode::kReconfig, "zookeeper/reconfig", "RECO"},
    {Opcode::kCheckWatches, "zookeeper/checkWatches", "CHKW"},
    {Opcode::kRemoveWatches, "zookeeper/removeWatches", "REMW"},
    {Opcode::kCreateContainer, "zookeeper/createContainer", "CREA"},
    {Opcode::kCreateTtl, "zookeeper/createTTL", "CREA"},
    {Opcode::kMultiRead, "zookeeper/multiRead", "MLTR"},
    {Opcode::kSetWatches, "zookeeper/setWatches", "SETW"},
    {Opcode::kGetEphemerals, "zookeeper/getEphemerals", "GETE"},
    {Opcode::kGetAllChildrenNumber, "zookeeper/getAllChildrenNumber", "GETACN"},
    {Opcode::kAddWatch, "zookeeper/addWatch", "ADDW"},
    {Opcode::kWhoAmI, "zookeeper/whoAmI", "HOMI"},
    {Opcode::kCreateSession, "zookeeper/createSession", "SESS"},
    {Opcode::kFilteredList, "zookeeper/filteredList", "GETC"},
    {Opcode::kCheckNotExists, "zookeeper/checkNotExists", "CHEC"},
    {Opcode::kCreateIfNotExists, "zookeeper/createIfNotExists", "CREA"},
    {Opcode::kRemoveRecursive, "zookeeper/removeRecursive", "DELE"},
    {Opcode::kCloseSession, "zookeeper/closeSession", "CLOS"},
    {Opcode::kAuth, "zookeeper/auth", "NA"},
    {Opcode::kSasl, "zookeeper/sasl", "SASL"},
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

bool OnlyReads(Opcode type) {
  switch (type) {
    case Opcode::kExists:
    case Opcode::kGetData:
    case Opcode::kGetAcl:
    case Opcode::kGetChildren:
    case Opcode::kGetChildren2:
    case Opcode::kFilteredList:
    case Opcode::kGetEphemerals:
    case Opcode::kGetAllChildrenNumber:
    case Opcode::kMultiRead:
      return true;
    default:
      return false;
  }
}

const char* LettersOf(Opcode type) {
  for (const Named& named : kNames) {
    if (named.type == type) return named.letters;
  }
  return "NA";
}

std::vector<std::string> OpcodeNames() {
  std::vector<std::string> names = {kOther};
  for (const Named& named : kNames) names.emplace_back(named.name);
  return names;
}

}  // namespace pando::zookeeper
