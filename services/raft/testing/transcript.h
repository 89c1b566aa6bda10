// Transcript: an ensemble that is told what to do line by line, and what came of each line.
//
//   # Who is not the furthest gets no vote.       a comment, or nothing
//   elect 1                                       a command
//     1 is LEADER in term 1                       what came of it: written by the test, read by you
//
// Nothing happens that no line asks for: time, messages and disks stand still.
//
//   ensemble 3 [learners=4,5] [spares=6] [tail=BYTES] [append=BYTES] [uncommitted=BYTES]
//                                   on empty disks
//   tick N heartbeat|election|MS    only N's clock goes on
//   deliver A->B ...                what is under way from A to B arrives; `*` is everybody
//   drop A->B ...                   is lost                 repeat A->B ...   arrives twice
//   persist N [COUNT]               N's disk syncs all appends, or as many
//   settle                          all messages and disks, until nothing is left; told in short
//   run MS                          the same while time passes for all
//   elect N                         N's clock passes an election timeout, and all settles
//   cut A->B ... / heal             loses everything between them / nothing any more
//   lost N PEER                     N sees the channel from PEER break
//   reconnect A B                   the channels between them are new
//   crash N / restart N
//   disk N TERMS [term=T] [vote=V]  a crashed server gets a log of these terms, as 1,1,4; or `same`
//   propose N TEXT [COUNT] [bytes=B]     COUNT times, filled up to B bytes
//   read N
//   store N [drop]                  N stores what it applied, and drops that from its log
//   install A B / failed A B        A's snapshot gets to B / does not
//   add L N | promote L N | remove L N    L proposes: N is a learner, a voter, no member
//   transfer L N                    L hands over to N
//   capacity N [no-space] [overloaded] [stalled]
//   state / log N ... / progress N  tells, and does nothing
#ifndef PANDO_RAFT_TESTING_TRANSCRIPT_H_
#define PANDO_RAFT_TESTING_TRANSCRIPT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "raft/testing/ensemble.h"

namespace pando::raft {

class Transcript {
 public:
  // Lines without their line ends. A command that is none says so.
  std::vector<std::string> Run(const std::string& command);

 private:
  using Words = std::vector<std::string>;

  bool Obey(const std::string& verb, const Words& words);
  bool Change(const std::string& verb, const Words& words);
  void MakeEnsemble(const Words& words);
  void Tick(uint64_t id, const std::string& duration);
  void MoveMessages(const std::string& verb, const Words& words);
  void Persist(uint64_t id, uint64_t count);
  void Settle();
  void Restart(uint64_t id);
  void GiveDisk(const Words& words);
  model::Membership Changed(const std::string& verb, uint64_t leader, uint64_t id);
  void TellState(uint64_t id);
  void TellLog(uint64_t id);
  void TellProgress(uint64_t id);
  void Say(std::string line) { said_.push_back(std::move(line)); }

  std::unique_ptr<Ensemble> ensemble_;
  uint64_t servers_ = 0;
  bool in_short_ = false;
  std::vector<std::string> said_;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_TESTING_TRANSCRIPT_H_
