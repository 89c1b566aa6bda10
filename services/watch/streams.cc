#include "watch/streams.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acl/permission.h"
#include "base/check.h"
#include "model/path.h"

namespace pando::watch {
namespace {

using model::Reason;

// Every live stream is looked at once in this time. In parts, so that the marks of very many
// streams do not hold up everything else.
constexpr base::Duration kMarksInterval = std::chrono::seconds(1);
constexpr size_t kMarksParts = 20;
constexpr base::Duration kMarksStep = kMarksInterval / kMarksParts;

model::Error InvalidArgument(std::string detail) {
  return {.reason = Reason::kInvalidArgument, .detail = std::move(detail)};
}

}  // namespace

Streams::Streams(Sink* sink, model::Revision applied, model::Revision oldest_change,
                 base::Duration no_leader_limit, Bounds bounds)
    : sink_(sink),
      no_leader_limit_(no_leader_limit),
      bounds_(bounds),
      applied_(applied),
      stored_(applied),
      oldest_change_(oldest_change),
      window_(applied, bounds.window_bytes_max) {
  CHECK(sink != nullptr);
  CHECK(oldest_change <= applied + 1);
  CHECK(bounds.refill_changes_per_tick >= 2);  // a look at a stream, and a change
}

Streams::~Streams() = default;

// --- The life of a stream ---------------------------------------------------------------------

model::Error Streams::Check(const Open& open) const {
  if (streams_.size() >= bounds_.streams_max) {
    return {.reason = Reason::kOverloaded, .detail = "this server has too many watch streams"};
  }
  if (open.targets.empty()) return InvalidArgument("a watch needs a target");
  if (open.targets.size() > model::kTargetsPerStreamMax) {
    return InvalidArgument(
        absl::StrCat("a watch has at most ", model::kTargetsPerStreamMax, " targets"));
  }
  if (open.send_initial && open.start_revision) {
    return InvalidArgument("send_initial starts now: it goes with no start revision");
  }
  for (const model::WatchTarget& target : open.targets) {
    if (const absl::Status status = model::ValidatePath(target.path); !status.ok()) {
      return {.reason = Reason::kInvalidPath,
              .path = target.path,
              .detail = std::string(status.message())};
    }
  }
  if (open.start_revision && open.start_revision < oldest()) return Compacted();
  return {};
}

model::Error Streams::Add(Open open) {
  CHECK(open.id);
  CHECK(Find(open.id) == nullptr);
  if (model::Error error = Check(open); !error.ok()) return error;

  auto added = std::make_unique<Stream>();
  Stream& stream = *added;
  stream.id = open.id;
  stream.session = open.session;
  stream.identities = std::move(open.identities);
  stream.targets_left = open.targets.size();
  stream.of_the_server = open.of_the_server;
  if (stream.of_the_server) {
    ++of_the_server_;
  } else {
    targets_ += open.targets.size();
  }
  for (model::WatchTarget& target : open.targets) {
    const auto place = static_cast<uint32_t>(stream.targets.size());
    index_.Insert(target, {stream.id, place}, &stream);
    stream.targets.push_back({.watch = std::move(target)});
  }
  streams_.emplace(stream.id, std::move(added));
  if (stream.session) {
    Session& session = sessions_[stream.session];
    ++session.streams;
    ++session.lagging;  // as every stream in its first phase, kInitial
  }

  if (open.send_initial) return {};
  if (!open.start_revision) {
    Advance(stream, applied_);
    BecomeLive(stream);
  } else {
    Advance(stream, open.start_revision - 1);
    if (open.start_revision > applied_) {
      SetPhase(stream, Phase::kLive);
    } else {
      GoOn(stream);
    }
  }
  return {};
}

void Streams::Close(model::StreamId id) {
  if (Stream* stream = Find(id); stream != nullptr) {
    const model::SessionId session = stream->session;
    Remove(*stream);
    RemoveFromSession(session);
  } else if (const auto ended = ended_.find(id); ended != ended_.end()) {
    RemoveFromSession(ended->second);
    ended_.erase(ended);
  }
}

void Streams::InitialDone(model::StreamId id, model::Revision revision) {
  CHECK(revision <= applied_);
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  CHECK(stream->phase == Phase::kInitial);
  Advance(*stream, revision);
  stream->told = revision;
  GoOn(*stream);
}

void Streams::Shutdown() {
  shut_down_ = true;
  for (const auto& [id, stream] : streams_) {
    if (stream->phase == Phase::kLive && stream->told < applied_) WriteMark(*stream);
  }
  EndAll({});
}

Stream* Streams::Find(model::StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

// What was written may still be on its way to the client, and a reply must not overtake it: so the
// session goes on counting the stream until it is closed.
void Streams::End(Stream& stream, model::Error error) {
  const model::StreamId id = stream.id;
  if (stream.session) ended_.emplace(id, stream.session);
  Remove(stream);
  sink_->End(id, std::move(error));
  if (ended_.size() <= bounds_.streams_max) return;
  RemoveFromSession(ended_.begin()->second);
  ended_.erase(ended_.begin());
}

void Streams::EndAll(const model::Error& error) {
  while (!streams_.empty()) End(*streams_.begin()->second, error);
}

void Streams::Remove(Stream& stream) {
  SetPhase(stream, Phase::kLive);  // out of whatever waits for it
  for (uint32_t i = 0; i < stream.targets.size(); ++i) {
    if (!stream.targets[i].ended) index_.Erase(stream.targets[i].watch, {stream.id, i});
  }
  if (stream.of_the_server) {
    --of_the_server_;
  } else {
    CHECK(targets_ >= stream.targets_left);
    targets_ -= stream.targets_left;
  }
  streams_.erase(model::StreamId(stream.id));
}

void Streams::RemoveFromSession(model::SessionId id) {
  if (!id) return;
  const auto found = sessions_.find(id);
  CHECK(found != sessions_.end());
  if (--found->second.streams > 0) return;
  CHECK(found->second.lagging == 0);
  sessions_.erase(found);
}

void Streams::SetPhase(Stream& stream, Phase phase) {
  if (stream.phase == Phase::kReading) CHECK(readers_.erase({stream.cursor + 1, stream.id}) == 1);
  if (phase == Phase::kReading) readers_.emplace(stream.cursor + 1, stream.id);
  if (stream.session) {
    Session& session = sessions_.at(stream.session);
    if (stream.phase != Phase::kLive) --session.lagging;
    if (phase != Phase::kLive) ++session.lagging;
    CHECK(session.lagging <= session.streams);
  }
  stream.phase = phase;
}

void Streams::Advance(Stream& stream, model::Revision revision) {
  CHECK(stream.phase != Phase::kReading);  // readers_ is ordered by the cursor
  CHECK(revision >= stream.cursor);
  stream.cursor = revision;
}

// A client that knows of all up to here by an event or its initial state needs no mark.
void Streams::BecomeLive(Stream& stream) {
  CHECK(stream.cursor == applied_);
  if (stream.told < applied_ && !WriteMark(stream)) return;
  SetPhase(stream, Phase::kLive);
}

model::Revision Streams::oldest() const { return std::min(oldest_change_, window_.run().from); }

model::Error Streams::Compacted() const {
  return {.reason = Reason::kCompacted,
          .detail = absl::StrCat("changes before revision ", oldest().value(), " are not kept"),
          .oldest = oldest()};
}

// --- What it is sent --------------------------------------------------------------------------

void Streams::Publish(model::Revision revision, std::shared_ptr<const model::ChangeBatch> batch) {
  CHECK(revision > applied_);
  applied_ = revision;
  window_.Append(revision, batch);
  window_.Trim(stored_);
  if (batch == nullptr) return;

  touched_.clear();
  for (uint32_t i = 0; i < batch->changes.size(); ++i) {
    index_.Find(batch->changes[i], &found_);
    for (const TargetIndex::Targets* targets : found_) {
      for (const auto& [place, stream] : *targets) {
        if (stream->phase != Phase::kLive || stream->cursor >= revision) continue;
        const bool first = stream->selected.empty();
        Select(*stream, place.target, i, batch->changes[i]);
        if (first && !stream->selected.empty()) touched_.push_back(stream);
      }
    }
  }
  for (Stream* stream : touched_) Write(*stream, batch);
}

// Adds the change to the stream's part of the batch at hand, if `target` has it and may see it.
void Streams::Select(Stream& stream, uint32_t target_index, uint32_t change_index,
                     const model::Change& change) {
  Stream::Target& target = stream.targets[target_index];
  if (target.ended) return;
  const bool of_children = target.watch.kind == model::WatchTarget::Kind::kChildren;
  const auto may_read = [&stream](const model::Acl& acl) {
    return acl::Allows(acl, model::kRead, stream.identities);
  };
  if (!may_read(of_children ? *change.parent_acl : *change.acl)) return;
  // Names of children are the parent's, but a child's data is its own.
  const bool with_data = target.watch.with_data && (!of_children || may_read(*change.acl));

  if (stream.selected.empty() || stream.selected.back().change != change_index) {
    stream.selected.push_back({.change = change_index, .with_data = with_data});
  } else {
    stream.selected.back().with_data |= with_data;
  }
  if (target.watch.once) {
    target.ended = true;
    stream.ending.push_back(target_index);
  }
}

Streams::Written Streams::Write(Stream& stream, const ChangeBatchPtr& batch) {
  const model::Revision revision = batch->revision;
  CHECK(revision > stream.told);
  CHECK(revision > stream.cursor);
  CHECK(!stream.selected.empty());
  const bool taken = sink_->TryWrite(
      stream.id,
      {.revision = revision, .batch = batch, .selected = std::exchange(stream.selected, {})});
  const std::vector<uint32_t> ending = std::exchange(stream.ending, {});
  if (!taken) {
    for (const uint32_t i : ending) stream.targets[i].ended = false;
    Advance(stream, revision - 1);
    SetPhase(stream, Phase::kBlocked);
    return Written::kRefused;
  }
  Advance(stream, revision);
  stream.told = revision;
  if (stream.session) {
    Session& session = sessions_.at(stream.session);
    session.due = std::max(session.due, revision);
  }
  for (const uint32_t i : ending) index_.Erase(stream.targets[i].watch, {stream.id, i});
  stream.targets_left -= ending.size();
  if (!stream.of_the_server) targets_ -= ending.size();
  if (stream.targets_left > 0) return Written::kTaken;
  End(stream, {});
  return Written::kEnded;
}

// False: refused, and it lags now.
bool Streams::WriteMark(Stream& stream) {
  CHECK(applied_ > stream.told);
  if (!sink_->TryWrite(stream.id, {.revision = applied_, .batch = nullptr, .selected = {}})) {
    SetPhase(stream, Phase::kBlocked);
    return false;
  }
  Advance(stream, applied_);
  stream.told = applied_;
  return true;
}

void Streams::WriteMarks(base::Instant now) {
  if (streams_.empty()) {
    marks_part_ = 0;
    marks_done_ = {};
    next_marks_ = now + kMarksStep;
    return;
  }
  for (size_t i = 0; i < kMarksParts && next_marks_ <= now; ++i) {
    WriteNextPartOfMarks();
    next_marks_ = next_marks_ + kMarksStep;
  }
  if (next_marks_ <= now) next_marks_ = now + kMarksStep;
}

void Streams::WriteNextPartOfMarks() {
  const size_t size = streams_.size();
  const bool last_part = marks_part_ + 1 == kMarksParts;
  size_t count =
      last_part ? size : size * (marks_part_ + 1) / kMarksParts - size * marks_part_ / kMarksParts;
  for (auto it = streams_.upper_bound(marks_done_); it != streams_.end() && count > 0; --count) {
    Stream& stream = *it->second;
    marks_done_ = it->first;
    ++it;
    if (stream.phase == Phase::kLive && stream.cursor < applied_) WriteMark(stream);
  }
  marks_part_ = last_part ? 0 : marks_part_ + 1;
  if (last_part) marks_done_ = {};
}

// --- The clock, and what is asked -------------------------------------------------------------

void Streams::SetLeader(bool known, base::Instant now) {
  if (known) {
    leaderless_since_.reset();
  } else if (leader_known_ || !leaderless_since_) {
    leaderless_since_ = now;
  }
  leader_known_ = known;
}

void Streams::Tick(base::Instant now) {
  CHECK(now >= now_);
  now_ = now;
  if (shut_down_) EndAll({});
  if (!leader_known_) {
    if (!leaderless_since_) leaderless_since_ = now;
    if (now - *leaderless_since_ >= no_leader_limit_) {
      EndAll({.reason = Reason::kNoLeader, .detail = "this server knows of no leader"});
    }
  }
  RefillFromDisk();
  RefillFromWindow();
  WriteMarks(now);
}

base::Instant Streams::NextDeadline() const {
  if (streams_.empty()) return base::kNever;
  if (shut_down_ || MustRefill()) return now_;
  if (leader_known_) return next_marks_;
  if (!leaderless_since_) return now_;
  return std::min(next_marks_, *leaderless_since_ + no_leader_limit_);
}

model::Revision Streams::DueRevision(model::SessionId id) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return {};
  return found->second.lagging > 0 ? applied_ : found->second.due;
}

}  // namespace pando::watch
