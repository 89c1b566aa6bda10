#include "machine/state.h"

#include <algorithm>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/wire.h"
#include "codec/membership.h"
#include "model/limits.h"
#include "model/path.h"

namespace pando::machine {
namespace {

using codec::RecordKind;
using model::NodeKind;

const std::shared_ptr<const model::Acl>& SharedOpenAcl() {
  static const auto acl = std::make_shared<const model::Acl>(model::OpenAcl());
  return acl;
}

bool IsReapable(NodeKind kind) { return kind == NodeKind::kContainer || kind == NodeKind::kTtl; }

// The wall clock by which the node may go; nothing if it may not.
std::optional<int64_t> ReapDue(const tree::Node& node) {
  const codec::NodeRecord record = node.record();
  if (!IsReapable(record.kind)) return std::nullopt;
  const tree::Directory* directory = node.directory();
  if (directory != nullptr && directory->record().children() > 0) return std::nullopt;
  if (record.kind == NodeKind::kTtl) {
    constexpr int64_t never = std::numeric_limits<int64_t>::max();
    return record.ttl_ms > never - std::max(record.mtime.ms, int64_t{0})
               ? never
               : record.mtime.ms + record.ttl_ms;
  }
  // A container that was never used stays.
  if (directory == nullptr || directory->record().creates == 0) return std::nullopt;
  return std::numeric_limits<int64_t>::min();
}

}  // namespace

// --- Reading ----------------------------------------------------------------------------------

const session::Session* State::FindSession(model::SessionId id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

std::shared_ptr<const model::Acl> State::AclOf(codec::AclId id) const {
  return id == 0 ? SharedOpenAcl() : acls_.at(id).acl;
}

codec::SourceRecord State::SourceOf(model::StorageId storage) const {
  const auto found = sources_.find(storage);
  return found == sources_.end() ? codec::SourceRecord() : found->second;
}

// --- Writing ----------------------------------------------------------------------------------

void State::Record(std::string key, std::optional<std::string_view> before,
                   std::optional<std::string> after) {
  CHECK(before || after);
  if (before) digest_ -= codec::RecordDigest(key, *before);
  if (after) digest_ += codec::RecordDigest(key, *after);
  if (in_transaction_) {
    journal_.push_back({key, before ? std::optional(std::string(*before)) : std::nullopt});
  }
  delta_.writes.push_back({std::move(key), std::move(after)});
}

void State::PutNode(std::string_view path, const codec::NodeRecord& node) {
  if (const std::optional<std::string> kept = KeptData(path, node)) {
    codec::NodeRecord with = node;
    with.data = *kept;
    WriteNode(path, with);
  } else {
    WriteNode(path, node);
  }
  Touch(path);
}

void State::WriteNode(std::string_view path, const codec::NodeRecord& node) {
  const tree::Node* old = tree_.Find(path);
  const codec::AclId old_acl = old == nullptr ? 0 : old->record().acl;
  std::string value = codec::EncodeNode(node);
  // Memory last: `old` is its block. The value is in the delta by then, and stays there.
  Record(codec::NodeKey(path), old ? std::optional(old->value()) : std::nullopt, std::move(value));
  SetNode(path, delta_.writes.back().value);
  if (old_acl != node.acl) EraseAclIfUnused(old_acl);
}

void State::EraseNode(std::string_view path) {
  const tree::Node* node = tree_.Find(path);
  CHECK(node != nullptr);
  if (const tree::Directory* directory = node->directory()) {
    CHECK(directory->children().empty());
    Record(codec::DirectoryKey(path), codec::EncodeDirectory(directory->record()), std::nullopt);
    SetDirectory(path, nullptr);
  }
  const codec::AclId acl = node->record().acl;
  Record(codec::NodeKey(path), node->value(), std::nullopt);
  SetNode(path, std::nullopt);
  EraseAclIfUnused(acl);
  Touch(path);
}

void State::PutDirectory(std::string_view path, const codec::DirectoryRecord& directory) {
  const tree::Node* node = tree_.Find(path);
  CHECK(node != nullptr);
  // A node gets its first child before its directory is recorded.
  std::optional<std::string> before;
  if (node->directory() != nullptr && node->directory()->has_record()) {
    before = codec::EncodeDirectory(node->directory()->record());
  }
  Record(codec::DirectoryKey(path), before, codec::EncodeDirectory(directory));
  SetDirectory(path, &directory);
}

codec::AclId State::InternAcl(const model::Acl& acl) {
  if (acl == model::OpenAcl()) return 0;
  if (const auto found = acl_ids_.find(acl); found != acl_ids_.end()) return found->second;
  codec::AclId id = acls_.empty() ? 1 : acls_.rbegin()->first + 1;
  if (id == 0) {
    for (id = 1; acls_.contains(id);) ++id;
  }
  std::string value = codec::EncodeAcl(acl);
  Record(codec::AclKey(id), std::nullopt, value);
  CHECK(AdoptAcl(id, value));
  return id;
}

void State::EraseAclIfUnused(codec::AclId id) {
  if (id == 0) return;
  const SharedAcl& shared = acls_.at(id);
  if (shared.users > 0) return;
  Record(codec::AclKey(id), codec::EncodeAcl(*shared.acl), std::nullopt);
  CHECK(AdoptAcl(id, std::nullopt));
}

void State::PutSession(model::SessionId id, const codec::SessionRecord& session) {
  std::optional<std::string> before;
  if (const auto* old = FindSession(id)) before = codec::EncodeSession(old->record);
  std::string value = codec::EncodeSession(session);
  CHECK(AdoptSession(id, value));
  Record(codec::SessionKey(id), before, std::move(value));
}

void State::EraseSession(model::SessionId id) {
  const session::Session* session = FindSession(id);
  CHECK(session != nullptr);
  CHECK(session->ephemerals.empty());
  while (!session->kept.empty()) EraseKeptReply(id, session->kept.begin()->first);
  Record(codec::SessionKey(id), codec::EncodeSession(session->record), std::nullopt);
  CHECK(AdoptSession(id, std::nullopt));
}

void State::PutKeptReply(model::SessionId id, model::RequestId request,
                         const codec::KeptReplyRecord& kept) {
  CHECK(!sessions_.at(id).kept.contains(request));
  std::string value = codec::EncodeKeptReply(kept);
  CHECK(AdoptKeptReply({id, request}, value));
  Record(codec::KeptReplyKey(id, request), std::nullopt, std::move(value));
}

void State::EraseKeptReply(model::SessionId id, model::RequestId request) {
  const std::string before = codec::EncodeKeptReply(sessions_.at(id).kept.at(request));
  Record(codec::KeptReplyKey(id, request), before, std::nullopt);
  CHECK(AdoptKeptReply({id, request}, std::nullopt));
}

void State::PutSource(model::StorageId storage, const codec::SourceRecord& source) {
  std::optional<std::string> before;
  if (const auto found = sources_.find(storage); found != sources_.end()) {
    before = codec::EncodeSource(found->second);
  }
  Record(codec::SourceKey(storage), before, codec::EncodeSource(source));
  sources_[storage] = source;
}

void State::PutCluster(model::ClusterId cluster) {
  PutScalar(codec::kClusterScalar, codec::EncodeNumber(cluster.value()));
}
void State::PutOrigin(uint64_t origin) {
  PutScalar(codec::kOriginScalar, codec::EncodeNumber(origin));
}
void State::PutStamp(base::WallTime stamp) {
  PutScalar(codec::kStampScalar, codec::EncodeNumber(static_cast<uint64_t>(stamp.ms)));
}
void State::PutVersion(uint32_t version) {
  PutScalar(codec::kVersionScalar, codec::EncodeNumber(version));
}
void State::PutMembership(const model::Membership& membership) {
  PutScalar(codec::kMembershipScalar, codec::EncodeMembership(membership));
}

void State::PutScalar(std::string_view name, std::string value) {
  const auto found = scalars_.find(name);
  std::optional<std::string> before;
  if (found != scalars_.end()) before = found->second;
  CHECK(AdoptScalar(name, value));
  Record(codec::ScalarKey(name), before, std::move(value));
}

void State::EraseScalar(std::string_view name) {
  const auto found = scalars_.find(name);
  if (found == scalars_.end()) return;
  const std::string before = found->second;
  CHECK(AdoptScalar(name, std::nullopt));
  Record(codec::ScalarKey(name), before, std::nullopt);
}

void State::EraseEnsemble() {
  EraseScalar(codec::kClusterScalar);
  EraseScalar(codec::kMembershipScalar);
  for (; !sources_.empty(); sources_.erase(sources_.begin())) {
    const auto& [storage, source] = *sources_.begin();
    Record(codec::SourceKey(storage), codec::EncodeSource(source), std::nullopt);
  }
}

model::Delta State::TakeDelta() {
  CHECK(!in_transaction_);
  TellUsage();
  return std::exchange(delta_, {});
}

// --- Transactions -----------------------------------------------------------------------------

void State::Begin() {
  CHECK(!in_transaction_);
  in_transaction_ = true;
  delta_before_ = delta_.writes.size();
  digest_before_ = digest_;
}

void State::Commit() {
  CHECK(in_transaction_);
  in_transaction_ = false;
  journal_.clear();
}

void State::Rollback() {
  CHECK(in_transaction_);
  in_transaction_ = false;
  for (; !journal_.empty(); journal_.pop_back()) {
    const Undo& undo = journal_.back();
    CHECK(Adopt(undo.key, undo.before));
  }
  delta_.writes.resize(delta_before_);
  digest_ = digest_before_;
}

// --- In memory --------------------------------------------------------------------------------

bool State::Adopt(std::string_view key, std::optional<std::string_view> value) {
  if (key.empty()) return false;
  switch (static_cast<RecordKind>(key[0])) {
    case RecordKind::kAcl: {
      const std::optional<codec::AclId> id = codec::ParseAclKey(key);
      return id && AdoptAcl(*id, value);
    }
    case RecordKind::kKeptReply: {
      const std::optional<codec::KeptReplyName> name = codec::ParseKeptReplyKey(key);
      return name && AdoptKeptReply(*name, value);
    }
    case RecordKind::kScalar:
      return AdoptScalar(key.substr(1), value);
    case RecordKind::kNode:
      return AdoptNode(key, value);
    case RecordKind::kSource: {
      const std::optional<model::StorageId> storage = codec::ParseSourceKey(key);
      if (!storage) return false;
      if (!value) return sources_.erase(*storage) > 0;
      return codec::DecodeSource(*value, &sources_[*storage]);
    }
    case RecordKind::kSession: {
      const std::optional<model::SessionId> id = codec::ParseSessionKey(key);
      return id && AdoptSession(*id, value);
    }
  }
  return false;
}

bool State::AdoptNode(std::string_view key, std::optional<std::string_view> value) {
  const std::optional<codec::NodeName> name = codec::ParseNodeKey(key);
  if (!name) return false;
  const std::string path = name->path();
  if (!name->directory) {
    if (value) {
      codec::NodeRecord node;
      if (!codec::DecodeNode(*value, &node)) return false;
      if (node.acl != 0 && !acls_.contains(node.acl)) return false;
      if (path != "/" && tree_.Find(model::ParentPath(path)) == nullptr) return false;
    }
    SetNode(path, value);
    return true;
  }
  if (tree_.Find(path) == nullptr) return false;
  codec::DirectoryRecord directory;
  if (value && !codec::DecodeDirectory(*value, &directory)) return false;
  SetDirectory(path, value ? &directory : nullptr);
  return true;
}

void State::SetNode(std::string_view path, std::optional<std::string_view> value) {
  codec::NodeRecord after;
  if (value) {
    const bool decoded = codec::DecodeNode(*value, &after);
    CHECK(decoded);
    if (after.acl != 0) ++acls_.at(after.acl).users;
  }
  bool reapable = value && IsReapable(after.kind);
  if (const tree::Node* old = tree_.Find(path)) {
    const codec::NodeRecord before = old->record();
    if (before.acl != 0) --acls_.at(before.acl).users;
    if (before.kind == NodeKind::kEphemeral) Own(path, before, false);
    if (IsReapable(before.kind)) IndexForReap(path, false);
  }
  if (value) {
    tree_.PutNode(path, *value);
    if (after.kind == NodeKind::kEphemeral) Own(path, after, true);
    if (reapable) IndexForReap(path, true);
  } else {
    tree_.EraseNode(path);
  }
  IndexQuota(path, value ? std::optional(after.data.value_or("")) : std::nullopt);
}

void State::SetDirectory(std::string_view path, const codec::DirectoryRecord* directory) {
  const tree::Node* node = tree_.Find(path);
  const bool reapable = IsReapable(node->record().kind);
  if (reapable) IndexForReap(path, false);
  if (directory != nullptr) {
    tree_.PutDirectory(path, *directory);
  } else {
    tree_.EraseDirectory(path);
  }
  if (reapable) IndexForReap(path, true);
}

void State::Own(std::string_view path, const codec::NodeRecord& node, bool owns) {
  session::Session& session = sessions_[node.owner];
  if (owns) {
    CHECK(session.ephemerals.emplace(path).second);
    ++ephemerals_;
  } else {
    CHECK(session.ephemerals.erase(std::string(path)) == 1);
    --ephemerals_;
  }
}

void State::IndexForReap(std::string_view path, bool present) {
  const std::optional<int64_t> due = ReapDue(*tree_.Find(path));
  if (!due) return;
  if (present) {
    reap_.emplace(*due, path);
  } else {
    CHECK(reap_.erase({*due, std::string(path)}) == 1);
  }
}

bool State::AdoptAcl(codec::AclId id, std::optional<std::string_view> value) {
  if (!value) {
    const auto found = acls_.find(id);
    if (found == acls_.end()) return false;
    CHECK(found->second.users == 0);
    acl_ids_.erase(*found->second.acl);
    acls_.erase(found);
    return true;
  }
  auto acl = std::make_shared<model::Acl>();
  if (!codec::DecodeAcl(*value, acl.get())) return false;
  if (acls_.contains(id) || !acl_ids_.emplace(*acl, id).second) return false;
  acls_[id].acl = std::move(acl);
  return true;
}

bool State::AdoptSession(model::SessionId id, std::optional<std::string_view> value) {
  if (!value) {
    const session::Session* session = FindSession(id);
    if (session == nullptr) return false;
    CHECK(session->ephemerals.empty() && session->kept.empty());
    sessions_.erase(id);
    return true;
  }
  return codec::DecodeSession(*value, &sessions_[id].record);
}

bool State::AdoptKeptReply(codec::KeptReplyName name, std::optional<std::string_view> value) {
  session::Session& session = sessions_[name.session];
  if (!value) {
    const auto found = session.kept.find(name.request);
    if (found == session.kept.end()) return false;
    session.kept_bytes -= found->second.reply.size();
    session.kept.erase(found);
    return true;
  }
  codec::KeptReplyRecord& kept = session.kept[name.request];
  if (!codec::DecodeKeptReply(*value, &kept)) return false;
  session.kept_bytes += kept.reply.size();
  return true;
}

bool State::AdoptScalar(std::string_view name, std::optional<std::string_view> value) {
  uint64_t number = 0;
  if (name == codec::kMembershipScalar) {
    membership_ = {};
    if (value && !codec::DecodeMembership(*value, &membership_)) return false;
  } else {
    if (value && !codec::DecodeNumber(*value, &number)) return false;
    if (name == codec::kClusterScalar) {
      cluster_ = model::ClusterId(number);
    } else if (name == codec::kOriginScalar) {
      origin_ = number;
    } else if (name == codec::kStampScalar) {
      stamp_.ms = static_cast<int64_t>(number);
    } else if (name == codec::kVersionScalar) {
      version_ = static_cast<uint32_t>(number);
    } else {
      return false;
    }
  }
  if (value) {
    scalars_.insert_or_assign(std::string(name), std::string(*value));
  } else {
    scalars_.erase(std::string(name));
  }
  return true;
}

// --- Loading ----------------------------------------------------------------------------------

absl::Status State::Load(std::string_view key, std::string_view value) {
  if (!Adopt(key, value)) {
    return absl::DataLossError(absl::StrCat(
        "record ", absl::CHexEscape(base::View(key.substr(0, 200))), " is none of this program's"));
  }
  digest_ += codec::RecordDigest(key, value);
  return absl::OkStatus();
}

absl::Status State::CheckLoaded() const {
  for (const auto& [id, session] : sessions_) {
    if (session.record.timeout_ms == 0) {
      return absl::DataLossError(absl::StrCat("session ", id.value(), " has no record"));
    }
  }
  for (const auto& [id, shared] : acls_) {
    if (shared.users == 0) {
      return absl::DataLossError(absl::StrCat("ACL ", id, " is used by no node"));
    }
  }
  return absl::OkStatus();
}

}  // namespace pando::machine
