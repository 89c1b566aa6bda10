// Execution: one command at work on the state. Private to the machine.
//
// Every operation checks everything before its first write, so that alone it needs no rollback; a
// transaction is several, and is rolled back by the state's journal.
#ifndef PANDO_MACHINE_EXECUTION_H_
#define PANDO_MACHINE_EXECUTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acl/needs.h"
#include "base/time.h"
#include "machine/state.h"
#include "model/change.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/membership.h"
#include "model/reply.h"

namespace pando::machine {

class Execution {
 public:
  // Changes go to `*changes` as they are made.
  Execution(State* state, model::Revision revision, const model::Command& command,
            std::vector<model::Change>* changes)
      : state_(state), revision_(revision), command_(command), changes_(changes) {}

  // The command's body, with everything that a session does to it.
  model::Reply Run();
  // The membership in force from here on.
  void Adopt(const model::Membership& membership);

 private:
  // execution.cc: sessions around a command, and commands without nodes
  model::Error CheckSession() const;
  bool StandsIn() const;
  model::Reply RunOnce();
  model::Reply RunBody();
  model::Reply Do(const model::Nothing& nothing);
  model::Reply Do(const model::Refuse& refuse);
  model::Reply Do(const model::Found& found);
  model::Reply Do(const model::SetMachineVersion& set);
  model::Reply Do(const model::Create& create) { return Alone(Apply(create)); }
  model::Reply Do(const model::Set& set) { return Alone(Apply(set)); }
  model::Reply Do(const model::Delete& del) { return Alone(Apply(del)); }
  model::Reply Do(const model::SetAcl& set) { return Alone(Apply(set)); }
  model::Reply Do(const model::Transaction& transaction);
  model::Reply Do(const model::OpenSession& open);
  model::Reply Do(const model::AttachSession& attach);
  model::Reply Do(const model::ReattachSession& reattach);
  model::Reply Attach(model::SessionId id, std::optional<int64_t> timeout_ms);
  model::Reply Do(const model::CloseSession& close);
  model::Reply Do(const model::ExpireSessions& expire);
  model::Reply Do(const model::Reap& reap);
  void EndSession(model::SessionId id);
  model::Reply Alone(model::OperationResult result) const;

  // operations.cc: what operations do to nodes
  model::OperationResult Apply(const model::Create& create);
  model::OperationResult Apply(const model::Set& set);
  model::OperationResult Apply(const model::Delete& del);
  model::OperationResult Apply(const model::SetAcl& set);
  model::OperationResult Apply(const model::Check& check) const;
  model::OperationResult Apply(const model::CheckAbsent& check) const;
  model::OperationResult Apply(const model::Get& get) const;
  model::Error CheckCreate(const model::Create& create) const;
  // QUOTA_EXCEEDED, if a quota stands against it; the arguments as quota::Quotas::Exceeded has
  // them.
  model::Error CheckQuota(std::string_view path, int64_t nodes, int64_t bytes) const;
  // If the node that tells the members is `path` or among `others`, which are made or removed. The
  // right to change the members is in its ACL (reconfig), so only the superuser may put one there.
  model::Error PermitConfigNode(std::string_view path,
                                const std::vector<std::string>& others) const;
  model::Error CheckSubtree(const acl::Need& need, const std::vector<std::string>& paths) const;
  // TOO_LARGE, if a command would touch more than kRecursiveNodesMax nodes by its recursive
  // operations together: each is small, but a transaction may have thousands.
  model::Error CountRecursive(const std::string& path, size_t nodes);
  model::Error Permit(const acl::Need& need, std::string_view path, const tree::Node& node) const;
  void CreateNode(const std::string& path, const model::Create& create, model::NodeKind kind,
                  codec::AclId acl);
  void DeleteNode(const std::string& path);
  void CountChild(std::string_view parent, bool created);

  // transaction.cc
  model::Error CheckCompare(const model::Compare& compare) const;
  bool Holds(const model::Compare& compare) const;
  std::optional<model::Error> RunOperations(const std::vector<model::Operation>& operations,
                                            model::TransactionResult* result);

  void Tell(model::ChangeKind kind, std::string_view path, const tree::Node& node);

  State* const state_;
  const model::Revision revision_;
  const model::Command& command_;
  std::vector<model::Change>* const changes_;
  size_t recursive_nodes_ = 0;
};

// INVALID_PATH, or OK.
model::Error CheckPath(std::string_view path);

// PERMISSION_DENIED at `path`, unless `identities` have one of `need`'s permissions on `node`.
model::Error Permit(const State& state, const std::vector<model::Identity>& identities,
                    const acl::Need& need, std::string_view path, const tree::Node& node);

// What reading says of a node: shared by queries and by reads inside transactions.
model::OperationResult ReadNode(const State& state, const std::vector<model::Identity>& identities,
                                const model::Get& get);

}  // namespace pando::machine

#endif  // PANDO_MACHINE_EXECUTION_H_
