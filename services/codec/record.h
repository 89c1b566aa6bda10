// The bytes of records: how replicated state is laid out as keys and values
// (docs/formats/records.md).
//
//   key                                   value
//   'a' id                                an ACL that nodes refer to by id
//   'k' session request                   a kept reply
//   'm' name                              a scalar of the ensemble: cluster, membership, …
//   'n' parent-path '\0' name             a node: stat, ACL id and data
//   'n' parent-path '\0' name '\0'        its directory, once it has had a child: counters
//   'o' storage                           what was last applied of a source
//   's' session                           a session
//
// The parent path of a child of the root is empty, and the root is 'n' '\0'. So the children of a
// node are contiguous, a node's directory follows it, parents come before children, and a subtree
// is three contiguous ranges. Ids in keys are big-endian: their order is the order of keys.
#ifndef PANDO_CODEC_RECORD_H_
#define PANDO_CODEC_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/acl.h"
#include "model/ids.h"
#include "model/node.h"

namespace pando::codec {

enum class RecordKind : char {
  kAcl = 'a',
  kKeptReply = 'k',
  kScalar = 'm',
  kNode = 'n',
  kSource = 'o',
  kSession = 's',
};

// --- Keys -------------------------------------------------------------------------------------

// REQUIRES: a valid path.
std::string NodeKey(std::string_view path);
std::string DirectoryKey(std::string_view path);

// What a key of kind kNode names; the views point into the key.
struct NodeName {
  std::string_view parent;  // "" for the root's children, and for the root
  std::string_view name;    // "" for the root
  bool directory = false;

  std::string path() const;
};
// Nothing if `key` is no well-formed key of a node.
std::optional<NodeName> ParseNodeKey(std::string_view key);

struct KeyRange {
  std::string begin;  // inclusive
  std::string end;    // exclusive
};
// Everything of `path` and below, in order: the node, its children, all that is deeper.
std::vector<KeyRange> SubtreeRanges(std::string_view path);
// The node alone; its direct children, and their directories.
KeyRange NodeRange(std::string_view path);
KeyRange ChildrenRange(std::string_view path);
// All ACLs. They sort before all nodes.
KeyRange AclRange();

using AclId = uint32_t;  // 0: model::OpenAcl(), which has no record
std::string AclKey(AclId id);
std::string SessionKey(model::SessionId session);
std::string KeptReplyKey(model::SessionId session, model::RequestId request);
std::string SourceKey(model::StorageId storage);
std::string ScalarKey(std::string_view name);

// The ids in a key of the given kind; nothing if it is not well formed.
std::optional<AclId> ParseAclKey(std::string_view key);
std::optional<model::SessionId> ParseSessionKey(std::string_view key);
struct KeptReplyName {
  model::SessionId session;
  model::RequestId request;
};
std::optional<KeptReplyName> ParseKeptReplyKey(std::string_view key);
std::optional<model::StorageId> ParseSourceKey(std::string_view key);

// The scalars of the ensemble.
inline constexpr std::string_view kClusterScalar = "cluster";
inline constexpr std::string_view kMembershipScalar = "membership";
inline constexpr std::string_view kOriginScalar = "origin";
inline constexpr std::string_view kStampScalar = "stamp";
inline constexpr std::string_view kVersionScalar = "version";

// --- Values -----------------------------------------------------------------------------------
// Encode gives the one form of a value; Decode accepts no other, and is false for anything else.

struct NodeRecord {
  model::NodeKind kind = model::NodeKind::kPersistent;
  model::Revision create_revision;
  model::Revision modify_revision;
  base::WallTime ctime;
  base::WallTime mtime;
  int64_t version = 0;
  int64_t acl_version = 0;
  model::SessionId owner;  // kEphemeral only
  int64_t ttl_ms = 0;      // kTtl only
  AclId acl = 0;
  std::optional<std::string_view> data;  // points into what was decoded
};
std::string EncodeNode(const NodeRecord& node);
bool DecodeNode(std::string_view bytes, NodeRecord* node);

struct DirectoryRecord {
  model::Revision children_revision;
  int64_t creates = 0;  // of children, ever; the next sequence number
  int64_t deletes = 0;

  int64_t children() const { return creates - deletes; }
};
std::string EncodeDirectory(const DirectoryRecord& directory);
bool DecodeDirectory(std::string_view bytes, DirectoryRecord* directory);

// As a client sees it; `directory` is null for a node that has never had a child.
model::Stat StatOf(const NodeRecord& node, const DirectoryRecord* directory);

std::string EncodeAcl(const model::Acl& acl);
bool DecodeAcl(std::string_view bytes, model::Acl* acl);

struct SessionRecord {
  int64_t timeout_ms = 0;
  std::string token_hash;
  model::Attachment attachment;
  model::RequestId first_outstanding;
};
std::string EncodeSession(const SessionRecord& session);
bool DecodeSession(std::string_view bytes, SessionRecord* session);

struct KeptReplyRecord {
  uint64_t request_hash = 0;
  std::string reply;  // codec/reply.h
};
std::string EncodeKeptReply(const KeptReplyRecord& kept);
bool DecodeKeptReply(std::string_view bytes, KeptReplyRecord* kept);

struct SourceRecord {
  model::StartCount start;
  model::SourceNumber number;
};
std::string EncodeSource(const SourceRecord& source);
bool DecodeSource(std::string_view bytes, SourceRecord* source);

// Of all scalars but the membership (codec/membership.h).
std::string EncodeNumber(uint64_t number);
bool DecodeNumber(std::string_view bytes, uint64_t* number);

// --- The digest -------------------------------------------------------------------------------

// A record's part of the state's digest, which is the sum of them all. The value is part of the
// disk format and never changes.
uint64_t RecordDigest(std::string_view key, std::string_view value);

}  // namespace pando::codec

#endif  // PANDO_CODEC_RECORD_H_
