// RunPipeline: very many operations, in order, over one Pipeline stream.
#ifndef PANDO_CLIENTS_CLI_PIPELINE_H_
#define PANDO_CLIENTS_CLI_PIPELINE_H_

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "cli/connection.h"
#include "pando/v1/tree.pb.h"

namespace pando::cli {

// Where operations come from and their results go to. Both are called by the thread that runs the
// pipeline, never while the other is.
struct PipelineTraffic {
  // The next operation (its request_id is not used); nullopt: none now. It is asked again after
  // results have come, because those may call for more operations.
  std::function<std::optional<v1::PipelineOperation>()> next;
  // What the server answered, in the order of the operations. A failure stops the pipeline.
  std::function<absl::Status(const v1::PipelineOperation&, const v1::PipelineResult&)> on_result;
  // They are reads, and see what earlier calls have seen.
  bool reads = false;
};

// Runs until there is nothing more to send and all is answered. At most 2,048 operations and 16 MiB
// wait for their answers at once. When the stream breaks, or an operation meets a passing trouble
// (no leader, overload), all that is not answered is sent again, in order, to a server that
// answers: an operation may be applied twice, so each must bear that.
absl::Status RunPipeline(Connection* connection, const PipelineTraffic& traffic);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_PIPELINE_H_
