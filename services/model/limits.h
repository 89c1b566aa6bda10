// Every bound of Pando that is not a flag, in one place. Each has a test at it and one beyond it.
#ifndef PANDO_MODEL_LIMITS_H_
#define PANDO_MODEL_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace pando::model {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;

// Paths. ZooKeeper bounds only the packet; a path that no page or message can hold helps nobody.
inline constexpr size_t kPathBytesMax = 4 * kKiB;
inline constexpr size_t kPathDepthMax = 256;

// Data of one node. The flag --max-value-bytes lies between 1 and the hard limit.
inline constexpr size_t kValueBytesDefault = 1 * kMiB;
inline constexpr size_t kValueBytesHardMax = 2 * kMiB;

// One command as it stands in the log, whatever it carries.
inline constexpr size_t kCommandBytesMax = 4 * kMiB;
inline constexpr size_t kTransactOperationsMax = 4096;
inline constexpr size_t kTransactComparesMax = 4096;
// What the reads of one transaction may return; beyond it the transaction is refused, TOO_LARGE.
inline constexpr size_t kTransactReadBytesMax = 2 * kMiB;
// Nodes that the recursive Deletes and SetAcls of one command may touch together.
inline constexpr size_t kRecursiveNodesMax = 10'000;
inline constexpr size_t kAclEntriesMax = 128;
inline constexpr size_t kAclBytesMax = 16 * kKiB;
inline constexpr size_t kIdentitiesMax = 64;
inline constexpr size_t kIdentityBytesMax = 1 * kKiB;
inline constexpr int64_t kTtlMsMax = (int64_t{1} << 40) - 1;

// Sessions.
inline constexpr int64_t kSessionTimeoutMsMin = 1'000;
inline constexpr int64_t kSessionTimeoutMsMax = 600'000;
inline constexpr size_t kSessionsMax = 1'000'000;
inline constexpr size_t kEphemeralsPerSessionMax = 100'000;
inline constexpr size_t kKeptRepliesMax = 1'024;
inline constexpr size_t kKeptReplyBytesMax = 256 * kKiB;
inline constexpr size_t kTokenBytes = 16;

// Reads.
inline constexpr size_t kListPageMax = 10'000;
inline constexpr size_t kListPageDefault = 1'000;
inline constexpr size_t kListPageBytesMax = 1 * kMiB;
inline constexpr size_t kWalkInTurnBytesMax = 256 * kKiB;
inline constexpr size_t kWalkInTurnNodesMax = 1'000;
inline constexpr size_t kScanChunkBytesMax = 256 * kKiB;
inline constexpr size_t kScansMax = 8;
inline constexpr size_t kScansQueuedMax = 1'024;
inline constexpr int64_t kScanMsMax = 600'000;
inline constexpr int64_t kMinRevisionWaitMsMax = 5'000;
// Rounds of ReadIndex that wait for a leader's word; further reads share the next one.
inline constexpr size_t kReadRoundsMax = 64;

// Watches.
inline constexpr size_t kTargetsPerStreamMax = 10'000;
inline constexpr size_t kStreamsMax = 100'000;
inline constexpr size_t kOutboxBytesMax = 1 * kMiB;
inline constexpr size_t kWatchMessageBytesMax = 3 * kMiB;
inline constexpr size_t kChangeWindowBytesMax = 16 * kMiB;
inline constexpr size_t kChangesReadBytesMax = 1 * kMiB;

// Queues of one server.
inline constexpr size_t kInboxRequestsMax = 65'536;
inline constexpr size_t kInboxRequestBytesMax = 64 * kMiB;
inline constexpr size_t kLaneOutstandingMax = 16'384;
inline constexpr size_t kPipelineOperationsPerMessageMax = 4'096;
// Deltas not yet in LevelDB; beyond it a server stops applying.
inline constexpr size_t kUnstoredBytesMax = 256 * kMiB;
// Entries that the Raft log keeps in memory below the stored revision, for followers that lag.
inline constexpr size_t kLogTailBytesMax = 16 * kMiB;
inline constexpr size_t kUncommittedBytesMax = 64 * kMiB;

// Servers among each other.
inline constexpr size_t kMembersMax = 64;
inline constexpr size_t kVotersMax = 9;
// HOST:PORT of a member, as an operator gives it; a host name has at most 253.
inline constexpr size_t kAddressBytesMax = 260;
// Entries of one AppendRequest, and what of them may be under way to one follower.
inline constexpr size_t kAppendBytesMax = 1 * kMiB;
inline constexpr size_t kAppendEntriesMax = 4'096;
inline constexpr size_t kInFlightBytesMax = 16 * kMiB;
inline constexpr size_t kInFlightMessagesMax = 256;
// What may wait in a channel to one peer; a peer's message of its own.
inline constexpr size_t kPeerQueueBytesMax = 64 * kMiB;
inline constexpr size_t kPeerMessageBytesMax = 8 * kMiB;
inline constexpr size_t kForwardBytesMax = 1 * kMiB;
// A command is never as short as that.
inline constexpr size_t kForwardCommandsMax = kForwardBytesMax / 16;
// What was read of one peer's channel and is not handled yet; beyond it the channel is not read.
inline constexpr size_t kPeerHeldBytesMax = 16 * kMiB;
// Channels of one peer at a time: of its other names, and broken ones of which nobody knows yet.
inline constexpr size_t kPeerChannelsMax = 4;
// Callers of the peer port that have not said who they are.
inline constexpr size_t kPeerSilentMax = 32;
// What is written to a peer at once: messages, with the entries and commands in them, of
// kPeerMessageBytesMax together. Each takes much more room in memory than the few bytes that it may
// have in a frame.
inline constexpr size_t kPeerFramePartsMax = 131'072;
// The WAL above a snapshot that is being sent is kept up to this.
inline constexpr size_t kPinnedLogBytesMax = 1024 * kMiB;

// The store. A window is what goes to LevelDB as one batch: its deltas before they are coalesced.
inline constexpr size_t kStoreWindowBytesMax = 32 * kMiB;
inline constexpr size_t kSnapshotsKept = 2;
// A restored ensemble begins so far above its backup: beyond all that the one before it may have
// handed out since, which at 100,000 changes a second is four months.
inline constexpr uint64_t kRestoreRevisionGap = 1'000'000'000'000;
// The backup's; below, what a revision's 63 bits hold is enough for everybody.
inline constexpr uint64_t kRestoreRevisionMax = uint64_t{1} << 62;
// Snapshots from peers that arrive or wait to be installed: one of the leader, one of who was it.
inline constexpr size_t kInstallsMax = 2;

// WAL.
inline constexpr size_t kWalBlockBytes = 4 * kKiB;
inline constexpr size_t kWalBatchBytesMax = 16 * kMiB;

static_assert(kValueBytesHardMax + 64 * kKiB < kCommandBytesMax, "a largest Set fits a command");
static_assert(kCommandBytesMax < kWalBatchBytesMax, "a largest command fits a batch");
static_assert(kCommandBytesMax + kAppendBytesMax < kPeerMessageBytesMax);
static_assert(kForwardCommandsMax < kPeerFramePartsMax && kAppendEntriesMax < kPeerFramePartsMax);
static_assert(kListPageBytesMax + kValueBytesHardMax <= kWatchMessageBytesMax);

}  // namespace pando::model

#endif  // PANDO_MODEL_LIMITS_H_
