// BashCompletion: what makes bash complete `pando` on Tab.
#ifndef PANDO_CLIENTS_CLI_COMPLETION_H_
#define PANDO_CLIENTS_CLI_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <string>

namespace pando::cli {

// A script for bash 4 and newer. Completes commands and options, as they stand in `app`; values of
// --output; files where a command takes one; and nodes by asking the servers for the children of
// what is typed so far, for half a second at most and silently. Needs nothing but bash.
std::string BashCompletion(const CLI::App& app);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_COMPLETION_H_
