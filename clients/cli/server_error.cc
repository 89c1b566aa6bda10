#include "cli/server_error.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "pando/internal/v1/error.pb.h"

namespace pando::cli {
namespace {

constexpr std::string_view kErrorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr std::string_view kReasonPrefix = "REASON_";

// What to do, where the reason alone tells. `path` is the node's.
std::string Advice(const ServerError& error, const std::string& path) {
  const std::string& reason = error.reason;
  if (reason.empty() && error.code == grpc::StatusCode::UNIMPLEMENTED) {
    return "this version of the server does not offer that yet";
  }
  // Members have no path; the server's words name them.
  if (reason == "NO_NODE" && !path.empty()) return absl::StrCat("there is no node ", path);
  if (reason == "NODE_EXISTS" && !path.empty()) {
    return absl::StrCat(path, " exists already; `pando set` changes its data");
  }
  if (reason == "NO_PARENT") {
    return absl::StrCat("the parent of ", path, " does not exist; `pando create -p` makes it");
  }
  if (reason == "NOT_EMPTY") {
    return absl::StrCat(path, " has children; `pando rm -r` removes them too");
  }
  if (reason == "BAD_VERSION") {
    return absl::StrCat(path, " is at version ", error.Metadata("actual_version"), ", not ",
                        error.Metadata("expected_version"), "; read it again");
  }
  if (reason == "NO_CHILDREN_FOR_EPHEMERALS") {
    return absl::StrCat(path, " would lie below an ephemeral node, which can have no children");
  }
  // What only administrators may do has no path either.
  if (reason == "PERMISSION_DENIED" && !path.empty()) {
    return absl::StrCat("the ACL does not let you do that to ", path);
  }
  if (reason == "NO_SPACE") return "the servers' disks are full; free some space on them";
  if (reason == "NO_LEADER") {
    return "the ensemble has no leader; `pando status` shows which servers are up";
  }
  if (reason == "COMPACTED") {
    return absl::StrCat("the change log goes back to revision ", error.Metadata("oldest_revision"),
                        " only; read the tree again and watch from now");
  }
  if (reason == "OVERLOADED") return "the server is overloaded; try again later";
  if (reason == "WRONG_CLUSTER") {
    return "that server belongs to another cluster; check --endpoints and --cluster";
  }
  if (reason == "CONFIG_IN_PROGRESS") {
    return "another change of the members is under way; try again when it is done";
  }
  return "";
}

}  // namespace

std::string ServerError::Metadata(const std::string& key) const {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

ServerError ErrorOf(const grpc::Status& status) {
  CHECK(!status.ok());
  ServerError error;
  error.code = status.error_code();
  error.message = status.error_message();
  internal::v1::Status details;
  if (!details.ParseFromString(status.error_details())) return error;
  for (const auto& detail : details.details()) {
    internal::v1::ErrorInfo info;
    if (detail.type_url() != kErrorInfoType || !info.ParseFromString(detail.value())) continue;
    error.reason = info.reason();
    error.metadata.insert(info.metadata().begin(), info.metadata().end());
  }
  return error;
}

ServerError ErrorOf(const v1::OperationError& operation_error) {
  ServerError error;
  error.code = static_cast<grpc::StatusCode>(operation_error.code());
  const std::string name = v1::Reason_Name(operation_error.reason());
  error.reason = name.empty() ? absl::StrCat(static_cast<int>(operation_error.reason()))
                              : name.substr(kReasonPrefix.size());
  error.message = operation_error.message();
  error.metadata.insert(operation_error.metadata().begin(), operation_error.metadata().end());
  return error;
}

Verdict Judge(const ServerError& error) {
  if (error.Metadata("maybe_applied") == "true") return Verdict::kLost;
  if (error.reason == "WRONG_CLUSTER") return Verdict::kElsewhere;
  if (!error.reason.empty()) {
    return error.Metadata("retriable") == "true" ? Verdict::kTryAgain : Verdict::kRefused;
  }
  switch (error.code) {
    // gRPC's own words for a broken, silent or reset connection.
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return Verdict::kLost;
    default:
      return Verdict::kRefused;
  }
}

std::string Describe(const ServerError& error) {
  const std::string path = error.Metadata("path");
  std::string words = Advice(error, path);
  if (words.empty()) {
    words = error.message.empty() ? "the server gave no reason" : error.message;
    // A server's sentence may say the path already.
    if (!path.empty() && words.find(path) == std::string::npos) {
      words = absl::StrCat(path, ": ", words);
    }
  }
  if (!error.Metadata("failed_operation").empty()) {
    words = absl::StrCat("\"", error.Metadata("branch"), "\" operation ",
                         error.Metadata("failed_operation"), " (from 0): ", words);
  }
  if (!error.reason.empty()) return absl::StrCat(words, " (", error.reason, ")");
  return absl::StrCat(words, " (gRPC code ", static_cast<int>(error.code), ")");
}

absl::Status FinalStatus(const ServerError& error, bool is_write) {
  const std::string words = Describe(error);
  switch (Judge(error)) {
    case Verdict::kRefused:
    case Verdict::kElsewhere:
      return absl::FailedPreconditionError(words);
    case Verdict::kTryAgain:
      // A server that cannot serve now is as good as none; the other refusals are about the
      // request.
      if (error.code == grpc::StatusCode::UNAVAILABLE) return absl::UnavailableError(words);
      return absl::FailedPreconditionError(words);
    case Verdict::kLost:
      break;
  }
  if (!is_write) return absl::UnavailableError(absl::StrCat("the answer was lost: ", words));
  return absl::AbortedError(absl::StrCat(
      "the answer was lost, and the write may have been applied: look before you repeat it; ",
      words));
}

}  // namespace pando::cli
