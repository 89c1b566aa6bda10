#include "api/errors.h"

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "pando/internal/v1/error.pb.h"

namespace pando::api {
namespace {

using grpc::StatusCode;
using model::Error;
using model::Reason;

// A gRPC client takes 8 KiB of trailers in all. The details come base64-encoded with a path of at
// most 4 KiB in them, and the message comes twice.
constexpr size_t kMessageBytesMax = 256;

struct Row {
  Reason reason;
  StatusCode code;
  bool retriable;
  const char* message;  // if the error has no detail of its own
};

// By number.
constexpr std::array kRows = {
    Row{Reason::kOk, StatusCode::OK, false, ""},
    Row{Reason::kNoNode, StatusCode::NOT_FOUND, false, "there is no such node"},
    Row{Reason::kNodeExists, StatusCode::ALREADY_EXISTS, false, "the node exists already"},
    Row{Reason::kNoParent, StatusCode::FAILED_PRECONDITION, false, "the parent does not exist"},
    Row{Reason::kNotEmpty, StatusCode::FAILED_PRECONDITION, false, "the node has children"},
    Row{Reason::kBadVersion, StatusCode::FAILED_PRECONDITION, false,
        "the version is another than expected"},
    Row{Reason::kNoChildrenForEphemerals, StatusCode::FAILED_PRECONDITION, false,
        "an ephemeral node has no children"},
    Row{Reason::kInvalidPath, StatusCode::INVALID_ARGUMENT, false, "the path is not valid"},
    Row{Reason::kInvalidArgument, StatusCode::INVALID_ARGUMENT, false,
        "a field has a value that it cannot have"},
    Row{Reason::kInvalidAcl, StatusCode::INVALID_ARGUMENT, false, "the ACL is not valid"},
    Row{Reason::kTooLarge, StatusCode::INVALID_ARGUMENT, false, "the request is over a limit"},
    Row{Reason::kSessionExpired, StatusCode::FAILED_PRECONDITION, false, "the session is over"},
    Row{Reason::kSessionMoved, StatusCode::ABORTED, false,
        "the session has moved to a newer connection"},
    Row{Reason::kPermissionDenied, StatusCode::PERMISSION_DENIED, false,
        "the ACL does not permit it"},
    Row{Reason::kUnauthenticated, StatusCode::UNAUTHENTICATED, false,
        "the session token or a credential is wrong or missing"},
    Row{Reason::kQuotaExceeded, StatusCode::RESOURCE_EXHAUSTED, false, "the quota is used up"},
    Row{Reason::kNoSpace, StatusCode::RESOURCE_EXHAUSTED, true, "the servers' disks are full"},
    Row{Reason::kNoLeader, StatusCode::UNAVAILABLE, true, "there is no leader"},
    Row{Reason::kBehind, StatusCode::UNAVAILABLE, true,
        "this server has not applied the revision yet"},
    Row{Reason::kCompacted, StatusCode::OUT_OF_RANGE, false,
        "the change log no longer goes back that far"},
    Row{Reason::kOverloaded, StatusCode::RESOURCE_EXHAUSTED, true,
        "the server is full: try again later"},
    Row{Reason::kTimeout, StatusCode::DEADLINE_EXCEEDED, true, "the deadline passed first"},
    Row{Reason::kWrongCluster, StatusCode::FAILED_PRECONDITION, false,
        "the header names another ensemble"},
    Row{Reason::kConfigInProgress, StatusCode::FAILED_PRECONDITION, true,
        "another change of the membership is under way"},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<size_t>(kRows[i].reason) != i) return false;
  }
  return true;
}
static_assert(InOrder());
static_assert(kRows.size() == v1::Reason_ARRAYSIZE, "a reason without a row");

const Row& RowOf(Reason reason) {
  const size_t number = static_cast<size_t>(reason);
  CHECK(number > 0);
  CHECK(number < kRows.size());
  return kRows[number];
}

// Proto strings are UTF-8, and a path that was cut may end inside a character.
std::string CutToCharacter(std::string s, size_t bytes_max) {
  if (s.size() > bytes_max) s.resize(bytes_max);
  size_t last = s.size();
  while (last > 0 && (static_cast<unsigned char>(s[last - 1]) & 0xC0) == 0x80) --last;
  if (last == 0) return s.empty() ? s : std::string();
  const unsigned char lead = static_cast<unsigned char>(s[last - 1]);
  const size_t wanted = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (s.size() - (last - 1) < wanted) s.resize(last - 1);
  return s;
}

std::string MessageOf(const Error& error) {
  return CutToCharacter(error.detail.empty() ? RowOf(error.reason).message : error.detail,
                        kMessageBytesMax);
}

std::map<std::string, std::string> MetadataOf(const model::Reply& reply) {
  const Error& error = reply.error;
  std::map<std::string, std::string> metadata;
  if (!error.path.empty()) metadata["path"] = CutToCharacter(error.path, error.path.size());
  if (error.expected) metadata["expected_version"] = std::to_string(*error.expected);
  if (error.actual) metadata["actual_version"] = std::to_string(*error.actual);
  if (error.oldest) metadata["oldest_revision"] = std::to_string(error.oldest.value());
  if (error.maybe_applied) metadata["maybe_applied"] = "true";
  if (IsRetriable(error.reason)) metadata["retriable"] = "true";
  const auto* transaction = std::get_if<model::TransactionResult>(&reply.result);
  if (transaction != nullptr && transaction->failed_operation) {
    metadata["branch"] = transaction->compared_true ? "then" : "else";
    metadata["failed_operation"] = std::to_string(*transaction->failed_operation);
  }
  return metadata;
}

}  // namespace

StatusCode CodeOf(Reason reason) { return RowOf(reason).code; }

bool IsRetriable(Reason reason) { return RowOf(reason).retriable; }

grpc::Status ToStatus(const model::Reply& reply) {
  if (reply.ok()) return grpc::Status::OK;
  const StatusCode code = CodeOf(reply.error.reason);
  const std::string message = MessageOf(reply.error);

  internal::v1::ErrorInfo info;
  info.set_reason(model::ReasonName(reply.error.reason));
  info.set_domain("pando");
  for (auto& [key, value] : MetadataOf(reply)) (*info.mutable_metadata())[key] = value;

  internal::v1::Status details;
  details.set_code(code);
  details.set_message(message);
  google::protobuf::Any* detail = details.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value(info.SerializeAsString());
  return {code, message, details.SerializeAsString()};
}

grpc::Status ToStatus(const Error& error) { return ToStatus(model::Reply::Failure(error)); }

void ToProto(const model::Reply& reply, v1::OperationError* out) {
  out->set_code(CodeOf(reply.error.reason));
  out->set_reason(static_cast<v1::Reason>(reply.error.reason));
  out->set_message(MessageOf(reply.error));
  for (auto& [key, value] : MetadataOf(reply)) (*out->mutable_metadata())[key] = value;
}

grpc::Status GoingAway() { return {StatusCode::UNAVAILABLE, "the server is going away"}; }

Error InvalidArgument(std::string detail) {
  return {.reason = Reason::kInvalidArgument, .detail = std::move(detail)};
}

Error ErrorOfScan(const absl::Status& status) {
  CHECK(!status.ok());
  // But for the time limit: too many scans, or a store that had to reopen. Later it may work.
  return {.reason = status.code() == absl::StatusCode::kDeadlineExceeded ? Reason::kTimeout
                                                                         : Reason::kOverloaded,
          .detail = std::string(status.message())};
}

}  // namespace pando::api
