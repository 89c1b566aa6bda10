// import zookeeper and export zookeeper: a tree moves, while both sides serve.
#ifndef PANDO_CLIENTS_CLI_COMMANDS_MOVE_H_
#define PANDO_CLIENTS_CLI_COMMANDS_MOVE_H_

#include "cli/commands/command.h"

namespace pando::cli {

// Below `import`.
void AddImportZooKeeper(CommandLine* line, CLI::App* parent);
// Below `export`.
void AddExportZooKeeper(CommandLine* line, CLI::App* parent);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_COMMANDS_MOVE_H_
