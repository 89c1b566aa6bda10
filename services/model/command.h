// Command: what a log entry asks of the machine. Plain structs; codec/command.h gives them bytes.
#ifndef PANDO_MODEL_COMMAND_H_
#define PANDO_MODEL_COMMAND_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/acl.h"
#include "model/ids.h"
#include "model/node.h"
#include "model/reply.h"

namespace pando::model {

// --- Operations on the tree -------------------------------------------------------------------

struct Create {
  std::string path;  // for a sequential node the suffix comes after it; then it may end with '/'
  NodeBytes data;
  NodeKind kind = NodeKind::kPersistent;
  bool sequential = false;
  // QUOTA_EXCEEDED once the number has more than 31 bits: whoever asks reads no larger ones.
  bool sequence_is_int32 = false;
  int64_t ttl_ms = 0;  // kTtl only: 1..kTtlMsMax
  Acl acl;             // empty: OpenAcl()
  bool create_parents = false;
  bool if_not_exists = false;  // an existing node is success, and is left as it is
};

struct Set {
  std::string path;
  NodeBytes data;
  std::optional<int64_t> expected_version;
};

struct Delete {
  std::string path;
  std::optional<int64_t> expected_version;
  bool recursive = false;
  // Recursive only: a larger subtree is NOT_EMPTY. 0: what kRecursiveNodesMax allows.
  uint32_t nodes_max = 0;
};

struct SetAcl {
  std::string path;
  Acl acl;
  std::optional<int64_t> expected_acl_version;
  bool recursive = false;
};

// The node exists, at this version if one is named. ZooKeeper's check, for transactions.
struct Check {
  std::string path;
  std::optional<int64_t> expected_version;
};

// The node does not exist, at this version if one is named. Keeper's checkNotExists.
struct CheckAbsent {
  std::string path;
  std::optional<int64_t> expected_version;
};

// A read inside a transaction: it sees the operations before it.
struct Get {
  std::string path;
  bool without_data = false;
};

// The order of alternatives is the order of codec's tags: append only.
using Operation = std::variant<Create, Set, Delete, SetAcl, Check, Get, CheckAbsent>;

struct Compare {
  enum class Subject : uint8_t {
    kExists = 1,  // number: 1 or 0
    kVersion = 2,
    kCreateRevision = 3,
    kModifyRevision = 4,
    kData = 5,  // bytes; null data is less than empty data
    kChildrenCount = 6,
    kOwner = 7,  // number: a session id, 0 for none
  };
  enum class Relation : uint8_t { kEqual = 1, kNotEqual = 2, kLess = 3, kGreater = 4 };

  std::string path;
  Subject subject = Subject::kExists;
  Relation relation = Relation::kEqual;
  int64_t number = 0;
  NodeBytes bytes;  // kData only
};

// All of one branch, or nothing. A missing node fails every compare but those of kExists.
struct Transaction {
  std::vector<Compare> compares;
  std::vector<Operation> then_operations;
  std::vector<Operation> else_operations;
};

// --- Sessions ---------------------------------------------------------------------------------

struct OpenSession {
  int64_t timeout_ms = 0;  // already clamped by the edge to kSessionTimeoutMsMin..Max
  std::string token_hash;  // SHA-256 of the secret token, 32 bytes
};
// Moves the session to the connection that sent it: its revision is the new attachment.
struct AttachSession {
  SessionId session;
};
// AttachSession, and the timeout is another one from now on. ZooKeeper's clients ask for theirs
// whenever they connect.
struct ReattachSession {
  SessionId session;
  int64_t timeout_ms = 0;  // as in OpenSession
};
struct CloseSession {
  SessionId session;
};
// Proposed by a leader that has just confirmed itself.
struct ExpireSessions {
  std::vector<SessionId> sessions;
};

// --- The ensemble's own -----------------------------------------------------------------------

// The first command of every log: it makes the root, and gives the ensemble its name.
struct Found {
  ClusterId cluster;
};
// Container and TTL nodes that the leader's expiry index thinks are due; Apply checks each again.
struct Reap {
  struct Node {
    std::string path;
    Revision create_revision;
    base::WallTime mtime;
  };
  std::vector<Node> nodes;
};
// The machine behaves by `version` from here on; proposed when every member supports it.
struct SetMachineVersion {
  uint32_t version = 0;
};
// A numbered command that the leader's own limits refuse: it takes its number and does nothing.
struct Refuse {
  Reason reason = Reason::kOverloaded;
};
// A numbered command whose caller was already told `maybe_applied`.
struct Nothing {};

// What is in a command. The order of alternatives is the order of codec's tags: append only.
using CommandBody = std::variant<Nothing, Refuse, Found, SetMachineVersion, Create, Set, Delete,
                                 SetAcl, Transaction, OpenSession, AttachSession, CloseSession,
                                 ExpireSessions, Reap, ReattachSession>;

// One running server, the sender of numbered commands.
struct Source {
  StorageId storage;  // none: a leader's own command, which carries no number
  StartCount start;
  friend bool operator==(const Source&, const Source&) = default;
};

struct Command {
  Source source;
  SourceNumber number;
  base::WallTime stamp;  // given by the leader: max(previous stamp, its wall clock)
  std::vector<Identity> identities;

  SessionId session;            // none: a write without a session
  Attachment attachment;        // none: a unary call
  RequestId request;            // none: not kept, a repeat applies again
  RequestId first_outstanding;  // kept replies below it are dropped; none: drop nothing
  uint64_t request_hash = 0;    // of the request as the client sent it; with `request` only

  CommandBody body;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_COMMAND_H_
