// Peers: the seam to the other servers.
//
// A channel carries one server's messages to another, in order while it lasts; what was under way
// when it breaks is lost. Each side opens one to the other. It begins with a Hello, and is used at
// once; whoever was called may refuse it later, with a reason that reaches the caller.
//
//   caller: SetPeers ──► connects, Hello ──────────► PeerOpened :called
//           PeerReady ◄─ open                        PeerMessages …
//           Send ──────► messages ─────────────────► PeerClosed
//           PeerRefused ◄─ and no more tries for a while ◄─ Refuse
//
// Calls never block. Called by the core thread only; what comes back are events in the Inbox.
#ifndef PANDO_IO_PEERS_H_
#define PANDO_IO_PEERS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/strong.h"
#include "io/store.h"
#include "model/ids.h"
#include "model/membership.h"
#include "model/reply.h"
#include "raft/message.h"

namespace pando::io {

// One opening of one incoming channel, on this server; never used twice.
using ChannelId = base::Strong<struct ChannelIdTag>;

// --- What servers say ---------------------------------------------------------------------------

// Numbered commands of the sender (encoded), in the order of their numbers without gaps.
struct Forward {
  model::SourceNumber first;
  std::vector<std::string> commands;
};
// Sessions that the sender's clients have shown to be alive, for the leader to renew.
struct RenewRequest {
  uint64_t id = 0;  // the sender's own
  std::vector<model::SessionId> sessions;
};
struct RenewReply {
  uint64_t id = 0;
  std::vector<int64_t> time_left_ms;  // of each; 0: it is not renewed any more. Empty: no leader.
};

// How the sender is doing; told to everybody now and then.
struct Report {
  model::EnsembleStatus::Role role = model::EnsembleStatus::Role::kFollower;
  model::Term term;
  model::Revision applied;
  uint64_t disk_bytes = 0;
  std::string version;  // of the binary
  // By the sender's clock, which means nothing to anybody else: it comes back in a later report of
  // whoever gets this, with how long it was held there, and tells the round trip.
  uint64_t sent_ns = 0;
  uint64_t heard_ns = 0;  // the newest such number of the receiver; 0: there is none
  uint64_t held_ns = 0;
};
// The digest of the sender's state, at a revision at which everybody tells his.
struct DigestReport {
  model::Revision revision;
  uint64_t digest = 0;
};
// A majority of voters has this one; whoever differs stops.
struct DigestVerdict {
  model::Revision revision;
  uint64_t digest = 0;
};

// A change of the membership, or of the leader, that only the leader can make.
struct AddMember {
  model::Member member;  // as learner; storage none: recorded when it first says Hello
};
struct PromoteMember {
  model::ServerId id;
};
struct RemoveMember {
  model::ServerId id;
};
struct TransferLeadership {
  model::ServerId to;  // none: whoever is the furthest
};
using AdminOrder = std::variant<AddMember, PromoteMember, RemoveMember, TransferLeadership>;
struct AdminRequest {
  uint64_t id = 0;  // the sender's own
  AdminOrder order;
  model::Revision config;  // as Administer has it
};
struct AdminReply {
  uint64_t id = 0;
  model::Error error;
  model::Revision revision;  // of the change
  model::ServerId leader;    // TransferLeadership: who leads now
};

// Formation: a server without data tells who it is, and votes once everybody has recorded it.
struct Announce {
  model::StorageId storage;
  model::Membership initial;  // as its operator gave it: ids and peer addresses, and its own rest
};
struct AnnounceReply {
  model::StorageId storage;  // the announced one
  bool recorded = false;     // false: another storage, or another list, was recorded; for ever
};

using PeerMessage =
    std::variant<raft::Message, Forward, RenewRequest, RenewReply, Report, DigestReport,
                 DigestVerdict, AdminRequest, AdminReply, Announce, AnnounceReply>;

// --- The channel ------------------------------------------------------------------------------

// Who the caller is. The called server's core decides whether it likes that.
struct PeerHello {
  model::ServerId id;
  model::StorageId storage;
  model::StartCount start;
  model::ClusterId cluster;  // none: not known yet
  uint64_t origin = 0;       // of the backup that its ensemble began with; 0: none, or not known
  // As recovered at the start: a log that has become shorter is told by them.
  model::Term term;
  model::Revision last;
  uint32_t version_min = 0;  // machine versions that its binary supports
  uint32_t version_max = 0;
  bool joins = false;  // it asks to become a member; `self` says what it is
  model::Member self;
  friend bool operator==(const PeerHello&, const PeerHello&) = default;
};

enum class Refusal : uint8_t {
  kWrongCluster = 1,  // it belongs to another ensemble
  kWrongStorage = 2,  // the data of its id is gone: it has to be removed and added again
  kLogLost = 3,       // its log is shorter than what it acknowledged: it must stop
  kNotAMember = 4,    // it was removed, or never added
  kWrongVersion = 5,  // its binary does not speak this protocol
  kWrongServer = 6,   // it means another server: this address belongs to somebody else by now
  kTooOld = 7,        // its binary lacks the machine's version, which never goes down: it must stop
};
const char* RefusalName(Refusal refusal);

struct PeerAddress {
  model::ServerId id;
  std::string address;  // HOST:PORT, resolved again at each connect
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

class Peers {
 public:
  virtual ~Peers() = default;
  // Keeps a channel to each of `peers`, and to nobody else; `hello` is said at each connect from
  // now on. A peer whose address has changed is connected anew.
  virtual void SetPeers(PeerHello hello, std::vector<PeerAddress> peers) = 0;
  // Dropped if there is no channel to `to`, or too much waits in it (kPeerQueueBytesMax).
  virtual void Send(model::ServerId to, std::vector<PeerMessage> messages) = 0;
  // Ends an incoming channel; the caller is told why.
  virtual void Refuse(ChannelId channel, Refusal refusal, std::string detail) = 0;
  // Where a scan of the whole state goes that is to be installed on `to`, on a connection of its
  // own. Its end, good or bad, is posted as SnapshotSent.
  virtual std::shared_ptr<ScanSink> SendSnapshot(model::ServerId to) = 0;
};

}  // namespace pando::io

#endif  // PANDO_IO_PEERS_H_
