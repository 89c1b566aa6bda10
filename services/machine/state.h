// State: all replicated state: the records, decoded and indexed.
//
//                     ┌─► tree, sessions, ACLs, sources, scalars   what queries read
//   typed write ──────┼─► digest       the sum of all records' hashes
//                     ├─► delta        what the store writes
//                     └─► journal      the value before it, while a transaction may still fail
//
// Load and rollback go the same way in from the other end: a record's key and bytes.
// Owned by the machine; core thread only.
#ifndef PANDO_MACHINE_STATE_H_
#define PANDO_MACHINE_STATE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "base/status.h"
#include "base/time.h"
#include "codec/record.h"
#include "model/acl.h"
#include "model/ids.h"
#include "model/membership.h"
#include "model/record.h"
#include "quota/quotas.h"
#include "session/session.h"
#include "tree/tree.h"

namespace pando::machine {

class State {
 public:
  // --- Reading --------------------------------------------------------------------------------

  const tree::Tree& tree() const { return tree_; }
  const session::SessionTable& sessions() const { return sessions_; }
  // Null: there is none.
  const session::Session* FindSession(model::SessionId id) const;
  // Shared, because most nodes have one of few. REQUIRES: a node has it.
  std::shared_ptr<const model::Acl> AclOf(codec::AclId id) const;
  codec::SourceRecord SourceOf(model::StorageId storage) const;
  model::ClusterId cluster() const { return cluster_; }
  uint64_t origin() const { return origin_; }
  base::WallTime stamp() const { return stamp_; }
  uint32_t version() const { return version_; }
  const model::Membership& membership() const { return membership_; }
  uint64_t digest() const { return digest_; }
  size_t ephemerals() const { return ephemerals_; }
  // As the nodes say that they are made of. What is in them the tree knows.
  const quota::Quotas& quotas() const { return quotas_; }
  // Container and TTL nodes that may go once the wall clock passes `first`, by that.
  const absl::btree_set<std::pair<int64_t, std::string>>& reap_index() const { return reap_; }

  // --- Writing --------------------------------------------------------------------------------

  // The parent of a node must be there before it, and must stay as long as it. Of the nodes whose
  // data is the machine's own (KeptData) it is that, whatever `node` says.
  void PutNode(std::string_view path, const codec::NodeRecord& node);
  // The node and, if it has one, its directory. REQUIRES: it has no children.
  void EraseNode(std::string_view path);
  void PutDirectory(std::string_view path, const codec::DirectoryRecord& directory);
  // The id under which nodes refer to `acl`; a new one is recorded at once.
  codec::AclId InternAcl(const model::Acl& acl);

  void PutSession(model::SessionId id, const codec::SessionRecord& session);
  // With its kept replies. REQUIRES: it owns nothing any more.
  void EraseSession(model::SessionId id);
  void PutKeptReply(model::SessionId id, model::RequestId request,
                    const codec::KeptReplyRecord& kept);
  void EraseKeptReply(model::SessionId id, model::RequestId request);

  void PutSource(model::StorageId storage, const codec::SourceRecord& source);
  void PutCluster(model::ClusterId cluster);
  void PutOrigin(uint64_t origin);
  void PutStamp(base::WallTime stamp);
  void PutVersion(uint32_t version);
  void PutMembership(const model::Membership& membership);
  // Its name, its members, and what was last applied of their commands.
  void EraseEnsemble();

  // The end of a command: what was written since the last one. What is told of quotas is true from
  // here on, and is written once, whatever the command did in them.
  model::Delta TakeDelta();

  // --- Transactions ---------------------------------------------------------------------------

  // From Begin on every write can be taken back, until Commit. REQUIRES: not nested.
  void Begin();
  void Commit();
  void Rollback();

  // --- Loading --------------------------------------------------------------------------------

  // One record of an empty or half-loaded state; keys come in order, as the store keeps them.
  // DATA_LOSS: no record that this program writes.
  absl::Status Load(std::string_view key, std::string_view value);
  // After the last one: every count agrees with what it counts.
  absl::Status CheckLoaded() const;

 private:
  struct SharedAcl {
    std::shared_ptr<const model::Acl> acl;
    uint64_t users = 0;
  };
  struct Undo {
    std::string key;
    std::optional<std::string> before;
  };

  // The half of a write that is the same for every record: digest, delta, journal.
  void Record(std::string key, std::optional<std::string_view> before,
              std::optional<std::string> after);
  // The half that is in memory: `value` is in force for `key` from now on. False: malformed.
  bool Adopt(std::string_view key, std::optional<std::string_view> value);
  bool AdoptNode(std::string_view key, std::optional<std::string_view> value);
  bool AdoptAcl(codec::AclId id, std::optional<std::string_view> value);
  bool AdoptSession(model::SessionId id, std::optional<std::string_view> value);
  bool AdoptKeptReply(codec::KeptReplyName name, std::optional<std::string_view> value);
  bool AdoptScalar(std::string_view name, std::optional<std::string_view> value);

  // What the machine keeps in a node itself, so that it is true at every revision: who the members
  // are, and what there is of a quota. None: the node is like any other. See kept_data.cc.
  std::optional<std::string> KeptData(std::string_view path, const codec::NodeRecord& node) const;
  void WriteNode(std::string_view path, const codec::NodeRecord& node);
  // The node at `path` was written or erased: what is told of its quotas has to follow.
  void Touch(std::string_view path);
  // By ZooKeeper's rule: no version, no time and no event of a node changes with what it tells.
  void TellUsage();

  void SetNode(std::string_view path, std::optional<std::string_view> value);
  void IndexQuota(std::string_view node, std::optional<std::string_view> data);
  void SetDirectory(std::string_view path, const codec::DirectoryRecord* directory);
  void Own(std::string_view path, const codec::NodeRecord& node, bool owns);
  void IndexForReap(std::string_view path, bool present);
  // The record goes with its last user.
  void EraseAclIfUnused(codec::AclId id);
  void PutScalar(std::string_view name, std::string value);
  void EraseScalar(std::string_view name);

  tree::Tree tree_;
  session::SessionTable sessions_;
  absl::btree_map<codec::AclId, SharedAcl> acls_;
  absl::btree_map<model::Acl, codec::AclId> acl_ids_;
  absl::btree_map<model::StorageId, codec::SourceRecord> sources_;
  std::map<std::string, std::string, std::less<>> scalars_;  // encoded; the members below, decoded
  absl::btree_set<std::pair<int64_t, std::string>> reap_;
  size_t ephemerals_ = 0;
  quota::Quotas quotas_;
  absl::btree_set<std::string> touched_;  // quotas, by the command at hand

  model::ClusterId cluster_;
  uint64_t origin_ = 0;
  base::WallTime stamp_;
  uint32_t version_ = 0;
  model::Membership membership_;

  uint64_t digest_ = 0;
  model::Delta delta_;
  bool in_transaction_ = false;
  // What they were when the transaction began.
  size_t delta_before_ = 0;
  uint64_t digest_before_ = 0;
  std::vector<Undo> journal_;
};

}  // namespace pando::machine

#endif  // PANDO_MACHINE_STATE_H_
