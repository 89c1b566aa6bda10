#include "jute/decode.h"

#include <utility>

#include "jute/reader.h"

namespace pando::jute {
namespace {

// Of a create without a TTL.
constexpr int32_t kCreateFlagsMax = 4;

// A null path is malformed where ZooKeeper uses it before it looks at it, which it does in reads,
// create and delete, and in every part of a multi. Elsewhere it is a path like any other bad one.
enum class Part : bool { kNo, kOfMulti };

std::string ReadPath(Part part, Reader* in) {
  return part == Part::kOfMulti ? in->NonNull() : in->String();
}

Create ReadCreate(Opcode type, Part part, Reader* in) {
  Create create;
  create.type = type;
  create.path = in->NonNull();
  create.data = in->Buffer();
  const bool needs_acl = part == Part::kOfMulti && type != Opcode::kCreateTtl;
  create.acl = needs_acl ? in->NonNullAcl() : in->Acl();
  create.flags = in->Int();
  if (type == Opcode::kCreateTtl) create.ttl_ms = in->Long();
  return create;
}

Delete ReadDelete(Reader* in) {
  Delete request;
  request.path = in->NonNull();
  request.version = in->Int();
  return request;
}

SetData ReadSetData(Part part, Reader* in) {
  SetData request;
  request.path = ReadPath(part, in);
  request.data = in->Buffer();
  request.version = in->Int();
  return request;
}

Check ReadCheck(Part part, Reader* in) {
  Check request;
  request.path = ReadPath(part, in);
  request.version = in->Int();
  return request;
}

CheckNotExists ReadCheckNotExists(Reader* in) {
  CheckNotExists request;
  request.path = in->String();
  request.version = in->Int();
  return request;
}

RemoveRecursive ReadRemoveRecursive(Reader* in) {
  RemoveRecursive request;
  request.path = in->NonNull();
  request.nodes_max = static_cast<uint32_t>(in->Int());
  return request;
}

Read ReadRead(Opcode type, Reader* in) {
  Read request;
  request.type = type;
  request.path = in->NonNull();
  request.watch = in->Bool();
  if (type == Opcode::kFilteredList) request.filter = in->Byte();
  return request;
}

template <class Request>
Request ReadPathAndNumber(Reader* in, int32_t Request::*number) {
  Request request;
  request.path = in->String();
  request.*number = in->Int();
  return request;
}

// False: it has a part that no multi can have.
bool ReadMulti(Reader* in, Multi* multi) {
  for (;;) {
    const PartHeader header = in->Part();
    if (!in->ok()) return false;
    if (header.done) return true;
    switch (header.type) {
      case Opcode::kCreate:
      case Opcode::kCreate2:
      case Opcode::kCreateContainer:
      case Opcode::kCreateTtl:
      case Opcode::kCreateIfNotExists: {
        Create create = ReadCreate(header.type, Part::kOfMulti, in);
        const bool known = create.flags >= 0 && create.flags <= kCreateFlagsMax;
        if (!known && create.type != Opcode::kCreateTtl) return false;
        multi->parts.emplace_back(std::move(create));
        break;
      }
      case Opcode::kDelete:
        multi->parts.emplace_back(ReadDelete(in));
        break;
      case Opcode::kSetData:
        multi->parts.emplace_back(ReadSetData(Part::kOfMulti, in));
        break;
      case Opcode::kCheck:
        multi->parts.emplace_back(ReadCheck(Part::kOfMulti, in));
        break;
      case Opcode::kCheckNotExists:
        multi->parts.emplace_back(ReadCheckNotExists(in));
        break;
      case Opcode::kRemoveRecursive:
        multi->parts.emplace_back(ReadRemoveRecursive(in));
        break;
      default:
        return false;
    }
  }
}

bool ReadMultiRead(Reader* in, MultiRead* multi) {
  for (;;) {
    const PartHeader header = in->Part();
    if (!in->ok()) return false;
    if (header.done) return true;
    if (header.type != Opcode::kGetData && header.type != Opcode::kGetChildren) return false;
    multi->parts.push_back(ReadRead(header.type, in));
    multi->parts.back().watch = false;  // ZooKeeper leaves no watch here
  }
}

Reconfig ReadReconfig(Reader* in) {
  Reconfig request;
  request.joining = in->Buffer();
  request.leaving = in->Buffer();
  request.new_members = in->Buffer();
  request.config_id = in->Long();
  return request;
}

SetWatches ReadSetWatches(Opcode type, Reader* in) {
  SetWatches request;
  request.relative_zxid = in->Long();
  request.data = in->Strings();
  request.exist = in->Strings();
  request.child = in->Strings();
  if (type == Opcode::kSetWatches) return request;
  request.persistent = in->Strings();
  request.persistent_recursive = in->Strings();
  return request;
}

Auth ReadAuth(Reader* in) {
  Auth request;
  request.type = in->Int();
  request.scheme = in->String();
  request.credential = in->String();
  return request;
}

Decoded ReadRequest(Opcode type, Reader* in, Request* out) {
  bool good = true;
  switch (type) {
    case Opcode::kCreate:
    case Opcode::kCreate2:
    case Opcode::kCreateContainer:
    case Opcode::kCreateTtl:
    case Opcode::kCreateIfNotExists:
      *out = ReadCreate(type, Part::kNo, in);
      break;
    case Opcode::kDelete:
      *out = ReadDelete(in);
      break;
    case Opcode::kSetData:
      *out = ReadSetData(Part::kNo, in);
      break;
    case Opcode::kCheck:
      *out = ReadCheck(Part::kNo, in);
      break;
    case Opcode::kExists:
    case Opcode::kGetData:
    case Opcode::kGetChildren:
    case Opcode::kGetChildren2:
    case Opcode::kFilteredList:
      *out = ReadRead(type, in);
      break;
    case Opcode::kCheckNotExists:
      *out = ReadCheckNotExists(in);
      break;
    case Opcode::kRemoveRecursive:
      *out = ReadRemoveRecursive(in);
      break;
    case Opcode::kGetAcl:
      *out = GetAcl{in->NonNull()};
      break;
    case Opcode::kSetAcl: {
      SetAcl request;
      request.path = in->String();
      request.acl = in->Acl();
      request.version = in->Int();
      *out = std::move(request);
      break;
    }
    case Opcode::kSync:
      *out = Sync{in->String()};
      break;
    case Opcode::kPing:
      *out = Ping{};
      break;
    case Opcode::kCloseSession:
      *out = CloseSession{};
      break;
    case Opcode::kMulti: {
      Multi multi;
      good = ReadMulti(in, &multi);
      *out = std::move(multi);
      break;
    }
    case Opcode::kMultiRead: {
      MultiRead multi;
      good = ReadMultiRead(in, &multi);
      *out = std::move(multi);
      break;
    }
    case Opcode::kReconfig:
      *out = ReadReconfig(in);
      break;
    case Opcode::kCheckWatches:
      *out = ReadPathAndNumber<CheckWatches>(in, &CheckWatches::type);
      break;
    case Opcode::kRemoveWatches:
      *out = ReadPathAndNumber<RemoveWatches>(in, &RemoveWatches::type);
      break;
    case Opcode::kAuth:
      *out = ReadAuth(in);
      break;
    case Opcode::kSetWatches:
    case Opcode::kSetWatches2:
      *out = ReadSetWatches(type, in);
      break;
    case Opcode::kSasl:
      *out = Sasl{in->String()};
      break;
    case Opcode::kGetEphemerals:
      *out = GetEphemerals{in->String()};
      break;
    case Opcode::kGetAllChildrenNumber:
      *out = GetAllChildrenNumber{in->NonNull()};
      break;
    case Opcode::kAddWatch:
      *out = ReadPathAndNumber<AddWatch>(in, &AddWatch::mode);
      break;
    case Opcode::kWhoAmI:
      *out = WhoAmI{};
      break;
    // What is not a client's to send.
    case Opcode::kNotification:
    case Opcode::kDeleteContainer:
    case Opcode::kCreateSession:
    case Opcode::kError:
    default:
      return Decoded::kUnknownOpcode;
  }
  return good && in->ok() ? Decoded::kOk : Decoded::kMalformed;
}

}  // namespace

bool DecodeConnectRequest(std::string_view payload, ConnectRequest* out) {
  Reader in(payload);
  out->protocol_version = in.Int();
  out->last_zxid_seen = in.Long();
  out->timeout_ms = in.Int();
  out->session_id = in.Long();
  out->password = in.String();
  out->read_only.reset();
  if (in.ok() && in.left() > 0) out->read_only = in.Bool();
  return in.ok();
}

Decoded DecodeRequest(std::string_view payload, RequestHeader* header, Request* out) {
  Reader in(payload);
  header->xid = in.Int();
  header->type = static_cast<Opcode>(in.Int());
  if (!in.ok()) return Decoded::kNoHeader;
  return ReadRequest(header->type, &in, out);
}

}  // namespace pando::jute
