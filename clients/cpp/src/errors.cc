#include "errors.h"

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "pando/internal/v1/error.pb.h"

namespace pando::client {
namespace {

constexpr char kErrorInfoType[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kDomain[] = "pando";
constexpr char kReasonPrefix[] = "REASON_";

struct OwnReason {
  Reason reason;
  const char* name;
};

constexpr OwnReason kOwnReasons[] = {{Reason::kNoServer, "NO_SERVER"},
                                     {Reason::kClosed, "CLOSED"},
                                     {Reason::kUnimplemented, "UNIMPLEMENTED"}};

std::string NameOf(Reason reason) {
  for (const OwnReason& own : kOwnReasons) {
    if (own.reason == reason) return own.name;
  }
  return v1::Reason_Name(static_cast<v1::Reason>(reason)).substr(sizeof(kReasonPrefix) - 1);
}

Reason ReasonNamed(const std::string& name) {
  for (const OwnReason& own : kOwnReasons) {
    if (name == own.name) return own.reason;
  }
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  if (!v1::Reason_Parse(kReasonPrefix + name, &reason)) return Reason::kUnknown;
  return static_cast<Reason>(reason);
}

std::optional<pando::internal::v1::ErrorInfo> InfoOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoType);
  pando::internal::v1::ErrorInfo info;
  if (!payload || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  return info;
}

absl::Status WithInfo(absl::StatusCode code, const std::string& message,
                      const pando::internal::v1::ErrorInfo& info) {
  absl::Status status(code, message);
  status.SetPayload(kErrorInfoType, absl::Cord(info.SerializeAsString()));
  return status;
}

// A server's sentence, and the reason for whoever reads only that.
absl::Status FromServer(absl::StatusCode code, const std::string& message,
                        const pando::internal::v1::ErrorInfo& info) {
  return WithInfo(code, absl::StrCat(message, " (", info.reason(), ")"), info);
}

}  // namespace

// --- Reading -------------------------------------------------------------------------------------

Reason ReasonOf(const absl::Status& status) {
  const auto info = InfoOf(status);
  return info ? ReasonNamed(info->reason()) : Reason::kNone;
}

std::string MetadataOf(const absl::Status& status, const std::string& key) {
  const auto info = InfoOf(status);
  if (!info) return "";
  if (key == "reason") return info->reason();
  const auto found = info->metadata().find(key);
  return found == info->metadata().end() ? "" : found->second;
}

std::string PathOf(const absl::Status& status) { return MetadataOf(status, "path"); }

bool MaybeApplied(const absl::Status& status) {
  return MetadataOf(status, "maybe_applied") == "true";
}

bool IsRetriable(const absl::Status& status) { return MetadataOf(status, "retriable") == "true"; }

int64_t OldestRevisionOf(const absl::Status& status) {
  int64_t revision = 0;
  if (!absl::SimpleAtoi(MetadataOf(status, "oldest_revision"), &revision)) return 0;
  return revision;
}

// --- Making --------------------------------------------------------------------------------------

absl::Status MakeError(Reason reason, absl::StatusCode code, const std::string& message,
                       const Metadata& metadata) {
  pando::internal::v1::ErrorInfo info;
  info.set_domain(kDomain);
  info.set_reason(NameOf(reason));
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  return WithInfo(code, message, info);
}

absl::Status NoServer(const std::string& message) {
  return MakeError(Reason::kNoServer, absl::StatusCode::kUnavailable, message);
}

absl::Status Lost(const std::string& message) {
  return MakeError(Reason::kSessionExpired, absl::StatusCode::kFailedPrecondition, message);
}

absl::Status Closed() {
  return MakeError(Reason::kClosed, absl::StatusCode::kCancelled, "it was closed");
}

absl::Status TimedOut(std::chrono::milliseconds timeout, const absl::Status& last) {
  return MakeError(
      Reason::kTimeout, absl::StatusCode::kDeadlineExceeded,
      absl::StrCat("not answered within ", Text(timeout), last.ok() ? "" : ": ", last.message()));
}

absl::Status OperationFailure(const v1::OperationError& error) {
  pando::internal::v1::ErrorInfo info;
  info.set_domain(kDomain);
  const std::string name = v1::Reason_Name(error.reason());
  info.set_reason(name.empty() ? absl::StrCat("REASON ", static_cast<int>(error.reason()))
                               : name.substr(sizeof(kReasonPrefix) - 1));
  *info.mutable_metadata() = error.metadata();
  return FromServer(static_cast<absl::StatusCode>(error.code()), error.message(), info);
}

absl::Status CallFailure(const grpc::Status& status) {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  pando::internal::v1::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) {
      pando::internal::v1::ErrorInfo info;
      if (detail.type_url() == kErrorInfoType && info.ParseFromString(detail.value()) &&
          info.domain() == kDomain) {
        return FromServer(code, status.error_message(), info);
      }
    }
  }
  switch (status.error_code()) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return MakeError(Reason::kUnimplemented, code, status.error_message());
    case grpc::StatusCode::INVALID_ARGUMENT:
      return MakeError(Reason::kInvalidArgument, code, status.error_message());
    default:
      return NoServer(status.error_message());
  }
}

absl::Status WithMaybeApplied(const absl::Status& error) {
  pando::internal::v1::ErrorInfo info = InfoOf(error).value_or(pando::internal::v1::ErrorInfo());
  (*info.mutable_metadata())["maybe_applied"] = "true";
  return WithInfo(error.code(), std::string(error.message()), info);
}

bool IsFinal(const absl::Status& error) {
  switch (ReasonOf(error)) {
    case Reason::kNoServer:
    case Reason::kWrongCluster:
    case Reason::kSessionMoved:
    case Reason::kUnimplemented:
      return false;
    default:
      return !IsRetriable(error);
  }
}

std::string Text(std::chrono::milliseconds duration) {
  return absl::StrCat(duration.count(), " ms");
}

}  // namespace pando::client
