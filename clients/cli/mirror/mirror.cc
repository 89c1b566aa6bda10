#include "cli/mirror/mirror.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/path.h"

namespace pando::cli {
namespace {

// What the target has not taken yet; beyond it the source is asked nothing.
constexpr size_t kWritesMax = 4'096;
constexpr uint64_t kWriteBytesMax = 16 << 20;

// "ann:x" in the place of "ann:HASH": whoever may not administer a node is shown that.
bool IsMasked(const model::Acl& acl) {
  return std::any_of(acl.begin(), acl.end(), [](const model::AclEntry& entry) {
    const std::string& id = entry.identity.id;
    return entry.identity.scheme == "digest" && id.size() > 2 &&
           id.compare(id.size() - 2, 2, ":x") == 0;
  });
}

}  // namespace

Mirror::Mirror(MirrorOptions options, const Inventory& target) : options_(std::move(options)) {
  for (const auto& [path, print] : target) {
    Entry& entry = entries_[path];
    entry.at_target = true;
    entry.extra = true;
    entry.print = print;
  }
}

// --- The source -------------------------------------------------------------------------------

void Mirror::Connected() {
  CHECK(!connected_);
  connected_ = true;
  const At top = entries_.try_emplace(options_.top).first;
  if (!started_) StartScanning(&top->second);
  started_ = true;
  Want(top, kCheck, /*urgent=*/false);
  RecheckAll();
}

void Mirror::Lost() {
  if (!connected_) return;
  connected_ = false;
  sync_asked_ = false;
  asked_ = 0;
  // What was needed of them comes again with Connected, which looks at everything.
  for (At at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->second.phase == Phase::kAsked) Push(at, /*urgent=*/false);
  }
}

void Mirror::Changed(const std::string& path) {
  if (closed_ || IsSystemPath(path) || !model::IsWithin(path, options_.top)) return;
  Want(entries_.try_emplace(path).first, kRead, /*urgent=*/true);
}

std::optional<Question> Mirror::NextQuestion() {
  if (!connected_ || asked_ >= options_.questions_max) return std::nullopt;
  if (writes_.size() >= kWritesMax || write_bytes_ >= kWriteBytesMax) return std::nullopt;
  if (finishing_ && !closed_ && !sync_asked_) {
    sync_asked_ = true;
    ++asked_;
    return Question{Question::Kind::kSync, options_.top};
  }
  const At at = PopQueued();
  if (at == entries_.end()) return std::nullopt;
  Entry& entry = at->second;
  Question question{Question::Kind::kNode, at->first};
  if ((entry.needs & kRead) != 0 || entry.standing != Standing::kCopied) {
    entry.needs = 0;  // what is read is listed if its children have changed
  } else if ((entry.needs & kCheck) != 0) {
    question.kind = Question::Kind::kStat;
    entry.needs &= static_cast<uint8_t>(~kCheck);
  } else {
    question.kind = Question::Kind::kChildren;
    entry.needs = 0;
  }
  entry.phase = Phase::kAsked;
  ++asked_;
  return question;
}

void Mirror::Answered(const Question& question, Answer answer) {
  CHECK(asked_ > 0);
  --asked_;
  if (question.kind == Question::Kind::kSync) {
    closed_ = true;
    RecheckAll();
    return;
  }
  const At at = entries_.find(question.path);
  CHECK(at != entries_.end());
  CHECK(at->second.phase == Phase::kAsked);
  // Else it was removed with its parent since it was asked for: if that comes again, its children
  // are listed.
  if (at->second.writes == 0) Take(question.kind, at, std::move(answer));
  Settle(at);
}

void Mirror::Take(Question::Kind kind, At at, Answer answer) {
  if (answer.outcome == Answer::Outcome::kNoNode) return TakeAbsence(at);
  if (answer.outcome == Answer::Outcome::kDenied) {
    at->second.standing = Standing::kDenied;
  } else if (kind == Question::Kind::kNode) {
    TakeNode(at, std::move(answer));
  } else if (kind == Question::Kind::kStat) {
    TakeStat(at, answer);
  } else {
    TakeChildren(at, answer);
  }
}

void Mirror::TakeNode(At at, Answer answer) {
  const bool is_top = at->first == options_.top;
  if (is_top) top_seen_ = true;
  if (answer.ephemeral) {
    if (!IsKept(at->second)) RemoveSubtree(at->first);
    at->second.standing = Standing::kEphemeral;
    return;
  }
  if (is_top || HasParent(at)) Put(at, std::move(answer));
}

bool Mirror::HasParent(At at) {
  const At parent = entries_.try_emplace(std::string(model::ParentPath(at->first))).first;
  Entry& entry = parent->second;
  const bool is_there = entry.at_target && !entry.extra && entry.standing != Standing::kUnknown;
  if (is_there) return true;
  at->second.standing = Standing::kUnknown;
  if (entry.standing != Standing::kUnknown) return false;  // it is left out, with all below it
  Want(parent, kRead, /*urgent=*/true);
  return false;
}

void Mirror::Put(At at, Answer answer) {
  Entry& entry = at->second;
  const Fingerprint print = FingerprintOf(answer.data, answer.acl);
  Write write;
  write.path = at->first;
  write.is_new = !entry.at_target;
  write.sets_data = write.is_new || print.data != entry.print.data;
  write.sets_acl = write.is_new || print.acl != entry.print.acl;
  entry.standing = Standing::kCopied;
  entry.masked = IsMasked(answer.acl);
  entry.extra = false;
  entry.at_target = true;
  entry.version = answer.version;
  entry.print = print;
  if (answer.children_count == 0) entry.listed = answer.children_changed;
  ListIfChanged(at, answer.children_changed);
  if (!write.sets_data && !write.sets_acl) return;
  write.data = std::move(answer.data);
  write.acl = std::move(answer.acl);
  Give(at, std::move(write));
}

void Mirror::TakeStat(At at, const Answer& answer) {
  if (answer.version == at->second.version) {
    ListIfChanged(at, answer.children_changed);
  } else {
    at->second.needs |= kRead;
  }
}

void Mirror::ListIfChanged(At at, int64_t children_changed) {
  if (children_changed != at->second.listed) at->second.needs |= kList;
}

void Mirror::TakeChildren(At at, const Answer& answer) {
  at->second.listed = answer.children_changed;
  for (const std::string& name : answer.names) {
    std::string path = model::JoinPath(at->first, name);
    if (IsSystemPath(path)) continue;
    const At child = entries_.try_emplace(std::move(path)).first;
    Entry& entry = child->second;
    if (entry.standing == Standing::kCopied || entry.standing == Standing::kEphemeral) continue;
    if (scan_left_ > 0) StartScanning(&entry);
    Want(child, kRead, /*urgent=*/false);
  }
}

void Mirror::TakeAbsence(At at) {
  if (at->first == options_.top && !top_seen_) top_is_missing_ = true;
  if (IsKept(at->second)) {
    at->second.standing = Standing::kUnknown;
  } else {
    RemoveSubtree(at->first);
  }
}

// --- The target -------------------------------------------------------------------------------

void Mirror::RemoveSubtree(const std::string& path) {
  std::vector<At> doomed;
  for (At at = entries_.lower_bound(path); at != entries_.end() && model::IsWithin(at->first, path);
       ++at) {
    doomed.push_back(at);
  }
  // What lies below goes first. What is kept keeps all that it lies in.
  std::string kept;
  for (auto it = doomed.rbegin(); it != doomed.rend(); ++it) {
    const At at = *it;
    Entry& entry = at->second;
    entry.standing = Standing::kUnknown;
    entry.masked = false;
    entry.version = {};
    const bool holds_kept = !kept.empty() && model::IsWithin(kept, at->first);
    if (entry.at_target && (IsKept(entry) || holds_kept)) {
      entry.extra = true;
      kept = at->first;
    } else if (entry.at_target) {
      entry.at_target = false;
      entry.extra = false;
      entry.print = {};
      Write write;
      write.kind = Write::Kind::kRemove;
      write.path = at->first;
      Give(at, std::move(write));
    }
    if (at->first == path) continue;  // it is settled by whoever asked for it
    if (entry.phase == Phase::kResting) {
      entry.phase = Phase::kWriting;
      ++busy_;
    }
    if (entry.phase == Phase::kWriting) Settle(at);
  }
}

void Mirror::Give(At at, Write write) {
  ++at->second.writes;
  write_bytes_ += write.bytes();
  writes_.push_back(std::move(write));
}

std::optional<Write> Mirror::NextWrite() {
  if (writes_.empty()) return std::nullopt;
  Write write = std::move(writes_.front());
  writes_.pop_front();
  write_bytes_ -= write.bytes();
  return write;
}

void Mirror::Written(const Write& write, const std::string& refusal) {
  const At at = entries_.find(write.path);
  CHECK(at != entries_.end());
  Entry& entry = at->second;
  CHECK(entry.writes > 0);
  --entry.writes;
  refusals_.erase(write.path);
  if (!refusal.empty()) {
    refusals_[write.path] = refusal;
    entry.standing = Standing::kRefused;
    // What was refused is not there; what could not be changed or removed still is. Either way it
    // is written whole when it is tried again.
    entry.at_target = write.kind == Write::Kind::kRemove || !write.is_new;
    entry.print = {};
    entry.needs &= static_cast<uint8_t>(~kList);
  } else if (write.kind == Write::Kind::kRemove) {
    ++counts_.removed;
  } else {
    ++(write.is_new ? counts_.created : counts_.updated);
    if (write.sets_data) counts_.bytes += write.bytes();
  }
  if (entry.phase == Phase::kWriting) Settle(at);
}

// --- The course of things ---------------------------------------------------------------------

void Mirror::RecheckSome(size_t nodes) {
  if (!connected_ || entries_.empty()) return;
  At at = entries_.upper_bound(rechecked_);
  for (size_t i = 0; i < nodes && i < entries_.size(); ++i, ++at) {
    if (at == entries_.end()) at = entries_.begin();
    rechecked_ = at->first;
    Want(at, kCheck, /*urgent=*/false);
  }
}

void Mirror::RecheckAll() {
  for (At at = entries_.begin(); at != entries_.end(); ++at) Want(at, kCheck, /*urgent=*/false);
}

void Mirror::Finish() { finishing_ = true; }

void Mirror::StartScanning(Entry* entry) {
  if (entry->scanning) return;
  entry->scanning = true;
  ++scan_left_;
}

void Mirror::Want(At at, uint8_t needs, bool urgent) {
  Entry& entry = at->second;
  entry.needs |= needs;
  if (entry.phase == Phase::kResting) {
    ++busy_;
    Push(at, urgent);
  } else if (entry.phase == Phase::kQueued && urgent && !entry.hurried) {
    Push(at, urgent);
  }
}

void Mirror::Push(At at, bool urgent) {
  at->second.phase = Phase::kQueued;
  if (urgent) at->second.hurried = true;
  (urgent ? urgent_ : queue_).push_back(at->first);
}

// A node that was hurried stands in both queues; the second time it is passed over.
Mirror::At Mirror::PopQueued() {
  while (!urgent_.empty() || !queue_.empty()) {
    std::deque<std::string>& from = urgent_.empty() ? queue_ : urgent_;
    const At at = entries_.find(from.front());
    from.pop_front();
    if (at == entries_.end() || at->second.phase != Phase::kQueued) continue;
    at->second.hurried = false;
    return at;
  }
  return entries_.end();
}

void Mirror::Settle(At at) {
  Entry& entry = at->second;
  if (entry.scanning && (entry.needs & kList) == 0) {
    entry.scanning = false;
    --scan_left_;
  }
  if (entry.writes > 0) {
    entry.phase = Phase::kWriting;
    return;
  }
  if (entry.needs != 0) {
    Push(at, /*urgent=*/true);
    return;
  }
  entry.phase = Phase::kResting;
  --busy_;
  if (!entry.at_target && entry.standing == Standing::kUnknown) entries_.erase(at);
}

Inventory Mirror::Copied() const {
  Inventory inventory;
  for (const auto& [path, entry] : entries_) {
    if (entry.standing == Standing::kCopied)
      inventory.emplace_hint(inventory.end(), path, entry.print);
  }
  return inventory;
}

void Mirror::ForEachLeftOut(const std::function<void(const LeftOut&)>& tell) const {
  for (const auto& [path, entry] : entries_) {
    if (entry.standing == Standing::kEphemeral) {
      tell({path, "ephemeral: it goes with its session", true});
    } else if (entry.standing == Standing::kDenied) {
      tell({path, "its ACL does not let this client read it, nor what is below it"});
    } else if (entry.standing == Standing::kRefused) {
      tell({path, refusals_.at(path)});
    } else if (entry.masked) {
      tell({path, "its ACL was copied without hashes: only who may administer it is shown them"});
    }
  }
}

}  // namespace pando::cli
