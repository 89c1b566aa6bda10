// Streams that lag: from their cursor, through the change log on disk and the window, to live.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "model/mutant.h"
#include "watch/streams.h"

namespace pando::watch {

void Streams::Drained(model::StreamId id) {
  Stream* stream = Find(id);
  if (stream != nullptr && stream->phase == Phase::kBlocked) GoOn(*stream);
}

void Streams::Stored(model::Revision revision, model::Revision oldest_change) {
  CHECK(revision <= applied_);
  stored_ = std::max(stored_, revision);
  // It comes from two threads, here and in ChangesRead: the larger is the newer.
  oldest_change_ = std::max(oldest_change_, oldest_change);
  window_.Trim(stored_);
}

void Streams::Restart(model::Revision revision) {
  CHECK(revision > applied_);
  applied_ = stored_ = revision;
  oldest_change_ = revision + 1;
  window_.Restart(revision);
  chunk_ = {};
  std::vector<Stream*> cut_off;
  for (const auto& [id, stream] : streams_) {
    // One that is still sent its initial state goes on from there, and ends then.
    if (stream->phase != Phase::kInitial && stream->cursor < revision) {
      cut_off.push_back(stream.get());
    }
  }
  if (Is(model::Mutant::kEventsSkipped)) return;
  for (Stream* stream : cut_off) End(*stream, Compacted());
}

void Streams::ChangesRead(model::Revision from, model::Revision through,
                          model::Revision oldest_change, std::vector<ChangeBatchPtr> batches) {
  CHECK(reading_ == from);
  reading_.reset();
  oldest_change_ = std::max(oldest_change_, oldest_change);
  if (through < from) {
    CHECK(batches.empty());
    // It was asked for what lies below the window. If it has nothing, though it does not say that
    // it is compacted, it has lost it: an error is better than a gap, or asking for ever.
    if (oldest_change <= from) oldest_change_ = std::max(oldest_change_, window_.run().from);
    return;
  }
  CHECK(through <= applied_);
  chunk_ = {from, through};
  model::Revision last = from - 1;
  for (ChangeBatchPtr& batch : batches) {
    CHECK(batch->revision > last);
    last = batch->revision;
    chunk_.batches.push_back(std::move(batch));
  }
  CHECK(last <= through);
}

// Lets a stream that is not blocked wait for its turn.
void Streams::GoOn(Stream& stream) {
  CHECK(stream.cursor <= applied_);
  if (stream.cursor + 1 < window_.run().from) {
    SetPhase(stream, Phase::kReading);
  } else {
    SetPhase(stream, Phase::kQueued);
    queue_.push_back(stream.id);
  }
}

// One read is in flight at most, and the next one starts only when the last is used up: streams
// that wait for the same place share it, however many they are.
void Streams::RefillFromDisk() {
  size_t budget = bounds_.refill_changes_per_tick;
  while (ChunkIsWanted()) {
    if (budget == 0) return;
    Stream& stream = *Find(readers_.lower_bound({chunk_.from, {}})->second);
    SetPhase(stream, Phase::kQueued);
    if (Feed(stream, chunk_, &budget) != Fed::kStopped) GoOn(stream);
  }
  while (!readers_.empty() && readers_.begin()->first < oldest()) {
    End(*Find(readers_.begin()->second), Compacted());
  }
  if (reading_ || readers_.empty()) return;
  // Upwards and then from the bottom again, so that no place waits for ever.
  auto next = readers_.lower_bound({chunk_.through + 1, {}});
  if (next == readers_.end()) next = readers_.begin();
  reading_ = next->first;
  sink_->ReadChanges(*reading_);
}

void Streams::RefillFromWindow() {
  size_t budget = bounds_.refill_changes_per_tick;
  for (size_t left = queue_.size(); left > 0 && budget > 0; --left) {
    Stream* stream = Find(queue_.front());
    queue_.pop_front();
    if (stream == nullptr) continue;
    CHECK(stream->phase == Phase::kQueued);
    if (stream->cursor + 1 < window_.run().from) {
      GoOn(*stream);  // the window was trimmed past it
      continue;
    }
    switch (Feed(*stream, window_.run(), &budget)) {
      case Fed::kThrough:
        BecomeLive(*stream);
        break;
      case Fed::kPaused:
        GoOn(*stream);
        break;
      case Fed::kStopped:
        break;
    }
  }
}

// Writes what `run` holds for the stream above its cursor. A look at a stream costs as much as one
// change, so that very many streams are a bounded amount of work too.
Streams::Fed Streams::Feed(Stream& stream, const ChangeRun& run, size_t* budget) {
  CHECK(run.from <= stream.cursor + 1);
  CHECK(stream.cursor <= run.through);
  CHECK(*budget > 0);
  --*budget;
  for (size_t i = run.FirstFrom(stream.cursor + 1); i < run.batches.size(); ++i) {
    if (*budget == 0) return Fed::kPaused;
    const ChangeBatchPtr& batch = run.batches[i];
    *budget -= std::min(*budget, batch->changes.size());
    for (uint32_t c = 0; c < batch->changes.size(); ++c) {
      index_.Find(batch->changes[c], &found_);
      for (const TargetIndex::Targets* targets : found_) {
        for (auto it = targets->lower_bound({stream.id, 0});
             it != targets->end() && it->first.stream == stream.id; ++it) {
          Select(stream, it->first.target, c, batch->changes[c]);
        }
      }
    }
    if (stream.selected.empty()) {
      Advance(stream, batch->revision);
    } else if (Write(stream, batch) != Written::kTaken) {
      return Fed::kStopped;
    }
  }
  Advance(stream, run.through);
  return Fed::kThrough;
}

bool Streams::ChunkIsWanted() const {
  const auto first = readers_.lower_bound({chunk_.from, {}});
  return first != readers_.end() && chunk_.Holds(first->first);
}

bool Streams::MustRefill() const {
  return !queue_.empty() || ChunkIsWanted() || (!readers_.empty() && !reading_);
}

}  // namespace pando::watch
