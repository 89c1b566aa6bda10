#include "replica/initial_state.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "acl/permission.h"
#include "acl/readable.h"
#include "base/check.h"
#include "codec/record.h"
#include "model/limits.h"
#include "model/path.h"
#include "model/usage.h"

namespace pando::replica {
namespace {

using Kind = model::WatchTarget::Kind;
using Row = model::WalkResult::Node;

bool Matches(const model::WatchTarget& target, std::string_view path) {
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

// All state is read as this; who may see what is decided for each node.
const std::vector<model::Identity> kReader = {acl::kSuper};

// The nodes of one target in memory; nothing if they are too many.
std::optional<std::vector<Row>> Read(const machine::Machine& machine,
                                     const model::WatchTarget& target) {
  std::vector<Row> rows;
  switch (target.kind) {
    case Kind::kNode: {
      model::Reply reply = machine.Query({.identities = kReader, .body = model::Get{target.path}});
      auto* node = std::get_if<model::OperationResult>(&reply.result);
      if (node != nullptr) rows.push_back({target.path, std::move(node->data), node->stat});
      return rows;
    }
    case Kind::kChildren: {
      model::Reply reply =
          machine.Query({.identities = kReader,
                         .body = model::List{.path = target.path,
                                             .page_size = model::kWalkInTurnNodesMax,
                                             .with_stat = true,
                                             .with_data = true}});
      auto* list = std::get_if<model::ListResult>(&reply.result);
      if (list == nullptr) return rows;
      if (!list->next_after.empty()) return std::nullopt;
      for (model::ListResult::Child& child : list->children) {
        rows.push_back(
            {model::JoinPath(target.path, child.name), std::move(child.data), *child.stat});
      }
      return rows;
    }
    case Kind::kSubtree: {
      model::Reply reply =
          machine.Query({.identities = kReader, .body = model::Walk{.path = target.path}});
      if (reply.error.reason == model::Reason::kTooLarge) return std::nullopt;
      auto* walk = std::get_if<model::WalkResult>(&reply.result);
      if (walk != nullptr) rows = std::move(walk->nodes);
      return rows;
    }
  }
  return rows;
}

size_t Weight(const Row& row) { return sizeof(Row) + row.path.size() + model::DataBytes(row.data); }

// Puts node records together with their directories, which follow them in the order of keys.
class Sink : public io::ScanSink {
 public:
  Sink(InitialState state, model::StreamId stream, std::shared_ptr<io::Stream> outbox,
       std::function<void(io::Event)> post)
      : state_(std::move(state)),
        readable_(state_.identities()),
        stream_(stream),
        outbox_(std::move(outbox)),
        post_(std::move(post)) {}

  io::Taken Take(model::Revision revision,
                 const std::vector<model::RecordWrite>& records) override {
    // The last node waits for its directory, which may be in the next chunk. Only what is written
    // is taken: the state changes at the end.
    std::optional<model::RecordWrite> node = node_;
    model::WalkResult part;
    for (const model::RecordWrite& record : records) {
      if (acl::IsAcl(record)) {
        CHECK(readable_.Add(record));
        continue;
      }
      const std::optional<codec::NodeName> name = codec::ParseNodeKey(record.key);
      CHECK(name);
      if (name->directory) {
        codec::DirectoryRecord directory;
        CHECK(codec::DecodeDirectory(*record.value, &directory));
        Add(node, &directory, &part);
        node.reset();
      } else {
        Add(node, nullptr, &part);
        node = record;
      }
    }
    if (!part.nodes.empty() && !outbox_->TryWriteInitial(revision, std::move(part))) {
      return io::Taken::kFull;
    }
    node_ = std::move(node);
    return io::Taken::kTaken;
  }

  void Finish(model::Revision revision, absl::Status status) override {
    if (!status.ok()) {
      outbox_->End({.reason = status.code() == absl::StatusCode::kDeadlineExceeded
                                  ? model::Reason::kTimeout
                                  : model::Reason::kOverloaded,
                    .detail = std::string(status.message())});
      post_(io::WatchClose{stream_});
      return;
    }
    model::WalkResult rest;
    Add(node_, nullptr, &rest);
    outbox_->WriteInitialDone(revision, std::move(rest));
    post_(io::InitialSent{stream_, revision});
  }

 private:
  void Add(const std::optional<model::RecordWrite>& node, const codec::DirectoryRecord* directory,
           model::WalkResult* part) {
    if (!node) return;
    std::string path = codec::ParseNodeKey(node->key)->path();
    codec::NodeRecord record;
    CHECK(codec::DecodeNode(*node->value, &record));
    const bool readable = readable_.Find(record.acl) != nullptr;
    if (readable && state_.IsParent(path)) parents_.insert(path);
    const InitialState::Cover cover =
        state_.Covers(path, readable, parents_.contains(std::string(model::ParentPath(path))));
    if (!cover.covered) return;
    Row row{.path = std::move(path), .stat = codec::StatOf(record, directory)};
    if (cover.with_data && record.data) row.data = std::string(*record.data);
    part->nodes.push_back(std::move(row));
  }

  const InitialState state_;
  acl::Readable readable_;
  absl::btree_set<std::string> parents_;  // of covered children, those that may be read
  const model::StreamId stream_;
  const std::shared_ptr<io::Stream> outbox_;
  const std::function<void(io::Event)> post_;
  std::optional<model::RecordWrite> node_;  // the scan thread's
};

}  // namespace

InitialState::InitialState(std::vector<model::WatchTarget> targets,
                           std::vector<model::Identity> identities)
    : targets_(std::move(targets)), identities_(std::move(identities)) {}

std::optional<model::WalkResult> InitialState::FromMemory(const machine::Machine& machine) const {
  std::map<std::string, Row> rows;
  size_t bytes = 0;
  for (const model::WatchTarget& target : targets_) {
    std::optional<std::vector<Row>> some = Read(machine, target);
    if (!some) return std::nullopt;
    for (Row& row : *some) {
      const Cover cover = Covers(row.path, machine.MayRead(identities_, row.path),
                                 machine.MayRead(identities_, model::ParentPath(row.path)));
      if (!cover.covered) continue;
      if (!cover.with_data) row.data.reset();
      const size_t weight = Weight(row);
      std::string path = row.path;
      if (rows.try_emplace(std::move(path), std::move(row)).second) bytes += weight;
    }
    if (rows.size() > model::kWalkInTurnNodesMax || bytes > model::kWalkInTurnBytesMax) {
      return std::nullopt;
    }
  }
  model::WalkResult result;
  for (auto& [path, row] : rows) result.nodes.push_back(std::move(row));
  return result;
}

std::vector<io::Scan::Range> InitialState::Ranges() const {
  std::vector<codec::KeyRange> ranges = {codec::AclRange()};
  for (const model::WatchTarget& target : targets_) {
    if (target.kind != Kind::kSubtree) ranges.push_back(codec::NodeRange(target.path));
    if (target.kind == Kind::kChildren) ranges.push_back(codec::ChildrenRange(target.path));
    if (target.kind == Kind::kSubtree) {
      for (codec::KeyRange& range : codec::SubtreeRanges(target.path)) {
        ranges.push_back(std::move(range));
      }
    }
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& a, const auto& b) { return a.begin < b.begin; });
  std::vector<io::Scan::Range> merged;
  for (codec::KeyRange& range : ranges) {
    if (!merged.empty() && range.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else {
      merged.push_back({std::move(range.begin), std::move(range.end)});
    }
  }
  return merged;
}

std::shared_ptr<io::ScanSink> InitialState::MakeScanSink(
    model::StreamId stream, std::shared_ptr<io::Stream> outbox,
    std::function<void(io::Event)> post) const {
  return std::make_shared<Sink>(*this, stream, std::move(outbox), std::move(post));
}

bool InitialState::IsParent(std::string_view path) const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const model::WatchTarget& target) {
    return target.kind == Kind::kChildren && target.path == path;
  });
}

InitialState::Cover InitialState::Covers(std::string_view path, bool readable,
                                         bool parent_readable) const {
  Cover cover;
  for (const model::WatchTarget& target : targets_) {
    if (!Matches(target, path)) continue;
    if (!(target.kind == Kind::kChildren ? parent_readable : readable)) continue;
    cover.covered = true;
    cover.with_data = cover.with_data || (target.with_data && readable);
  }
  return cover;
}

}  // namespace pando::replica
