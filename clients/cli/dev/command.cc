#include "cli/dev/command.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace pando::cli {
namespace {

using Kind = DevCommand::Kind;

struct Row {
  std::string_view name;
  Kind kind;
  bool names_server;
  std::string_view help;
};

constexpr std::array kRows = {
    Row{"kill", Kind::kKill, true, "kill -9 it: the others go on while a majority is left"},
    Row{"start", Kind::kStart, true, "start it again on its data"},
    Row{"partition", Kind::kPartition, true, "cut it off from the others; clients still reach it"},
    Row{"heal", Kind::kHeal, true, "undo that"},
    Row{"status", Kind::kStatus, false, "how each server stands"},
    Row{"help", Kind::kHelp, false, "this"},
    Row{"quit", Kind::kQuit, false, "stop all servers; Ctrl-C does the same"},
};

}  // namespace

absl::StatusOr<DevCommand> ParseDevCommand(std::string_view line, int servers) {
  const std::vector<std::string> words = absl::StrSplit(
      absl::string_view(line.data(), line.size()), absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  if (words.empty()) return DevCommand{};
  const auto row = std::find_if(kRows.begin(), kRows.end(),
                                [&](const Row& candidate) { return candidate.name == words[0]; });
  if (row == kRows.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no command ", words[0], "; help lists them"));
  }
  DevCommand command{.kind = row->kind};
  if (!row->names_server) {
    if (words.size() == 1) return command;
    return absl::InvalidArgumentError(absl::StrCat(words[0], " stands alone"));
  }
  const bool is_number = words.size() == 2 && absl::SimpleAtoi(words[1], &command.server);
  if (is_number && command.server >= 1 && command.server <= servers) return command;
  return absl::InvalidArgumentError(
      absl::StrCat(words[0], " takes the number of a server, 1 to ", servers));
}

std::string DevHelp() {
  std::string text;
  for (const Row& row : kRows) {
    const std::string usage = absl::StrCat(base::View(row.name), row.names_server ? " N" : "");
    absl::StrAppendFormat(&text, "  %-12s  %s\n", usage, std::string(row.help));
  }
  return text;
}

}  // namespace pando::cli
