#include "cli/walk.h"

#include "base/status.h"

namespace pando::cli {

absl::Status Walk(Connection* connection, v1::WalkRequest request,
                  const std::function<absl::Status(const v1::WalkEntry&)>& take) {
  absl::Status outcome;
  const auto body = [&](const Server& server, grpc::ClientContext* context) -> grpc::Status {
    connection->PrepareRead(request.mutable_header());
    const auto rpc = server.tree->Walk(context, request);
    bool began = false;
    v1::WalkResponse response;
    while (outcome.ok() && rpc->Read(&response)) {
      connection->Alive();
      connection->Heard(response.header());
      began = true;
      for (const v1::WalkEntry& entry : response.entries()) {
        outcome = take(entry);
        if (!outcome.ok()) break;
      }
    }
    if (!outcome.ok()) context->TryCancel();
    const grpc::Status status = rpc->Finish();
    if (!outcome.ok() || status.ok()) return grpc::Status::OK;
    if (!began) return status;
    outcome =
        absl::UnavailableError("the connection broke in the middle of the walk: run it again");
    return grpc::Status::OK;
  };
  PANDO_RETURN_IF_ERROR(connection->Call(CallKind::kStream, body));
  return outcome;
}

}  // namespace pando::cli
