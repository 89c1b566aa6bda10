// The line format of `pando txn FILE`.
//
//   # A comment; empty lines are skipped.
//   compare exists /config = true
//   compare version /config = 3
//   then set /config "new text" --if-version 3
//   then create /config/history/entry- "old text" -s
//   else get /config
//
//   compare SUBJECT PATH RELATION VALUE
//     SUBJECT   exists | version | create-revision | modify-revision | data | children | owner
//     RELATION  = | != | < | >
//     VALUE     true or false (exists); a word, or null (data); a whole number (all others)
//   then OPERATION
//   else OPERATION
//   OPERATION                    the same as `then OPERATION`
//     create PATH [DATA] [-s] [-p] [-c] [--ttl TIME]   -c: a container node
//     set PATH DATA [--if-version N]
//     rm PATH [-r] [--if-version N]
//     check PATH [--if-version N]
//     get PATH
//
// Words are separated by blanks. A word in double quotes may hold blanks, and \" \\ \n \r \t \xNN.
// DATA that is the bare word null is null data; "" is empty data.
#ifndef PANDO_CLIENTS_CLI_TXN_H_
#define PANDO_CLIENTS_CLI_TXN_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "pando/v1/tree.pb.h"

namespace pando::cli {

// What `text` says. INVALID_ARGUMENT names the line and what is wrong with it. Whether paths are
// paths, and numbers of operations are within limits, is left to the server.
absl::StatusOr<v1::TransactRequest> ParseTransaction(std::string_view text);

// The format, for --help.
extern const char kTransactionFormat[];

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_TXN_H_
