// Watcher: a client's stream of some targets, that resumes on other servers where it was. What it
// is told, and the state that it begins with, is held against the Truth. One test thread.
#ifndef PANDO_SIM_WATCHER_H_
#define PANDO_SIM_WATCHER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "io/client.h"
#include "model/change.h"
#include "model/reply.h"
#include "model/watch.h"
#include "sim/client_world.h"
#include "sim/sim_server.h"

namespace pando::sim {

class Watcher {
 public:
  // The whole tree, with its data.
  static std::vector<model::WatchTarget> Everything();
  // Some nodes, the children of the root, or the tree; with data or without.
  static std::vector<model::WatchTarget> Some(base::Rng* rng);

  Watcher(ClientWorld* world, base::Rng rng, std::vector<model::WatchTarget> targets)
      : world_(world), rng_(rng), targets_(std::move(targets)) {}

  void Start();
  // Everything up to here was told.
  model::Revision seen() const { return seen_; }
  uint64_t resumed() const { return resumed_; }

 private:
  class Outbox;
  // Whether an event about the change is due, and with data; nothing: it is not.
  std::optional<bool> Expects(const model::Change& change) const;
  std::optional<bool> Covers(const std::string& path) const;
  void Open();
  void Tend();
  void Got(const model::StreamBatch& batch);
  void Began(model::Revision revision, const std::vector<model::WalkResult::Node>& nodes);

  ClientWorld* const world_;
  base::Rng rng_;
  const std::vector<model::WatchTarget> targets_;
  SimServer* server_ = nullptr;
  uint64_t life_ = 0;
  uint64_t stream_ = 0;
  std::shared_ptr<Outbox> outbox_;
  bool ended_ = false;
  model::Revision seen_;
  uint64_t resumed_ = 0;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_WATCHER_H_
