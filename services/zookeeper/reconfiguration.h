// Reconfiguration: one reconfig, from its text to the last change of the membership.
//
//   /zookeeper/config, its ACL, members, status ──► checks ──► one order after the other ──► config
//
// ZooKeeper puts one configuration in the place of another. Pando changes one member at a time, so
// a reconfig of several is several changes, joins before leaves, answered after the last. If one
// fails, those before it have happened; to ask for all of it again is safe, because what is as it
// is asked for needs no change. What the checks find is told before anything is changed.
#ifndef PANDO_ZOOKEEPER_RECONFIGURATION_H_
#define PANDO_ZOOKEEPER_RECONFIGURATION_H_

#include <optional>
#include <variant>
#include <vector>

#include "io/client.h"
#include "jute/records.h"
#include "model/acl.h"
#include "model/ids.h"
#include "model/membership.h"
#include "model/reply.h"
#include "zookeeper/server_list.h"

namespace pando::zookeeper {

// The changes that lead from `now` to what is wanted, or the error that stands against them:
// kUnimplemented for what ZooKeeper could do and Pando cannot; kNewConfigNoQuorum if too few of the
// voters to be are there, or a new one is not there yet. `self`, the server that is asked, leaves
// last, and before it the leader.
jute::ErrorCode PlanChanges(const WantedServers& wanted, const model::Membership& now,
                            const model::EnsembleStatus& status, model::ServerId self,
                            std::vector<io::AdminOrder>* orders);

class Reconfiguration {
 public:
  using Question = decltype(io::Request::body);

  // For a client with `identities`, who needs WRITE on /zookeeper/config.
  Reconfiguration(jute::Reconfig request, std::vector<model::Identity> identities,
                  model::ServerId self);

  // What is to be asked next, linearizable; none: it has ended, with error() and, if that is kOk,
  // what the last Take() was given.
  std::optional<Question> Next() const;
  void Take(const model::Reply& reply);
  jute::ErrorCode error() const { return error_; }

 private:
  enum class Step : uint8_t { kConfig, kAcl, kMembers, kStatus, kOrders, kResult, kEnded };

  void End(jute::ErrorCode error);
  void Check(const model::EnsembleStatus& status);

  const jute::Reconfig request_;
  const std::vector<model::Identity> identities_;
  const model::ServerId self_;
  Step step_ = Step::kConfig;
  jute::ErrorCode error_ = jute::ErrorCode::kOk;
  model::Revision config_;  // the revision of /zookeeper/config at the beginning
  model::Acl acl_;
  model::Membership members_;
  std::vector<io::AdminOrder> orders_;
  size_t done_ = 0;  // of the orders
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_RECONFIGURATION_H_
