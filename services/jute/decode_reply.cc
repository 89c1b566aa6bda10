#include "jute/decode_reply.h"

#include <utility>

#include "jute/reader.h"

namespace pando::jute {
namespace {

// False: no request has this type, or its record is made of others.
bool ReadRecord(Opcode type, Reader* in, Record* out) {
  switch (type) {
    case Opcode::kDelete:
    case Opcode::kCheck:
    case Opcode::kCheckNotExists:
    case Opcode::kRemoveRecursive:
    case Opcode::kPing:
    case Opcode::kAuth:
    case Opcode::kCloseSession:
    case Opcode::kSetWatches:
    case Opcode::kSetWatches2:
    case Opcode::kCheckWatches:
    case Opcode::kRemoveWatches:
      *out = NoRecord{};
      return true;
    case Opcode::kAddWatch:
      (void)in->Int();  // an error, which is always 0: others are in the header
      *out = NoRecord{};
      return true;
    case Opcode::kCreate:
    case Opcode::kCreateIfNotExists:
    case Opcode::kSync:
      *out = PathRecord{in->String(), std::nullopt};
      return true;
    case Opcode::kCreate2:
    case Opcode::kCreateContainer:
    case Opcode::kCreateTtl:
      *out = PathRecord{in->String(), in->Stat()};
      return true;
    case Opcode::kExists:
    case Opcode::kSetData:
    case Opcode::kSetAcl:
      *out = StatRecord{in->Stat()};
      return true;
    case Opcode::kGetData:
    case Opcode::kReconfig:
      *out = DataRecord{in->Buffer(), in->Stat()};
      return true;
    case Opcode::kGetChildren:
    case Opcode::kGetEphemerals:
      *out = NamesRecord{in->Strings(), std::nullopt};
      return true;
    case Opcode::kGetChildren2:
    case Opcode::kFilteredList:
      *out = NamesRecord{in->Strings(), in->Stat()};
      return true;
    case Opcode::kGetAcl:
      *out = AclRecord{in->Acl(), in->Stat()};
      return true;
    case Opcode::kGetAllChildrenNumber:
      *out = CountRecord{in->Int()};
      return true;
    case Opcode::kWhoAmI:
      *out = IdentitiesRecord{in->Identities()};
      return true;
    case Opcode::kSasl:
      *out = TokenRecord{in->String()};
      return true;
    case Opcode::kMulti:
    case Opcode::kMultiRead:
    case Opcode::kNotification:
    case Opcode::kDeleteContainer:
    case Opcode::kCreateSession:
    case Opcode::kError:
    default:
      return false;
  }
}

// The types with which results come: those of their parts, but that container and ttl say create2.
bool IsResult(Opcode type) {
  switch (type) {
    case Opcode::kCreate:
    case Opcode::kCreate2:
    case Opcode::kDelete:
    case Opcode::kSetData:
    case Opcode::kCheck:
    case Opcode::kCheckNotExists:
    case Opcode::kCreateIfNotExists:
    case Opcode::kRemoveRecursive:
    case Opcode::kGetData:
    case Opcode::kGetChildren:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool DecodeConnectResponse(std::string_view payload, ConnectResponse* out) {
  Reader in(payload);
  (void)in.Int();  // the protocol's version, which is 0
  out->timeout_ms = in.Int();
  out->session_id = in.Long();
  out->password = in.String();
  out->read_only.reset();
  if (in.ok() && in.left() > 0) out->read_only = in.Bool();
  return in.ok();
}

bool DecodeReplyHeader(std::string_view payload, ReplyHeader* header, std::string_view* record) {
  Reader in(payload);
  header->xid = in.Int();
  header->zxid = in.Long();
  header->error = static_cast<ErrorCode>(in.Int());
  *record = payload.substr(payload.size() - in.left());
  return in.ok();
}

bool DecodeRecord(Opcode type, std::string_view record, Record* out) {
  Reader in(record);
  return ReadRecord(type, &in, out) && in.ok();
}

bool DecodeResults(std::string_view record, std::vector<PartResult>* out) {
  out->clear();
  Reader in(record);
  for (;;) {
    const PartHeader header = in.Part();
    if (!in.ok()) return false;
    if (header.done) return true;
    PartResult result;
    if (header.type == Opcode::kError) {
      // Said twice: in the header, and as the record.
      result.error = static_cast<ErrorCode>(in.Int());
    } else if (!IsResult(header.type) || !ReadRecord(header.type, &in, &result.record)) {
      return false;
    }
    out->push_back(std::move(result));
  }
}

bool DecodeEvent(std::string_view record, Event* out) {
  Reader in(record);
  const int32_t type = in.Int();
  (void)in.Int();  // the client's state, which a server always takes for connected
  out->type = static_cast<EventType>(type);
  out->path = in.String();
  return in.ok() && type >= static_cast<int32_t>(EventType::kNodeCreated) &&
         type <= static_cast<int32_t>(EventType::kNodeChildrenChanged);
}

}  // namespace pando::jute
