#include "zookeeper/errors.h"

namespace pando::zookeeper {

using jute::ErrorCode;
using model::Reason;

ErrorCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return ErrorCode::kOk;
    case Reason::kNoNode:
    case Reason::kNoParent:
      return ErrorCode::kNoNode;
    case Reason::kNodeExists:
      return ErrorCode::kNodeExists;
    case Reason::kNotEmpty:
      return ErrorCode::kNotEmpty;
    case Reason::kBadVersion:
      return ErrorCode::kBadVersion;
    case Reason::kNoChildrenForEphemerals:
      return ErrorCode::kNoChildrenForEphemerals;
    case Reason::kInvalidPath:
    case Reason::kInvalidArgument:
    case Reason::kTooLarge:
      return ErrorCode::kBadArguments;
    case Reason::kInvalidAcl:
      return ErrorCode::kInvalidAcl;
    case Reason::kPermissionDenied:
      return ErrorCode::kNoAuth;
    case Reason::kQuotaExceeded:
    case Reason::kNoSpace:
      return ErrorCode::kQuotaExceeded;
    case Reason::kOverloaded:
      return ErrorCode::kThrottled;
    case Reason::kTimeout:
    case Reason::kNoLeader:
    case Reason::kBehind:
      return ErrorCode::kOperationTimeout;
    case Reason::kConfigInProgress:
      return ErrorCode::kReconfigInProgress;
    case Reason::kSessionExpired:
      return ErrorCode::kSessionExpired;
    case Reason::kSessionMoved:
    case Reason::kUnauthenticated:
    case Reason::kCompacted:
    case Reason::kWrongCluster:
      break;
  }
  return ErrorCode::kSystemError;
}

bool EndsConnection(Reason reason) {
  return reason == Reason::kSessionExpired || reason == Reason::kSessionMoved ||
         reason == Reason::kUnauthenticated;
}

}  // namespace pando::zookeeper
