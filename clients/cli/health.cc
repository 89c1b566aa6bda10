#include "cli/health.h"

#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>
#include <vector>

#include "base/status.h"

namespace pando::cli {
namespace {

// health.proto is in no package. Both messages are small enough to be known by their bytes: an
// empty request asks for the whole server, and a response has `status` as field 1.
constexpr char kMethod[] = "/grpc.health.v1.Health/Check";
constexpr char kServing[] = "\x08\x01";

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

absl::Status CheckHealth(Connection* connection) {
  const grpc::internal::RpcMethod method(kMethod, grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ByteBuffer answer;
  PANDO_RETURN_IF_ERROR(
      connection->Call(CallKind::kRead, [&](const Server& server, grpc::ClientContext* context) {
        const grpc::Slice empty;
        const grpc::ByteBuffer request(&empty, 1);
        answer.Clear();
        return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
            server.channel.get(), method, context, request, &answer);
      }));
  if (BytesOf(answer) == kServing) return absl::OkStatus();
  return absl::FailedPreconditionError("the server is up, and does not serve: see its log");
}

}  // namespace pando::cli
