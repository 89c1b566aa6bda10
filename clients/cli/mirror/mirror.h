// Mirror: makes a target tree equal to a source tree that goes on changing, and keeps it so.
//
// Pure: it is told what the source answers and where it has changed, and says what to ask next and
// what to write. It relies on three things only:
//   - a question that is asked after Changed was told is answered from a state that has the change;
//   - answers come in the order of their questions;
//   - the target does the writes in the order in which they were given.
// A change that comes while its node is looked at makes it be looked at again, so nothing depends
// on whether events or answers are faster. What tells nothing (a new ACL, all that happens while
// the connection is lost) is found by looking at the versions of all nodes: Connected and Finish
// look at every one, RecheckSome at some.
//
//   node:  resting ─► queued ─► asked ─► (writing) ─► resting, or queued again if there is need
//
// One thing at a time is done about a node, so no write of it overtakes another. A node is put only
// when its parent is there, and listed after that: so a child that came too early is found again.
//
// Ephemeral nodes are not copied. What cannot be read or written is left out with all below it, and
// is tried again whenever it is looked at. Owned by one thread.
#ifndef PANDO_CLIENTS_CLI_MIRROR_MIRROR_H_
#define PANDO_CLIENTS_CLI_MIRROR_MIRROR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/mirror/inventory.h"
#include "cli/mirror/words.h"

namespace pando::cli {

struct MirrorOptions {
  std::string top;             // all that is copied is this node and what is below it
  bool delete_extras = false;  // what only the target had before is removed; else it is left
  size_t questions_max = 256;  // that wait for their answers
};

struct MirrorCounts {
  uint64_t created = 0;
  uint64_t updated = 0;
  uint64_t removed = 0;
  uint64_t bytes = 0;  // of data that was written
};

class Mirror {
 public:
  // `target`: what is there at and below the top.
  Mirror(MirrorOptions options, const Inventory& target);

  // --- The source ---
  // It answers, and tells of changes from now on.
  void Connected();
  // Questions that were asked have no answers any more.
  void Lost();
  // Something happened to the node, or may have.
  void Changed(const std::string& path);
  void Answered(const Question& question, Answer answer);
  // What to ask; none: nothing now, or the target has to catch up first.
  std::optional<Question> NextQuestion();

  // --- The target ---
  std::optional<Write> NextWrite();
  bool has_writes() const { return !writes_.empty(); }
  // It was done, or `refusal` says why not. In the order of NextWrite, or in any other.
  void Written(const Write& write, const std::string& refusal);

  // --- The course of things ---
  // Looks at so many nodes again, going round.
  void RecheckSome(size_t nodes);
  // Waits until the source shows all that was done before now, then looks at every node once more;
  // changes that are told after that count no longer.
  void Finish();
  // Every node that was there at the beginning has been looked at.
  bool scanned() const { return started_ && scan_left_ == 0; }
  // Nothing is under way, and nothing is known to be missing.
  bool idle() const { return busy_ == 0; }
  bool done() const { return closed_ && connected_ && idle(); }
  // The source has no such node, and had none since the beginning.
  bool top_is_missing() const { return top_is_missing_; }

  const MirrorCounts& counts() const { return counts_; }
  size_t known() const { return entries_.size(); }
  // What the source has, as far as it was copied.
  Inventory Copied() const;
  // Calls back with each node that was left out, and why; what was left out for its kind alone is
  // `ephemeral`.
  struct LeftOut {
    std::string path;
    std::string reason;
    bool ephemeral = false;
  };
  void ForEachLeftOut(const std::function<void(const LeftOut&)>& tell) const;

 private:
  enum class Phase : uint8_t { kResting, kQueued, kAsked, kWriting };
  // What the source was last seen to have at a path.
  enum class Standing : uint8_t { kUnknown, kCopied, kEphemeral, kDenied, kRefused };
  enum Need : uint8_t { kCheck = 1, kRead = 2, kList = 4 };

  struct Entry {
    Phase phase = Phase::kResting;
    Standing standing = Standing::kUnknown;
    uint8_t needs = 0;       // Need bits
    bool hurried = false;    // stands in the queue of what is urgent
    bool scanning = false;   // counts in scan_left_
    bool at_target = false;  // once the writes that were given are done
    bool extra = false;      // was at the target before, and never at the source
    bool masked = false;     // its ACL was shown without hashes
    uint32_t writes = 0;     // given and not done
    int64_t listed = 0;      // children_changed when the children were listed; 0: never
    NodeVersion version;
    Fingerprint print;  // of what is at the target
  };
  using Entries = std::map<std::string, Entry, PathOrder>;
  using At = Entries::iterator;

  void Want(At at, uint8_t needs, bool urgent);
  void Push(At at, bool urgent);
  At PopQueued();
  void StartScanning(Entry* entry);
  void RecheckAll();
  // Nothing is asked or written about the node now: goes on with what it needs.
  void Settle(At at);

  void Take(Question::Kind kind, At at, Answer answer);
  void TakeNode(At at, Answer answer);
  void TakeStat(At at, const Answer& answer);
  void TakeChildren(At at, const Answer& answer);
  void TakeAbsence(At at);
  // False: it has none to be put below, yet or ever.
  bool HasParent(At at);
  void Put(At at, Answer answer);
  void ListIfChanged(At at, int64_t children_changed);
  // Whether nothing removes it, because only the target ever had it.
  bool IsKept(const Entry& entry) const { return entry.extra && !options_.delete_extras; }
  // What is at and below the path goes from the target.
  void RemoveSubtree(const std::string& path);
  void Give(At at, Write write);

  const MirrorOptions options_;
  Entries entries_;
  std::deque<std::string> urgent_;  // told changes, and what follows from an answer
  std::deque<std::string> queue_;   // what is looked at because it may have changed
  std::deque<Write> writes_;        // not taken yet
  uint64_t write_bytes_ = 0;        // of these
  std::map<std::string, std::string> refusals_;
  MirrorCounts counts_;
  std::string rechecked_;  // where RecheckSome stopped
  size_t asked_ = 0;
  size_t busy_ = 0;       // entries that do not rest
  size_t scan_left_ = 0;  // entries of the first round that were not looked at
  bool started_ = false;
  bool connected_ = false;
  bool top_seen_ = false;
  bool top_is_missing_ = false;
  bool finishing_ = false;
  bool sync_asked_ = false;
  bool closed_ = false;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_MIRROR_MIRROR_H_
