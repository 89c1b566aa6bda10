#include "model/reply.h"

#include "base/check.h"

namespace pando::model {

const char* ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return "OK";
    case Reason::kNoNode:
      return "NO_NODE";
    case Reason::kNodeExists:
      return "NODE_EXISTS";
    case Reason::kNoParent:
      return "NO_PARENT";
    case Reason::kNotEmpty:
      return "NOT_EMPTY";
    case Reason::kBadVersion:
      return "BAD_VERSION";
    case Reason::kNoChildrenForEphemerals:
      return "NO_CHILDREN_FOR_EPHEMERALS";
    case Reason::kInvalidPath:
      return "INVALID_PATH";
    case Reason::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case Reason::kInvalidAcl:
      return "INVALID_ACL";
    case Reason::kTooLarge:
      return "TOO_LARGE";
    case Reason::kSessionExpired:
      return "SESSION_EXPIRED";
    case Reason::kSessionMoved:
      return "SESSION_MOVED";
    case Reason::kPermissionDenied:
      return "PERMISSION_DENIED";
    case Reason::kUnauthenticated:
      return "UNAUTHENTICATED";
    case Reason::kQuotaExceeded:
      return "QUOTA_EXCEEDED";
    case Reason::kNoSpace:
      return "NO_SPACE";
    case Reason::kNoLeader:
      return "NO_LEADER";
    case Reason::kBehind:
      return "BEHIND";
    case Reason::kCompacted:
      return "COMPACTED";
    case Reason::kOverloaded:
      return "OVERLOADED";
    case Reason::kTimeout:
      return "TIMEOUT";
    case Reason::kWrongCluster:
      return "WRONG_CLUSTER";
    case Reason::kConfigInProgress:
      return "CONFIG_IN_PROGRESS";
  }
  base::Fatal("a Reason outside its enumeration");
}

}  // namespace pando::model
