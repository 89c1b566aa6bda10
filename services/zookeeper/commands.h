// Commands: what an operator asks of ZooKeeper's AdminServer, GET /commands/NAME, answered as
// ZooKeeper 3.9 does: the same names, members and types, as exporters read them. What a four-letter
// word tells too is told if that word is enabled, and what no word tells if `srvr` is.
#ifndef PANDO_ZOOKEEPER_COMMANDS_H_
#define PANDO_ZOOKEEPER_COMMANDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "zookeeper/four_letter.h"
#include "zookeeper/overview.h"

namespace pando::zookeeper {

// By any of its names; null: there is none.
struct Command;
const Command* FindCommand(std::string_view name);
// The word that it is the other way to ask for.
Word WordOf(const Command& command);
Asks AsksOf(const Command& command);

// JSON.
std::string AnswerCommand(const Command& command, const Overview& overview);
std::string RefuseCommand(std::string_view name, std::string_view error);

// HTML, as ZooKeeper lists them: those that are enabled, by their first names.
std::string ListCommands(const std::vector<Word>& enabled);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_COMMANDS_H_
