// AddBench: adds `pando bench`, which is at home in clients/bench.
#ifndef PANDO_CLIENTS_CLI_COMMANDS_BENCH_H_
#define PANDO_CLIENTS_CLI_COMMANDS_BENCH_H_

namespace pando::cli {

struct CommandLine;

void AddBench(CommandLine* line);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_COMMANDS_BENCH_H_
