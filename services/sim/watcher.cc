#include "sim/watcher.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/path.h"

namespace pando::sim {
namespace {

using Kind = model::WatchTarget::Kind;
using std::chrono::milliseconds;

// Not replica's own words for it: this is what judges them.
bool IsOf(const model::WatchTarget& target, const std::string& path) {
  switch (target.kind) {
    case Kind::kNode:
      return path == target.path;
    case Kind::kChildren:
      return path != "/" && model::ParentPath(path) == target.path;
    case Kind::kSubtree:
      return model::IsWithin(path, target.path);
  }
  return false;
}

void Add(std::optional<bool>* with_data, const model::WatchTarget& target) {
  *with_data = with_data->value_or(false) || target.with_data;
}

}  // namespace

// One stream: refuses now and then, as one that is full.
class Watcher::Outbox : public io::Stream {
 public:
  Outbox(Watcher* watcher, uint64_t number) : watcher_(watcher), number_(number) {}

  bool TryWrite(model::StreamBatch batch) override {
    if (!current()) return true;
    if (!HasRoom()) return false;
    Later([batch = std::move(batch)](Watcher* watcher) { watcher->Got(batch); });
    return true;
  }
  bool TryWriteInitial(model::Revision, model::WalkResult part) override {
    if (!current()) return true;
    if (!HasRoom()) return false;
    Keep(std::move(part));
    return true;
  }
  void WriteInitialDone(model::Revision revision, model::WalkResult rest) override {
    Keep(std::move(rest));
    Later([revision, nodes = std::exchange(initial_, {})](Watcher* watcher) {
      watcher->Began(revision, nodes);
    });
  }
  void End(model::Error error) override {
    if (!current()) return;
    watcher_->ended_ = true;
    // What is gone is gone; everything else must go on where it was.
    if (error.reason == model::Reason::kCompacted) {
      watcher_->seen_ = std::max(watcher_->seen_, error.oldest - 1);
    }
  }

  // Whether it refused since it was asked last.
  bool TakeFull() { return std::exchange(full_, false); }

 private:
  bool current() const { return number_ == watcher_->stream_; }
  bool HasRoom() {
    full_ |= watcher_->rng_.Chance(50);
    return !full_;
  }
  void Keep(model::WalkResult part) {
    std::move(part.nodes.begin(), part.nodes.end(), std::back_inserter(initial_));
  }
  // The Truth hears of a change right after the streams.
  void Later(std::function<void(Watcher*)> call) {
    watcher_->world_->schedule->After(
        base::Duration(0), [watcher = watcher_, number = number_, call = std::move(call)] {
          if (number == watcher->stream_) call(watcher);
        });
  }

  Watcher* const watcher_;
  const uint64_t number_;
  bool full_ = false;
  std::vector<model::WalkResult::Node> initial_;
};

std::vector<model::WatchTarget> Watcher::Everything() {
  return {{.path = "/", .kind = Kind::kSubtree, .with_data = true}};
}

std::vector<model::WatchTarget> Watcher::Some(base::Rng* rng) {
  std::vector<model::WatchTarget> targets;
  for (uint64_t i = rng->Between(1, 3); i > 0; --i) {
    const uint64_t dice = rng->Below(10);
    model::WatchTarget target{.path = "/", .with_data = rng->Chance(500)};
    target.kind = dice < 2 ? Kind::kSubtree : Kind::kChildren;
    if (dice >= 4) {
      target.path = absl::StrCat("/n", dice - 4);
      target.kind = rng->Chance(500) ? Kind::kNode : Kind::kSubtree;
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

std::optional<bool> Watcher::Expects(const model::Change& change) const {
  const bool comes_or_goes =
      change.kind == model::ChangeKind::kCreated || change.kind == model::ChangeKind::kDeleted;
  std::optional<bool> with_data;
  for (const model::WatchTarget& target : targets_) {
    if (!IsOf(target, change.path)) continue;
    if (target.kind == Kind::kChildren && !comes_or_goes) continue;
    Add(&with_data, target);
  }
  return with_data;
}

std::optional<bool> Watcher::Covers(const std::string& path) const {
  std::optional<bool> with_data;
  for (const model::WatchTarget& target : targets_) {
    if (IsOf(target, path)) Add(&with_data, target);
  }
  return with_data;
}

void Watcher::Start() {
  Open();
  Tend();
}

void Watcher::Open() {
  server_ = world_->pick();
  life_ = server_->lives();
  ended_ = false;
  stream_ = ++world_->last_id;
  outbox_ = std::make_shared<Outbox>(this, stream_);
  ++resumed_;
  io::WatchOpen open;
  open.stream = model::StreamId(stream_);
  open.outbox = outbox_;
  open.identities = {{"world", "anyone"}};
  open.targets = targets_;
  open.send_initial = rng_.Chance(150);
  if (!open.send_initial) open.start_revision = seen_ + 1;
  server_->Post(std::move(open));
}

void Watcher::Tend() {
  if (ended_ || !server_->running() || server_->lives() != life_ || rng_.Chance(10)) {
    if (server_->running()) server_->Post(io::WatchClose{model::StreamId(stream_)});
    Open();
  } else if (outbox_->TakeFull()) {
    server_->Post(io::StreamDrained{model::StreamId(stream_)});
  }
  world_->schedule->After(milliseconds(100), [this] { Tend(); });
}

void Watcher::Got(const model::StreamBatch& batch) {
  if (batch.revision < seen_) Violated("a stream went backwards");
  std::vector<std::pair<const model::Change*, bool>> expected;
  for (const model::Change* change : world_->truth->Changes(seen_, batch.revision)) {
    if (const auto with_data = Expects(*change)) expected.emplace_back(change, *with_data);
  }
  const size_t count = batch.batch == nullptr ? 0 : batch.selected.size();
  if (expected.size() != count) {
    Violated(absl::StrCat("a stream of server ", server_->id().value(), " told ", count, " of ",
                          expected.size(), " changes of (", seen_.value(), ", ",
                          batch.revision.value(), "]"));
  }
  for (size_t i = 0; i < count; ++i) {
    const model::Change& told = batch.batch->changes[batch.selected[i].change];
    const auto& [change, with_data] = expected[i];
    if (told.revision != change->revision || told.path != change->path ||
        told.kind != change->kind || told.data != change->data ||
        batch.selected[i].with_data != with_data) {
      Violated(absl::StrCat("a stream told another change at revision ", told.revision.value()));
    }
  }
  seen_ = batch.revision;
}

// Where it begins anew may be before what it has seen: this server lags.
void Watcher::Began(model::Revision revision, const std::vector<model::WalkResult::Node>& nodes) {
  std::map<std::string, Register> expected;
  for (const auto& [path, data] : world_->truth->NodesAt(revision)) {
    if (const auto with_data = Covers(path)) expected[path] = *with_data ? data : Register();
  }
  std::map<std::string, Register> told;
  for (const model::WalkResult::Node& node : nodes) {
    if (!told.emplace(node.path, node.data).second) Violated(node.path + " was told twice");
  }
  told.erase("/");  // it is no change of anybody
  if (told != expected) {
    Violated(absl::StrCat("a stream of server ", server_->id().value(), " began with ",
                          nodes.size(), " nodes of ", expected.size(), " at revision ",
                          revision.value()));
  }
  seen_ = revision;
}

}  // namespace pando::sim
