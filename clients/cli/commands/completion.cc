#include "cli/completion.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/command.h"

namespace pando::cli {

void AddCompletion(CommandLine* line) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command =
      AddCommand(line, &line->app, "completion",
                 "Print the shell's completion: source <(pando completion bash)", [line] {
                   Print(BashCompletion(line->app));
                   return absl::OkStatus();
                 });
  command->add_option("SHELL", *shell, "The shell: bash")
      ->required()
      ->check(CLI::IsMember({"bash"}));
}

}  // namespace pando::cli
