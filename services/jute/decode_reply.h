// DecodeReply: what a server of ZooKeeper's protocol sends, to records. Total: any bytes give a
// record or false. The other direction of jute/encode.h, for clients.
//
// The first frame of a connection is a connect response. Every other is a reply header, and behind
// it, unless it has an error, the record that the request's opcode calls for: the client keeps the
// opcodes of what it has asked, in their order. Bytes after a record are ignored.
#ifndef PANDO_JUTE_DECODE_REPLY_H_
#define PANDO_JUTE_DECODE_REPLY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jute/records.h"
#include "model/acl.h"
#include "model/node.h"

namespace pando::jute {

// delete, check, checkNotExists, removeRecursive, ping, auth, closeSession, setWatches and all that
// is done to watches.
struct NoRecord {};
// create, createIfNotExists and sync: the path alone; the other creates with the Stat.
struct PathRecord {
  std::string path;
  std::optional<model::Stat> stat;
};
// exists, setData, setACL.
struct StatRecord {
  model::Stat stat;
};
// getData, reconfig.
struct DataRecord {
  model::NodeBytes data;
  model::Stat stat;
};
// getChildren and getEphemerals: the names alone; getChildren2 and filteredList with the Stat.
struct NamesRecord {
  std::vector<std::string> names;
  std::optional<model::Stat> stat;
};
// getACL.
struct AclRecord {
  model::Acl acl;
  model::Stat stat;
};
// getAllChildrenNumber.
struct CountRecord {
  int32_t count = 0;
};
// whoAmI.
struct IdentitiesRecord {
  std::vector<model::Identity> identities;
};
// sasl.
struct TokenRecord {
  std::string token;
};
using Record = std::variant<NoRecord, PathRecord, StatRecord, DataRecord, NamesRecord, AclRecord,
                            CountRecord, IdentitiesRecord, TokenRecord>;

// Of one part of a multi or a multiRead.
struct PartResult {
  ErrorCode error = ErrorCode::kOk;
  Record record;  // NoRecord if there is an error
};

struct Event {
  EventType type = EventType::kNodeCreated;
  std::string path;
};

// A frame's payload, without its length.
[[nodiscard]] bool DecodeConnectResponse(std::string_view payload, ConnectResponse* out);

// `record` is what follows the header, a part of `payload`.
[[nodiscard]] bool DecodeReplyHeader(std::string_view payload, ReplyHeader* header,
                                     std::string_view* record);

// `type` of the request. False also for multi and multiRead, which have DecodeResults, and for
// what is no request.
[[nodiscard]] bool DecodeRecord(Opcode type, std::string_view record, Record* out);
[[nodiscard]] bool DecodeResults(std::string_view record, std::vector<PartResult>* out);

// Behind a header whose xid is kNotificationXid. False also for the types that only clients make.
[[nodiscard]] bool DecodeEvent(std::string_view record, Event* out);

}  // namespace pando::jute

#endif  // PANDO_JUTE_DECODE_REPLY_H_
