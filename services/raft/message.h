// What servers say to one another about the log. They may be lost, delayed, repeated and
// reordered, but not altered. Plain structs; protocol/wire.h gives them bytes.
//
// Each has the sender's term. The sender's id and start count come with the channel: an answer that
// an earlier start gave is dropped by whoever gets it.
#ifndef PANDO_RAFT_MESSAGE_H_
#define PANDO_RAFT_MESSAGE_H_

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "model/entry.h"
#include "model/ids.h"

namespace pando::raft {

using EntryRef = std::shared_ptr<const model::Entry>;

// Asks for a vote in `term`, the sender's own; with `pre_vote` only whether it would get one in
// that term, which is one above the sender's own: nobody's term changes by it (Raft thesis 9.6).
struct VoteRequest {
  model::Term term;
  bool pre_vote = false;
  bool transfer = false;  // the leader itself told it to stand: stickiness does not count
  model::Revision last;
  model::Term last_term;
};
// To a pre-vote: granted, `term` is that of the request; refused, it is the refuser's own.
struct VoteReply {
  model::Term term;
  bool pre_vote = false;
  bool granted = false;
};

// Entries after (previous, previous_term); none: a probe whether the logs agree there.
struct AppendRequest {
  model::Term term;
  model::Revision previous;
  model::Term previous_term;
  model::Revision committed;
  std::vector<EntryRef> entries;
};
struct AppendReply {
  model::Term term;
  bool accepted = false;
  // Accepted: on the sender's disk, and equal to the leader's log, up to here.
  model::Revision match;
  // Refused: that of the request, and where the logs may agree: the sender's newest entry at or
  // before it whose term is not above previous_term.
  model::Revision previous;
  model::Revision hint;
  model::Term hint_term;
};

// Says who leads, and what is committed. Rounds are numbered by the leader within its term; an
// answered round confirms it as leader at the moment that it sent it.
struct Heartbeat {
  model::Term term;
  model::Revision committed;  // of what the receiver is known to hold
  uint64_t round = 0;
  // Edges refuse new writes before they number them.
  bool no_space = false;
  bool overloaded = false;
};
struct HeartbeatReply {
  model::Term term;
  uint64_t round = 0;
  model::Revision verified;  // equal to the leader's log up to here, on disk or not
  // The sender takes no entries: its disk is full, or its store lags too far behind.
  bool no_space = false;
  bool stalled = false;
};

// From a leader that hands over: stand at once.
struct StandNow {
  model::Term term;
};

// A follower's LINEARIZABLE reads.
struct ReadRequest {
  model::Term term;
  uint64_t id = 0;  // the sender's own
};
struct ReadReply {
  model::Term term;
  uint64_t id = 0;
  model::Revision index;  // the reads may run once this is applied
};

using Message = std::variant<VoteRequest, VoteReply, AppendRequest, AppendReply, Heartbeat,
                             HeartbeatReply, StandNow, ReadRequest, ReadReply>;

}  // namespace pando::raft

#endif  // PANDO_RAFT_MESSAGE_H_
