// Why a call failed: an absl::Status with the gRPC code, a message for people, and in its payload
// what the server says beside them. Match on ReasonOf, never on the message.
#ifndef PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_ERROR_H_
#define PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_ERROR_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "pando/v1/common.pb.h"

namespace pando::client {

enum class Reason {
  kNone = 0,  // it is OK, or says no reason
  // As in common.proto.
  kNoNode = v1::REASON_NO_NODE,
  kNodeExists = v1::REASON_NODE_EXISTS,
  kNoParent = v1::REASON_NO_PARENT,
  kNotEmpty = v1::REASON_NOT_EMPTY,
  kBadVersion = v1::REASON_BAD_VERSION,
  kNoChildrenForEphemerals = v1::REASON_NO_CHILDREN_FOR_EPHEMERALS,
  kInvalidPath = v1::REASON_INVALID_PATH,
  kInvalidArgument = v1::REASON_INVALID_ARGUMENT,
  kInvalidAcl = v1::REASON_INVALID_ACL,
  kTooLarge = v1::REASON_TOO_LARGE,
  kSessionExpired = v1::REASON_SESSION_EXPIRED,  // the session is lost
  kSessionMoved = v1::REASON_SESSION_MOVED,
  kPermissionDenied = v1::REASON_PERMISSION_DENIED,
  kUnauthenticated = v1::REASON_UNAUTHENTICATED,
  kQuotaExceeded = v1::REASON_QUOTA_EXCEEDED,
  kNoSpace = v1::REASON_NO_SPACE,
  kNoLeader = v1::REASON_NO_LEADER,
  kBehind = v1::REASON_BEHIND,
  kCompacted = v1::REASON_COMPACTED,
  kOverloaded = v1::REASON_OVERLOADED,
  kTimeout = v1::REASON_TIMEOUT,  // MaybeApplied says what it means for a write
  kWrongCluster = v1::REASON_WRONG_CLUSTER,
  kConfigInProgress = v1::REASON_CONFIG_IN_PROGRESS,
  // This package's own.
  kNoServer = 1000,  // no server answers
  kClosed,           // the session, or the watch, was closed here
  kUnimplemented,    // the server does not know the call
  kUnknown,          // of a server that is newer than this package: see MetadataOf
};

Reason ReasonOf(const absl::Status& status);

// What common.proto lists under `key`, and "reason" by its name; "" where there is none.
std::string MetadataOf(const absl::Status& status, const std::string& key);

// The node that the trouble is with.
std::string PathOf(const absl::Status& status);

// The write may have taken effect, or still may.
bool MaybeApplied(const absl::Status& status);

// The same request may succeed later or elsewhere.
bool IsRetriable(const absl::Status& status);

// Of kCompacted: what can still be watched from.
int64_t OldestRevisionOf(const absl::Status& status);

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_ERROR_H_
