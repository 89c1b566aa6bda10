// Reply: what a command or a query gives back. Errors are replies; api/ turns them into statuses.
#ifndef PANDO_MODEL_REPLY_H_
#define PANDO_MODEL_REPLY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/acl.h"
#include "model/ids.h"
#include "model/membership.h"
#include "model/node.h"

namespace pando::model {

// Why a request was refused. The numbers are part of the disk format (kept replies): append only.
enum class Reason : uint8_t {
  kOk = 0,
  kNoNode = 1,
  kNodeExists = 2,
  kNoParent = 3,
  kNotEmpty = 4,
  kBadVersion = 5,
  kNoChildrenForEphemerals = 6,
  kInvalidPath = 7,
  kInvalidArgument = 8,
  kInvalidAcl = 9,
  kTooLarge = 10,
  kSessionExpired = 11,
  kSessionMoved = 12,
  kPermissionDenied = 13,
  kUnauthenticated = 14,
  kQuotaExceeded = 15,
  kNoSpace = 16,
  kNoLeader = 17,
  kBehind = 18,
  kCompacted = 19,
  kOverloaded = 20,
  kTimeout = 21,
  kWrongCluster = 22,
  kConfigInProgress = 23,
};
// "NO_NODE" and so on, as api.md spells them.
const char* ReasonName(Reason reason);

// REQUIRES to construct a failure: reason != kOk.
struct Error {
  Reason reason = Reason::kOk;
  std::string path;                 // of the node that the trouble is with; may be empty
  std::string detail;               // one sentence for a person; never matched on
  std::optional<int64_t> expected;  // kBadVersion
  std::optional<int64_t> actual;    // kBadVersion
  Revision oldest;                  // kCompacted: the oldest revision that can be watched from
  // Whether the command may have taken effect all the same, or still may.
  bool maybe_applied = false;

  bool ok() const { return reason == Reason::kOk; }
  friend bool operator==(const Error&, const Error&) = default;
};

// Of one operation on one node; which fields count depends on the operation.
struct OperationResult {
  Error error;           // inside a transaction only
  std::string path;      // Create: the actual path
  Stat stat;             // Create, Set, SetAcl, Get
  NodeBytes data;        // Get
  int64_t touched = 0;   // Delete: nodes removed; SetAcl: nodes changed
  bool existed = false;  // Create with if_not_exists: the node was there before
  friend bool operator==(const OperationResult&, const OperationResult&) = default;
};

struct TransactionResult {
  bool compared_true = false;            // which branch ran: then, or else
  std::vector<OperationResult> results;  // one an operation of that branch
  // Of the operation that failed, when the reply's error says that nothing was changed. The results
  // then say for each operation: kOk before it, its own reason, nothing after it.
  std::optional<uint32_t> failed_operation;
  bool data_omitted = false;  // a repeated answer: what its reads returned was not kept
  friend bool operator==(const TransactionResult&, const TransactionResult&) = default;
};

struct SessionResult {
  SessionId session;
  Attachment attachment;     // OpenSession, AttachSession, ReattachSession
  int64_t timeout_ms = 0;    // as granted
  int64_t time_left_ms = 0;  // KeepAlive: until the session would expire
  friend bool operator==(const SessionResult&, const SessionResult&) = default;
};

struct ListResult {
  struct Child {
    std::string name;
    std::optional<Stat> stat;
    NodeBytes data;
    friend bool operator==(const Child&, const Child&) = default;
  };
  std::vector<Child> children;  // in the order of their bytes
  std::string next_after;       // the last name of the page; empty: there are no more
  Stat parent;
  friend bool operator==(const ListResult&, const ListResult&) = default;
};

struct AclResult {
  Acl acl;
  Stat stat;
  friend bool operator==(const AclResult&, const AclResult&) = default;
};

struct WalkResult {
  struct Node {
    std::string path;
    NodeBytes data;
    Stat stat;
    Acl acl;  // if asked for
    friend bool operator==(const Node&, const Node&) = default;
  };
  std::vector<Node> nodes;  // a parent before its children
  friend bool operator==(const WalkResult&, const WalkResult&) = default;
};

struct SessionsResult {
  struct Session {
    SessionId session;
    int64_t timeout_ms = 0;
    int64_t ephemerals = 0;
    int64_t kept_replies = 0;
    Attachment attachment;
    friend bool operator==(const Session&, const Session&) = default;
  };
  std::vector<Session> sessions;
  friend bool operator==(const SessionsResult&, const SessionsResult&) = default;
};

struct NamesResult {
  std::vector<std::string> names;  // in the order of their bytes
  Stat parent;                     // ListNames only
  friend bool operator==(const NamesResult&, const NamesResult&) = default;
};

struct CountResult {
  int64_t nodes = 0;
  friend bool operator==(const CountResult&, const CountResult&) = default;
};

struct StatsResult {
  std::vector<std::optional<Stat>> stats;  // none: it is not there, or may not be read
  friend bool operator==(const StatsResult&, const StatsResult&) = default;
};

// How the ensemble looks from one server.
struct EnsembleStatus {
  enum class Role : uint8_t { kLeader = 1, kFollower = 2, kLearner = 3, kCandidate = 4 };
  struct Member {
    ServerId id;
    Role role = Role::kFollower;
    Term term;
    Revision applied;
    uint64_t lag = 0;         // revisions behind the newest that this server knows to be committed
    uint64_t disk_bytes = 0;  // of the data dir; 0 where it is not known
    std::string version;      // of the binary; empty where it is not known
    bool reachable = false;
    std::string client_address;
    std::string peer_address;
    std::string http_address;
    std::string zookeeper_address;
    friend bool operator==(const Member&, const Member&) = default;
  };
  ClusterId cluster;
  ServerId leader;  // none: unknown
  Term term;
  std::vector<Member> members;  // a dead one too; by id
  friend bool operator==(const EnsembleStatus&, const EnsembleStatus&) = default;
};

struct DigestResult {
  Revision revision;
  uint64_t digest = 0;  // of the whole replicated state
  friend bool operator==(const DigestResult&, const DigestResult&) = default;
};

struct Reply {
  // Of the command itself if it was applied; of the newest applied command for a query or refusal.
  Revision revision;
  Error error;
  std::variant<std::monostate, OperationResult, TransactionResult, SessionResult, ListResult,
               AclResult, WalkResult, SessionsResult, EnsembleStatus, Membership, DigestResult,
               NamesResult, CountResult, StatsResult>
      result;

  static Reply Failure(Error error) {
    Reply reply;
    reply.error = std::move(error);
    return reply;
  }
  bool ok() const { return error.ok(); }
  friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_REPLY_H_
