// Opcode: the names of ZooKeeper's requests, for metrics, logs and operators, and their kinds.
#ifndef PANDO_ZOOKEEPER_OPCODE_H_
#define PANDO_ZOOKEEPER_OPCODE_H_

#include <string>
#include <vector>

#include "jute/records.h"

namespace pando::zookeeper {

// "zookeeper/getData"; "zookeeper/other" for what is none of a client's.
const char* NameOf(jute::Opcode type);
// As ZooKeeper's operators know it: "GETD"; "NA" for what is none of a client's.
const char* LettersOf(jute::Opcode type);
// A server without a majority refuses it.
bool NeedsMajority(jute::Opcode type);
// It changes nothing, and its reply is what it has found.
bool OnlyReads(jute::Opcode type);
// All names.
std::vector<std::string> OpcodeNames();

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_OPCODE_H_
