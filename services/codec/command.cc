#include "codec/command.h"

#include <utility>

#include "base/hash.h"
#include "base/wire.h"
#include "codec/parts.h"

namespace pando::codec {
namespace {

using base::Reader;
using base::Writer;
using Subject = model::Compare::Subject;
using Relation = model::Compare::Relation;

// The first byte of a command: what a log of a later format starts with is refused here.
constexpr uint8_t kFormat = 1;
// Most commands are smaller, and are written without moving what is there.
constexpr size_t kUsualBytes = 256;

// Of a Create, whether it is sequential; 0: it is not.
constexpr uint8_t kSequential = 1;
constexpr uint8_t kSequentialInt32 = 2;

// --- Operations -------------------------------------------------------------------------------

void Write(Writer* w, const model::Create& create) {
  w->Bytes(create.path);
  codec::Write(w, create.data);
  WriteEnum(w, create.kind);
  w->Byte(create.sequential ? (create.sequence_is_int32 ? kSequentialInt32 : kSequential) : 0);
  w->Signed(create.ttl_ms);
  codec::Write(w, create.acl);
  w->Bool(create.create_parents);
  w->Bool(create.if_not_exists);
}
void Read(Reader* r, model::Create* create) {
  create->path = ReadString(r);
  codec::Read(r, &create->data);
  create->kind = ReadEnum(r, model::NodeKind::kPersistent, model::NodeKind::kTtl);
  const uint8_t sequential = r->Byte();
  if (sequential > kSequentialInt32) r->Fail();
  create->sequential = sequential != 0;
  create->sequence_is_int32 = sequential == kSequentialInt32;
  create->ttl_ms = r->Signed();
  codec::Read(r, &create->acl);
  create->create_parents = r->Bool();
  create->if_not_exists = r->Bool();
}

void Write(Writer* w, const model::Set& set) {
  w->Bytes(set.path);
  codec::Write(w, set.data);
  codec::Write(w, set.expected_version);
}
void Read(Reader* r, model::Set* set) {
  set->path = ReadString(r);
  codec::Read(r, &set->data);
  codec::Read(r, &set->expected_version);
}

void Write(Writer* w, const model::Delete& del) {
  w->Bytes(del.path);
  codec::Write(w, del.expected_version);
  w->Varint(del.recursive ? uint64_t{1} + del.nodes_max : 0);
}
void Read(Reader* r, model::Delete* del) {
  del->path = ReadString(r);
  codec::Read(r, &del->expected_version);
  const uint64_t recursive = r->Varint();
  if (recursive > uint64_t{1} + ~uint32_t{0}) r->Fail();
  del->recursive = recursive > 0;
  del->nodes_max = recursive > 0 ? static_cast<uint32_t>(recursive - 1) : 0;
}

void Write(Writer* w, const model::SetAcl& set) {
  w->Bytes(set.path);
  codec::Write(w, set.acl);
  codec::Write(w, set.expected_acl_version);
  w->Bool(set.recursive);
}
void Read(Reader* r, model::SetAcl* set) {
  set->path = ReadString(r);
  codec::Read(r, &set->acl);
  codec::Read(r, &set->expected_acl_version);
  set->recursive = r->Bool();
}

void Write(Writer* w, const model::Check& check) {
  w->Bytes(check.path);
  codec::Write(w, check.expected_version);
}
void Read(Reader* r, model::Check* check) {
  check->path = ReadString(r);
  codec::Read(r, &check->expected_version);
}

void Write(Writer* w, const model::CheckAbsent& check) {
  w->Bytes(check.path);
  codec::Write(w, check.expected_version);
}
void Read(Reader* r, model::CheckAbsent* check) {
  check->path = ReadString(r);
  codec::Read(r, &check->expected_version);
}

void Write(Writer* w, const model::Get& get) {
  w->Bytes(get.path);
  w->Bool(get.without_data);
}
void Read(Reader* r, model::Get* get) {
  get->path = ReadString(r);
  get->without_data = r->Bool();
}

void Write(Writer* w, const model::Compare& compare) {
  w->Bytes(compare.path);
  WriteEnum(w, compare.subject);
  WriteEnum(w, compare.relation);
  w->Signed(compare.number);
  codec::Write(w, compare.bytes);
}
void Read(Reader* r, model::Compare* compare) {
  compare->path = ReadString(r);
  compare->subject = ReadEnum(r, Subject::kExists, Subject::kOwner);
  compare->relation = ReadEnum(r, Relation::kEqual, Relation::kGreater);
  compare->number = r->Signed();
  codec::Read(r, &compare->bytes);
}

// --- Sessions and the ensemble's own ----------------------------------------------------------

void Write(Writer*, const model::Nothing&) {}
void Read(Reader*, model::Nothing*) {}

void Write(Writer* w, const model::Refuse& refuse) { WriteEnum(w, refuse.reason); }
void Read(Reader* r, model::Refuse* refuse) {
  refuse->reason = ReadEnum(r, model::Reason::kNoNode, model::Reason::kConfigInProgress);
}

void Write(Writer* w, const model::Found& found) { codec::Write(w, found.cluster); }
void Read(Reader* r, model::Found* found) { codec::Read(r, &found->cluster); }

void Write(Writer* w, const model::SetMachineVersion& set) { w->Varint(set.version); }
void Read(Reader* r, model::SetMachineVersion* set) {
  const uint64_t version = r->Varint();
  if (version > ~uint32_t{0}) r->Fail();
  set->version = static_cast<uint32_t>(version);
}

void Write(Writer* w, const model::OpenSession& open) {
  w->Signed(open.timeout_ms);
  w->Bytes(open.token_hash);
}
void Read(Reader* r, model::OpenSession* open) {
  open->timeout_ms = r->Signed();
  open->token_hash = ReadString(r);
}

void Write(Writer* w, const model::AttachSession& attach) { codec::Write(w, attach.session); }
void Read(Reader* r, model::AttachSession* attach) { codec::Read(r, &attach->session); }
void Write(Writer* w, const model::ReattachSession& reattach) {
  codec::Write(w, reattach.session);
  w->Signed(reattach.timeout_ms);
}
void Read(Reader* r, model::ReattachSession* reattach) {
  codec::Read(r, &reattach->session);
  reattach->timeout_ms = r->Signed();
}
void Write(Writer* w, const model::CloseSession& close) { codec::Write(w, close.session); }
void Read(Reader* r, model::CloseSession* close) { codec::Read(r, &close->session); }

void Write(Writer* w, const model::ExpireSessions& expire) {
  w->Varint(expire.sessions.size());
  for (const model::SessionId session : expire.sessions) codec::Write(w, session);
}
void Read(Reader* r, model::ExpireSessions* expire) {
  expire->sessions.resize(r->Count());
  for (model::SessionId& session : expire->sessions) codec::Read(r, &session);
}

void Write(Writer* w, const model::Reap::Node& node) {
  w->Bytes(node.path);
  codec::Write(w, node.create_revision);
  w->Signed(node.mtime.ms);
}
void Read(Reader* r, model::Reap::Node* node) {
  node->path = ReadString(r);
  codec::Read(r, &node->create_revision);
  node->mtime.ms = r->Signed();
}
// --- Variants and lists -----------------------------------------------------------------------

// Those that hold others: what reads and writes lists and variants looks them up here.
void Write(Writer* w, const model::Operation& operation);
void Read(Reader* r, model::Operation* operation);
void Write(Writer* w, const model::Transaction& transaction);
void Read(Reader* r, model::Transaction* transaction);
void Write(Writer* w, const model::Reap& reap);
void Read(Reader* r, model::Reap* reap);

template <size_t I = 0, class... Ts>
void ReadAlternative(Reader* r, size_t index, std::variant<Ts...>* out) {
  if constexpr (I < sizeof...(Ts)) {
    if (index != I) return ReadAlternative<I + 1>(r, index, out);
    Read(r, &out->template emplace<I>());
  } else {
    r->Fail();
  }
}

template <class... Ts>
void WriteVariant(Writer* w, const std::variant<Ts...>& variant) {
  w->Byte(static_cast<uint8_t>(variant.index()));
  std::visit([w](const auto& alternative) { Write(w, alternative); }, variant);
}
template <class... Ts>
void ReadVariant(Reader* r, std::variant<Ts...>* variant) {
  const size_t index = r->Byte();
  if (r->ok()) ReadAlternative(r, index, variant);
}

void Write(Writer* w, const model::Operation& operation) { WriteVariant(w, operation); }
void Read(Reader* r, model::Operation* operation) { ReadVariant(r, operation); }

template <class T>
void WriteAll(Writer* w, const std::vector<T>& items) {
  w->Varint(items.size());
  for (const T& item : items) Write(w, item);
}
template <class T>
void ReadAll(Reader* r, size_t bytes_each, std::vector<T>* items) {
  items->clear();
  const size_t count = r->Count(bytes_each);
  // Item by item: one of a few bytes on the wire is some hundred in memory.
  for (size_t i = 0; i < count && r->ok(); ++i) Read(r, &items->emplace_back());
}

void Write(Writer* w, const model::Transaction& transaction) {
  WriteAll(w, transaction.compares);
  WriteAll(w, transaction.then_operations);
  WriteAll(w, transaction.else_operations);
}
void Read(Reader* r, model::Transaction* transaction) {
  ReadAll(r, 5, &transaction->compares);
  ReadAll(r, 3, &transaction->then_operations);
  ReadAll(r, 3, &transaction->else_operations);
}

void Write(Writer* w, const model::Reap& reap) { WriteAll(w, reap.nodes); }
void Read(Reader* r, model::Reap* reap) { ReadAll(r, 3, &reap->nodes); }

}  // namespace

std::string EncodeCommand(const model::Command& command) {
  std::string bytes;
  bytes.reserve(kUsualBytes);
  Writer w(&bytes);
  w.Byte(kFormat);
  codec::Write(&w, command.source.storage);
  codec::Write(&w, command.source.start);
  codec::Write(&w, command.number);
  w.Signed(command.stamp.ms);
  w.Varint(command.identities.size());
  for (const model::Identity& identity : command.identities) codec::Write(&w, identity);
  codec::Write(&w, command.session);
  codec::Write(&w, command.attachment);
  codec::Write(&w, command.request);
  codec::Write(&w, command.first_outstanding);
  w.Fixed64(command.request_hash);
  WriteVariant(&w, command.body);
  return bytes;
}

bool DecodeCommand(std::string_view bytes, model::Command* command) {
  Reader r(bytes);
  if (r.Byte() != kFormat) return false;
  codec::Read(&r, &command->source.storage);
  codec::Read(&r, &command->source.start);
  codec::Read(&r, &command->number);
  command->stamp.ms = r.Signed();
  command->identities.resize(r.Count(2));
  for (model::Identity& identity : command->identities) codec::Read(&r, &identity);
  codec::Read(&r, &command->session);
  codec::Read(&r, &command->attachment);
  codec::Read(&r, &command->request);
  codec::Read(&r, &command->first_outstanding);
  command->request_hash = r.Fixed64();
  ReadVariant(&r, &command->body);
  return r.done();
}

uint64_t HashBody(const model::CommandBody& body) {
  std::string bytes;
  Writer w(&bytes);
  WriteVariant(&w, body);
  return base::Hash64(bytes);
}

}  // namespace pando::codec
