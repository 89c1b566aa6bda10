#include "jute/encode_request.h"

#include <variant>

#include "base/overloaded.h"
#include "jute/encode.h"

namespace pando::jute {
namespace {

Opcode TypeOfPart(const Multi::Part& part) {
  return std::visit(
      base::Overloaded{[](const Create& in) { return in.type; },
                       [](const Delete&) { return Opcode::kDelete; },
                       [](const SetData&) { return Opcode::kSetData; },
                       [](const Check&) { return Opcode::kCheck; },
                       [](const CheckNotExists&) { return Opcode::kCheckNotExists; },
                       [](const RemoveRecursive&) { return Opcode::kRemoveRecursive; }},
      part);
}

// The old one has no room for the persistent ones.
Opcode TypeOfSetWatches(const SetWatches& request) {
  const bool old = request.persistent.empty() && request.persistent_recursive.empty();
  return old ? Opcode::kSetWatches : Opcode::kSetWatches2;
}

// One overload a record: its fields in their order.
class RecordWriter {
 public:
  explicit RecordWriter(FrameWriter* out) : out_(out) {}

  void operator()(const Create& in) const {
    out_->String(in.path);
    out_->Buffer(in.data);
    out_->Acl(in.acl);
    out_->Int(in.flags);
    if (in.type == Opcode::kCreateTtl) out_->Long(in.ttl_ms);
  }
  void operator()(const Delete& in) const { PathAndInt(in.path, in.version); }
  void operator()(const SetData& in) const {
    out_->String(in.path);
    out_->Buffer(in.data);
    out_->Int(in.version);
  }
  void operator()(const Check& in) const { PathAndInt(in.path, in.version); }
  void operator()(const CheckNotExists& in) const { PathAndInt(in.path, in.version); }
  void operator()(const RemoveRecursive& in) const {
    PathAndInt(in.path, static_cast<int32_t>(in.nodes_max));
  }
  void operator()(const Read& in) const {
    out_->String(in.path);
    out_->Bool(in.watch);
    if (in.type == Opcode::kFilteredList) out_->Byte(in.filter);
  }
  void operator()(const GetAcl& in) const { out_->String(in.path); }
  void operator()(const SetAcl& in) const {
    out_->String(in.path);
    out_->Acl(in.acl);
    out_->Int(in.version);
  }
  void operator()(const Sync& in) const { out_->String(in.path); }
  void operator()(const Ping&) const {}
  void operator()(const CloseSession&) const {}
  void operator()(const Multi& in) const {
    for (const Multi::Part& part : in.parts) {
      PartHeader(TypeOfPart(part));
      std::visit(*this, part);
    }
    LastPart();
  }
  void operator()(const MultiRead& in) const {
    for (const Read& part : in.parts) {
      PartHeader(part.type);
      (*this)(part);
    }
    LastPart();
  }
  void operator()(const Reconfig& in) const {
    out_->Buffer(in.joining);
    out_->Buffer(in.leaving);
    out_->Buffer(in.new_members);
    out_->Long(in.config_id);
  }
  void operator()(const CheckWatches& in) const { PathAndInt(in.path, in.type); }
  void operator()(const RemoveWatches& in) const { PathAndInt(in.path, in.type); }
  void operator()(const Auth& in) const {
    out_->Int(in.type);
    out_->String(in.scheme);
    out_->String(in.credential);
  }
  void operator()(const SetWatches& in) const {
    out_->Long(in.relative_zxid);
    out_->Strings(in.data);
    out_->Strings(in.exist);
    out_->Strings(in.child);
    if (TypeOfSetWatches(in) == Opcode::kSetWatches) return;
    out_->Strings(in.persistent);
    out_->Strings(in.persistent_recursive);
  }
  void operator()(const Sasl& in) const { out_->String(in.token); }
  void operator()(const GetEphemerals& in) const { out_->String(in.prefix); }
  void operator()(const GetAllChildrenNumber& in) const { out_->String(in.path); }
  void operator()(const AddWatch& in) const { PathAndInt(in.path, in.mode); }
  void operator()(const WhoAmI&) const {}

 private:
  void PathAndInt(const std::string& path, int32_t value) const {
    out_->String(path);
    out_->Int(value);
  }
  // A request's parts have no error; ZooKeeper's clients send -1.
  void PartHeader(Opcode type) const { out_->MultiHeader(type, false, ErrorCode::kSystemError); }
  void LastPart() const { out_->MultiHeader(Opcode::kError, true, ErrorCode::kSystemError); }

  FrameWriter* const out_;
};

}  // namespace

Opcode TypeOf(const Request& request) {
  return std::visit(base::Overloaded{
                        [](const Create& in) { return in.type; },
                        [](const Delete&) { return Opcode::kDelete; },
                        [](const SetData&) { return Opcode::kSetData; },
                        [](const Check&) { return Opcode::kCheck; },
                        [](const Read& in) { return in.type; },
                        [](const GetAcl&) { return Opcode::kGetAcl; },
                        [](const SetAcl&) { return Opcode::kSetAcl; },
                        [](const Sync&) { return Opcode::kSync; },
                        [](const Ping&) { return Opcode::kPing; },
                        [](const CloseSession&) { return Opcode::kCloseSession; },
                        [](const Multi&) { return Opcode::kMulti; },
                        [](const MultiRead&) { return Opcode::kMultiRead; },
                        [](const Reconfig&) { return Opcode::kReconfig; },
                        [](const CheckWatches&) { return Opcode::kCheckWatches; },
                        [](const RemoveWatches&) { return Opcode::kRemoveWatches; },
                        [](const Auth&) { return Opcode::kAuth; },
                        [](const SetWatches& in) { return TypeOfSetWatches(in); },
                        [](const Sasl&) { return Opcode::kSasl; },
                        [](const GetEphemerals&) { return Opcode::kGetEphemerals; },
                        [](const GetAllChildrenNumber&) { return Opcode::kGetAllChildrenNumber; },
                        [](const AddWatch&) { return Opcode::kAddWatch; },
                        [](const WhoAmI&) { return Opcode::kWhoAmI; },
                        [](const CheckNotExists&) { return Opcode::kCheckNotExists; },
                        [](const RemoveRecursive&) { return Opcode::kRemoveRecursive; },
                    },
                    request);
}

void AppendConnectRequest(const ConnectRequest& request, std::string* out) {
  FrameWriter frame(out);
  frame.Int(request.protocol_version);
  frame.Long(request.last_zxid_seen);
  frame.Int(request.timeout_ms);
  frame.Long(request.session_id);
  frame.String(request.password);
  if (request.read_only) frame.Bool(*request.read_only);
}

void AppendRequest(int32_t xid, const Request& request, std::string* out) {
  FrameWriter frame(out);
  frame.Int(xid);
  frame.Int(static_cast<int32_t>(TypeOf(request)));
  std::visit(RecordWriter(&frame), request);
}

}  // namespace pando::jute
