// Truth: what the ensemble has committed, as whoever applied it first has it; and the checks that
// everybody else, and every client, is held to. A violation ends the process: the seed is the
// report. One test thread.
#ifndef PANDO_SIM_TRUTH_H_
#define PANDO_SIM_TRUTH_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "io/store.h"
#include "model/change.h"
#include "model/ids.h"
#include "sim/linearizability.h"
#include "sim/schedule.h"

namespace pando::sim {

[[noreturn]] void Violated(const std::string& what);

class Truth {
 public:
  struct Record {
    uint64_t digest = 0;
    model::Term term;
    std::shared_ptr<const model::ChangeBatch> changes;  // null: none
    base::Instant at;                                   // when the first server applied it
  };

  explicit Truth(Schedule* schedule) : schedule_(schedule) {}

  // The same at a revision for everybody; sessions take their ephemerals with them; what is written
  // with unique data is written once; the writes of a lane come in its order.
  void Applied(model::ServerId server, const io::StoreWrite& write);
  // The server's state at `applied` is the one that others had there.
  void CheckState(model::ServerId server, model::Revision applied, uint64_t digest) const;
  // Terms have one leader.
  void Leads(model::ServerId server, model::Term term);

  model::Revision last() const { return last_; }
  const Record* Find(model::Revision revision) const;
  // What the node was after `revision`.
  Register At(const std::string& path, model::Revision revision) const;
  // Every node but the root, as it was after `revision`.
  std::map<std::string, Register> NodesAt(model::Revision revision) const;
  // When this unique data was written, if it was.
  std::optional<base::Instant> WrittenAt(const std::string& data) const;
  // The changes of (after, through], in order.
  std::vector<const model::Change*> Changes(model::Revision after, model::Revision through) const;

  // The client has been told that its beat, sent at `invoked`, was heard: so long it must live.
  void Beat(model::SessionId session, base::Instant invoked, base::Duration timeout);
  // The client closes the session, or tries to: from now on it may end at any time.
  void Closing(model::SessionId session) { beaten_until_.erase(session); }
  // Unless this unique data is written already, it must not be any more: its session has moved.
  void Forbid(const std::string& data) {
    if (!written_.contains(data)) forbidden_.insert(data);
  }

 private:
  void Follow(const model::Change& change);
  void FollowSessions(const io::StoreWrite& write);

  Schedule* const schedule_;
  model::Revision last_;
  std::deque<Record> records_;  // of revision 1 and on, without a gap
  std::map<model::Term, model::ServerId> leaders_;
  std::map<std::string, std::vector<std::pair<model::Revision, Register>>> nodes_;
  std::map<std::string, base::Instant> written_;
  std::set<std::string> forbidden_;
  std::map<std::string, uint64_t> lanes_;  // the newest write of each
  std::set<model::SessionId> sessions_;
  std::map<model::SessionId, std::set<std::string>> ephemerals_;
  std::map<model::SessionId, base::Instant> beaten_until_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_TRUTH_H_
