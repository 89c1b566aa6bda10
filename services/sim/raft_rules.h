// RaftRules: what Raft is never seen to break from outside. What servers have promised, as the
// network saw it, they keep, in every life; leaders are elected by a majority; and only entries of
// their own term are committed by counting. A violation ends the process. One test thread.
#ifndef PANDO_SIM_RAFT_RULES_H_
#define PANDO_SIM_RAFT_RULES_H_

#include <map>
#include <set>
#include <utility>

#include "model/ids.h"
#include "raft/message.h"
#include "raft/raft.h"

namespace pando::sim {

class RaftRules {
 public:
  // `from` says this to `to`. A server votes once a term.
  void Said(model::ServerId from, model::ServerId to, const raft::Message& message);
  // Its data is gone, and with it what it knew: it must neither vote nor stand any more.
  void Wiped(model::ServerId server);

  // After every event, of a server that runs. `committed` is what anybody had applied before it.
  void Check(model::ServerId server, const raft::Raft& raft, model::Revision committed);

 private:
  struct Promises {
    model::Term voted_in;
    model::ServerId candidate;
    model::Term acknowledged_in;
    model::Revision acknowledged;
  };
  void SaidVote(model::ServerId voter, model::ServerId candidate, model::Term term);
  void SaidAcknowledgement(model::ServerId from, const raft::AppendReply& reply);
  void CheckPromises(model::ServerId server, const raft::Raft& raft) const;
  void CheckElected(model::ServerId server, const raft::Raft& raft) const;

  std::map<model::ServerId, Promises> promises_;  // the newest of each kind
  std::map<std::pair<model::Term, model::ServerId>, std::set<model::ServerId>> votes_;
  std::set<model::ServerId> wiped_;
  // What each term's leader held to be committed when it was elected.
  std::map<model::Term, model::Revision> committed_before_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_RAFT_RULES_H_
