// The commands of `pando`: each adds itself to the command line and runs if it is the one given.
#ifndef PANDO_CLIENTS_CLI_COMMANDS_COMMAND_H_
#define PANDO_CLIENTS_CLI_COMMANDS_COMMAND_H_

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/connection.h"
#include "cli/output.h"

namespace pando::cli {

// What is given to every command, before or after its name.
struct Globals {
  static constexpr std::chrono::milliseconds kTimeout{10'000};

  std::vector<std::string> endpoints{"127.0.0.1:7400", "127.0.0.1:7410", "127.0.0.1:7420"};
  std::optional<std::chrono::milliseconds> timeout;  // none: kTimeout
  uint64_t cluster = 0;                              // 0: of whoever answers
  int64_t min_revision = 0;                          // 0: any
  bool linearizable = false;
  std::vector<std::string> credentials;  // SCHEME:CREDENTIAL each
  TlsOptions tls;
  std::optional<Format> format;  // none: the command's own

  Format FormatOr(Format own) const { return format.value_or(own); }
  Connection Connect() const {
    return Connection({endpoints, timeout.value_or(kTimeout), cluster, min_revision, linearizable,
                       credentials, tls});
  }
};

struct CommandLine {
  CommandLine();  // with all commands added

  CLI::App app{"pando: a replicated tree of small nodes.", "pando"};
  Globals globals;
  // The command that was given, after the parse.
  std::function<absl::Status()> run;
};

// Adds a command named `name` to `parent`, which does `run`.
CLI::App* AddCommand(CommandLine* line, CLI::App* parent, const std::string& name,
                     const std::string& description, std::function<absl::Status()> run);
// An option that takes a time such as 10s, as ParseDuration does.
CLI::Option* AddDuration(CLI::App* command, const std::string& name,
                         std::optional<std::chrono::milliseconds>* value,
                         const std::string& description);

// "" if `text` is HOST:PORT, else what is wrong with it: a check of an option.
std::string CheckEndpoint(const std::string& text);

void AddLs(CommandLine* line);
void AddTree(CommandLine* line);
void AddGet(CommandLine* line);
void AddStat(CommandLine* line);
void AddSet(CommandLine* line);
void AddCreate(CommandLine* line);
void AddRm(CommandLine* line);
void AddWatch(CommandLine* line);
void AddTxn(CommandLine* line);
void AddImport(CommandLine* line);
void AddExport(CommandLine* line);
void AddAcl(CommandLine* line);
void AddWhoAmI(CommandLine* line);
void AddLock(CommandLine* line);
void AddElect(CommandLine* line);
void AddSession(CommandLine* line);
void AddMember(CommandLine* line);
void AddLeader(CommandLine* line);
void AddSnapshot(CommandLine* line);
void AddStatus(CommandLine* line);
void AddHealth(CommandLine* line);
void AddDev(CommandLine* line);
void AddCerts(CommandLine* line);
void AddCompletion(CommandLine* line);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_COMMANDS_COMMAND_H_
