#include "codec/record.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"
#include "codec/parts.h"
#include "model/path.h"
#include "model/usage.h"

namespace pando::codec {
namespace {

using base::Reader;
using base::Writer;

// Flags of a node's value; the two lowest bits are its kind.
constexpr uint8_t kKindBits = 3;
constexpr uint8_t kHasData = 4;
constexpr uint8_t kModified = 8;
constexpr uint8_t kAclChanged = 16;
constexpr uint8_t kHasAcl = 32;

// Children of the root have no '/' for a parent: their keys then sort before all that is deeper.
std::string_view KeyParent(std::string_view path) {
  return path == "/" ? std::string_view() : path;
}

std::string Key(RecordKind kind) { return std::string(1, static_cast<char>(kind)); }

void AppendBigEndian(uint64_t value, std::string* key) {
  for (int shift = 56; shift >= 0; shift -= 8) key->push_back(static_cast<char>(value >> shift));
}

uint64_t BigEndian(std::string_view bytes) {
  CHECK(bytes.size() == 8);
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::string NumberKey(RecordKind kind, uint64_t number) {
  std::string key = Key(kind);
  AppendBigEndian(number, &key);
  return key;
}

std::optional<uint64_t> ParseNumberKey(RecordKind kind, std::string_view key) {
  if (key.size() != 9 || key[0] != static_cast<char>(kind)) return std::nullopt;
  return BigEndian(key.substr(1));
}

bool IsModified(const NodeRecord& node) {
  return node.modify_revision != node.create_revision || node.mtime != node.ctime ||
         node.version != 0;
}

}  // namespace

// --- Keys -------------------------------------------------------------------------------------

std::string NodeKey(std::string_view path) {
  std::string key = Key(RecordKind::kNode);
  key.reserve(path.size() + 2);
  if (path != "/") key.append(KeyParent(model::ParentPath(path)));
  key.push_back('\0');
  key.append(model::LastName(path));
  return key;
}

std::string DirectoryKey(std::string_view path) { return NodeKey(path) + '\0'; }

std::string NodeName::path() const {
  if (name.empty()) return "/";
  return model::JoinPath(parent.empty() ? "/" : parent, name);
}

std::optional<NodeName> ParseNodeKey(std::string_view key) {
  if (key.empty() || key[0] != static_cast<char>(RecordKind::kNode)) return std::nullopt;
  key.remove_prefix(1);
  const size_t end = key.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  NodeName node;
  node.parent = key.substr(0, end);
  node.name = key.substr(end + 1);
  if (!node.name.empty() && node.name.back() == '\0') {
    node.directory = true;
    node.name.remove_suffix(1);
  }
  if (node.name.empty()) {
    if (!node.parent.empty()) return std::nullopt;
    return node;
  }
  if (!model::ValidateName(node.name).ok()) return std::nullopt;
  if (node.parent == "/") return std::nullopt;
  if (!node.parent.empty() && !model::ValidatePath(node.parent).ok()) return std::nullopt;
  return node;
}

std::vector<KeyRange> SubtreeRanges(std::string_view path) {
  std::vector<KeyRange> ranges = {NodeRange(path), ChildrenRange(path)};
  std::string deeper = Key(RecordKind::kNode);
  deeper.append(KeyParent(path));
  ranges.push_back({deeper + '/', deeper + static_cast<char>('/' + 1)});
  return ranges;
}

KeyRange NodeRange(std::string_view path) {
  const std::string key = NodeKey(path);
  return {key, key + '\0' + '\0'};
}

KeyRange ChildrenRange(std::string_view path) {
  std::string prefix = Key(RecordKind::kNode);
  prefix.append(KeyParent(path));
  // No name starts with '\1' or less; the root itself has the name "".
  return {prefix + '\0' + '\1', prefix + '\1'};
}

KeyRange AclRange() {
  const char kind = static_cast<char>(RecordKind::kAcl);
  return {std::string(1, kind), std::string(1, static_cast<char>(kind + 1))};
}

std::string AclKey(AclId id) { return NumberKey(RecordKind::kAcl, id); }
std::string SessionKey(model::SessionId session) {
  return NumberKey(RecordKind::kSession, session.value());
}
std::string KeptReplyKey(model::SessionId session, model::RequestId request) {
  std::string key = NumberKey(RecordKind::kKeptReply, session.value());
  AppendBigEndian(request.value(), &key);
  return key;
}
std::string SourceKey(model::StorageId storage) {
  return NumberKey(RecordKind::kSource, storage.value());
}
std::string ScalarKey(std::string_view name) {
  std::string key = Key(RecordKind::kScalar);
  key.append(name);
  return key;
}

std::optional<AclId> ParseAclKey(std::string_view key) {
  const std::optional<uint64_t> id = ParseNumberKey(RecordKind::kAcl, key);
  if (!id || *id == 0 || *id > ~AclId{0}) return std::nullopt;
  return static_cast<AclId>(*id);
}
std::optional<model::SessionId> ParseSessionKey(std::string_view key) {
  const std::optional<uint64_t> id = ParseNumberKey(RecordKind::kSession, key);
  if (!id) return std::nullopt;
  return model::SessionId(*id);
}
std::optional<KeptReplyName> ParseKeptReplyKey(std::string_view key) {
  if (key.size() != 17 || key[0] != static_cast<char>(RecordKind::kKeptReply)) return std::nullopt;
  return KeptReplyName{model::SessionId(BigEndian(key.substr(1, 8))),
                       model::RequestId(BigEndian(key.substr(9)))};
}
std::optional<model::StorageId> ParseSourceKey(std::string_view key) {
  const std::optional<uint64_t> id = ParseNumberKey(RecordKind::kSource, key);
  if (!id) return std::nullopt;
  return model::StorageId(*id);
}

// --- Values -----------------------------------------------------------------------------------

std::string EncodeNode(const NodeRecord& node) {
  const bool modified = IsModified(node);
  std::string bytes;
  bytes.reserve(24 + model::DataBytes(node.data));
  Writer writer(&bytes);
  writer.Byte(static_cast<uint8_t>(
      static_cast<uint8_t>(node.kind) | (node.data ? kHasData : 0) | (modified ? kModified : 0) |
      (node.acl_version != 0 ? kAclChanged : 0) | (node.acl != 0 ? kHasAcl : 0)));
  Write(&writer, node.create_revision);
  writer.Signed(node.ctime.ms);
  if (modified) {
    writer.Varint(node.modify_revision - node.create_revision);
    // Modulo 2^64, both ways: any two times have a difference.
    writer.Signed(static_cast<int64_t>(static_cast<uint64_t>(node.mtime.ms) -
                                       static_cast<uint64_t>(node.ctime.ms)));
    writer.Signed(node.version);
  }
  if (node.acl_version != 0) writer.Signed(node.acl_version);
  if (node.acl != 0) writer.Varint(node.acl);
  if (node.kind == model::NodeKind::kEphemeral) Write(&writer, node.owner);
  if (node.kind == model::NodeKind::kTtl) writer.Signed(node.ttl_ms);
  if (node.data) writer.Raw(*node.data);
  return bytes;
}

bool DecodeNode(std::string_view bytes, NodeRecord* node) {
  *node = NodeRecord();
  Reader reader(bytes);
  const uint8_t flags = reader.Byte();
  if (flags > (kKindBits | kHasData | kModified | kAclChanged | kHasAcl)) return false;
  node->kind = static_cast<model::NodeKind>(flags & kKindBits);
  Read(&reader, &node->create_revision);
  node->ctime.ms = reader.Signed();
  node->modify_revision = node->create_revision;
  node->mtime = node->ctime;
  if (flags & kModified) {
    node->modify_revision = node->create_revision + reader.Varint();
    node->mtime.ms = static_cast<int64_t>(static_cast<uint64_t>(node->ctime.ms) +
                                          static_cast<uint64_t>(reader.Signed()));
    node->version = reader.Signed();
    if (!IsModified(*node)) return false;
  }
  if (flags & kAclChanged) {
    node->acl_version = reader.Signed();
    if (node->acl_version == 0) return false;
  }
  if (flags & kHasAcl) {
    const uint64_t acl = reader.Varint();
    if (acl == 0 || acl > ~AclId{0}) return false;
    node->acl = static_cast<AclId>(acl);
  }
  if (node->kind == model::NodeKind::kEphemeral) Read(&reader, &node->owner);
  if (node->kind == model::NodeKind::kTtl) node->ttl_ms = reader.Signed();
  if (flags & kHasData) node->data = reader.Rest();
  return reader.done();
}

std::string EncodeDirectory(const DirectoryRecord& directory) {
  std::string bytes;
  Writer writer(&bytes);
  Write(&writer, directory.children_revision);
  writer.Signed(directory.creates);
  writer.Signed(directory.deletes);
  return bytes;
}

bool DecodeDirectory(std::string_view bytes, DirectoryRecord* directory) {
  Reader reader(bytes);
  Read(&reader, &directory->children_revision);
  directory->creates = reader.Signed();
  directory->deletes = reader.Signed();
  return reader.done() && directory->deletes >= 0 && directory->deletes <= directory->creates;
}

model::Stat StatOf(const NodeRecord& node, const DirectoryRecord* directory) {
  model::Stat stat;
  stat.create_revision = node.create_revision;
  stat.modify_revision = node.modify_revision;
  stat.children_revision = directory ? directory->children_revision : node.create_revision;
  stat.ctime = node.ctime;
  stat.mtime = node.mtime;
  stat.version = node.version;
  stat.children_version = directory ? directory->creates + directory->deletes : 0;
  stat.acl_version = node.acl_version;
  stat.ephemeral_owner = node.owner;
  stat.data_length = static_cast<int64_t>(model::DataBytes(node.data));
  stat.children_count = directory ? directory->children() : 0;
  return stat;
}

std::string EncodeAcl(const model::Acl& acl) {
  std::string bytes;
  Writer writer(&bytes);
  Write(&writer, acl);
  return bytes;
}

bool DecodeAcl(std::string_view bytes, model::Acl* acl) {
  Reader reader(bytes);
  Read(&reader, acl);
  return reader.done();
}

std::string EncodeSession(const SessionRecord& session) {
  std::string bytes;
  Writer writer(&bytes);
  writer.Signed(session.timeout_ms);
  writer.Bytes(session.token_hash);
  Write(&writer, session.attachment);
  Write(&writer, session.first_outstanding);
  return bytes;
}

bool DecodeSession(std::string_view bytes, SessionRecord* session) {
  Reader reader(bytes);
  session->timeout_ms = reader.Signed();
  session->token_hash = ReadString(&reader);
  Read(&reader, &session->attachment);
  Read(&reader, &session->first_outstanding);
  return reader.done();
}

std::string EncodeKeptReply(const KeptReplyRecord& kept) {
  std::string bytes;
  Writer writer(&bytes);
  writer.Fixed64(kept.request_hash);
  writer.Raw(kept.reply);
  return bytes;
}

bool DecodeKeptReply(std::string_view bytes, KeptReplyRecord* kept) {
  Reader reader(bytes);
  kept->request_hash = reader.Fixed64();
  kept->reply = std::string(reader.Rest());
  return reader.done();
}

std::string EncodeSource(const SourceRecord& source) {
  std::string bytes;
  Writer writer(&bytes);
  Write(&writer, source.start);
  Write(&writer, source.number);
  return bytes;
}

bool DecodeSource(std::string_view bytes, SourceRecord* source) {
  Reader reader(bytes);
  Read(&reader, &source->start);
  Read(&reader, &source->number);
  return reader.done();
}

std::string EncodeNumber(uint64_t number) {
  std::string bytes;
  Writer(&bytes).Varint(number);
  return bytes;
}

bool DecodeNumber(std::string_view bytes, uint64_t* number) {
  Reader reader(bytes);
  *number = reader.Varint();
  return reader.done();
}

// --- The digest -------------------------------------------------------------------------------

uint64_t RecordDigest(std::string_view key, std::string_view value) {
  return base::Hash64(value, base::Hash64(key));
}

}  // namespace pando::codec
