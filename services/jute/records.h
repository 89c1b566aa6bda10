// Records: what ZooKeeper's clients and servers say to one another, as plain structs in their own
// terms (ZooKeeper 3.9). jute/decode.h and jute/encode.h give them bytes.
//
// A null string or vector counts as an empty one where ZooKeeper has no use for the difference.
#ifndef PANDO_JUTE_RECORDS_H_
#define PANDO_JUTE_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/acl.h"
#include "model/node.h"

namespace pando::jute {

enum class Opcode : int32_t {
  kNotification = 0,
  kCreate = 1,
  kDelete = 2,
  kExists = 3,
  kGetData = 4,
  kSetData = 5,
  kGetAcl = 6,
  kSetAcl = 7,
  kGetChildren = 8,
  kSync = 9,
  kPing = 11,
  kGetChildren2 = 12,
  kCheck = 13,
  kMulti = 14,
  kCreate2 = 15,
  kReconfig = 16,
  kCheckWatches = 17,
  kRemoveWatches = 18,
  kCreateContainer = 19,
  kDeleteContainer = 20,
  kCreateTtl = 21,
  kMultiRead = 22,
  kAuth = 100,
  kSetWatches = 101,
  kSasl = 102,
  kGetEphemerals = 103,
  kGetAllChildrenNumber = 104,
  kSetWatches2 = 105,
  kAddWatch = 106,
  kWhoAmI = 107,
  // ClickHouse Keeper's.
  kFilteredList = 500,
  kCheckNotExists = 501,
  kCreateIfNotExists = 502,
  kRemoveRecursive = 503,
  kCreateSession = -10,
  kCloseSession = -11,
  kError = -1,
};

enum class ErrorCode : int32_t {
  kOk = 0,
  kSystemError = -1,
  kRuntimeInconsistency = -2,
  kDataInconsistency = -3,
  kMarshallingError = -5,
  kUnimplemented = -6,
  kOperationTimeout = -7,
  kBadArguments = -8,
  kNewConfigNoQuorum = -13,
  kReconfigInProgress = -14,
  kNoNode = -101,
  kNoAuth = -102,
  kBadVersion = -103,
  kNoChildrenForEphemerals = -108,
  kNodeExists = -110,
  kNotEmpty = -111,
  kSessionExpired = -112,
  kInvalidAcl = -114,
  kAuthFailed = -115,
  kNotReadOnly = -119,
  kNoWatcher = -121,
  kReconfigDisabled = -123,
  kQuotaExceeded = -125,
  kThrottled = -127,
};

// Of requests that are no operations on nodes.
inline constexpr int32_t kNotificationXid = -1;
inline constexpr int32_t kPingXid = -2;
inline constexpr int32_t kAuthXid = -4;
inline constexpr int32_t kSetWatchesXid = -8;

inline constexpr size_t kPasswordBytes = 16;

// --- The handshake, which has no headers ------------------------------------------------------

struct ConnectRequest {
  int32_t protocol_version = 0;
  int64_t last_zxid_seen = 0;
  int32_t timeout_ms = 0;
  int64_t session_id = 0;  // 0: a new one
  std::string password;
  std::optional<bool> read_only;  // absent: a client from before 3.4
};

struct ConnectResponse {
  int32_t timeout_ms = 0;  // 0: the session is refused
  int64_t session_id = 0;
  std::string password;           // kPasswordBytes
  std::optional<bool> read_only;  // present iff the request's was
};

// --- Requests ---------------------------------------------------------------------------------

struct RequestHeader {
  int32_t xid = 0;
  Opcode type = Opcode::kPing;
};

// kCreate, kCreate2, kCreateContainer, kCreateTtl, kCreateIfNotExists.
struct Create {
  Opcode type = Opcode::kCreate;
  std::string path;
  model::NodeBytes data;
  model::Acl acl;
  int32_t flags = 0;
  int64_t ttl_ms = 0;  // kCreateTtl only
};
struct Delete {
  std::string path;
  int32_t version = 0;  // -1: any
};
struct SetData {
  std::string path;
  model::NodeBytes data;
  int32_t version = 0;
};
struct Check {
  std::string path;
  int32_t version = 0;
};
// kExists, kGetData, kGetChildren, kGetChildren2, kFilteredList.
struct Read {
  Opcode type = Opcode::kGetData;
  std::string path;
  bool watch = false;
  uint8_t filter = 0;  // kFilteredList only: 0 all, 1 persistent ones, 2 ephemeral ones
};
struct GetAcl {
  std::string path;
};
struct SetAcl {
  std::string path;
  model::Acl acl;
  int32_t version = 0;
};
struct Sync {
  std::string path;
};
// As Check, of a node that must not be there.
struct CheckNotExists {
  std::string path;
  int32_t version = 0;
};
struct RemoveRecursive {
  std::string path;
  uint32_t nodes_max = 0;  // of a larger subtree nothing is removed
};
struct Ping {};
struct CloseSession {};
struct Multi {
  using Part = std::variant<Create, Delete, SetData, Check, CheckNotExists, RemoveRecursive>;
  std::vector<Part> parts;
};
struct MultiRead {
  std::vector<Read> parts;  // kGetData, kGetChildren
};
struct Reconfig {
  std::optional<std::string> joining;
  std::optional<std::string> leaving;
  std::optional<std::string> new_members;
  int64_t config_id = 0;
};
struct CheckWatches {
  std::string path;
  int32_t type = 0;
};
struct RemoveWatches {
  std::string path;
  int32_t type = 0;
};
struct Auth {
  int32_t type = 0;
  std::string scheme;
  std::string credential;
};
// kSetWatches, kSetWatches2.
struct SetWatches {
  int64_t relative_zxid = 0;
  std::vector<std::string> data;
  std::vector<std::string> exist;
  std::vector<std::string> child;
  std::vector<std::string> persistent;
  std::vector<std::string> persistent_recursive;
};
struct Sasl {
  std::string token;
};
struct GetEphemerals {
  std::string prefix;
};
struct GetAllChildrenNumber {
  std::string path;
};
struct AddWatch {
  std::string path;
  int32_t mode = 0;  // 0 persistent, 1 persistent and recursive
};
struct WhoAmI {};

using Request = std::variant<Create, Delete, SetData, Check, Read, GetAcl, SetAcl, Sync, Ping,
                             CloseSession, Multi, MultiRead, Reconfig, CheckWatches, RemoveWatches,
                             Auth, SetWatches, Sasl, GetEphemerals, GetAllChildrenNumber, AddWatch,
                             WhoAmI, CheckNotExists, RemoveRecursive>;

// --- Replies ----------------------------------------------------------------------------------

struct ReplyHeader {
  int32_t xid = 0;
  int64_t zxid = 0;
  ErrorCode error = ErrorCode::kOk;
};

enum class EventType : int32_t {
  kNodeCreated = 1,
  kNodeDeleted = 2,
  kNodeDataChanged = 3,
  kNodeChildrenChanged = 4,
};

}  // namespace pando::jute

#endif  // PANDO_JUTE_RECORDS_H_
