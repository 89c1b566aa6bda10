// SessionMover: one session that moves from connection to connection while its writes are still
// under way. Once a connection's Attach is answered, nothing that was sent before it may take
// effect any more. One test thread.
#ifndef PANDO_SIM_SESSION_MOVER_H_
#define PANDO_SIM_SESSION_MOVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "io/client.h"
#include "sim/client_world.h"

namespace pando::sim {

class SessionMover : public io::ReplySink, public std::enable_shared_from_this<SessionMover> {
 public:
  SessionMover(ClientWorld* world, base::Rng rng) : world_(world), rng_(rng) {}
  void Start() { Connect(); }
  void Stop() { stopping_ = true; }
  // Connections that were attached.
  uint64_t moves() const { return moves_; }

  void Deliver(std::vector<io::Completion> completions) override;

 private:
  using Callback = std::function<void(const model::Reply&)>;
  void Send(model::Command command, Callback callback);
  void Connect();
  void OnAttached(const model::Reply& reply);
  void Write();

  ClientWorld* const world_;
  base::Rng rng_;
  bool stopping_ = false;
  SimServer* server_ = nullptr;
  model::LaneId lane_;
  uint64_t last_tag_ = 0;
  uint64_t last_data_ = 0;
  uint64_t connection_ = 0;  // by the tag of its first request
  std::map<uint64_t, Callback> waiting_;
  model::SessionId session_;
  model::Attachment attachment_;
  std::set<std::string> unanswered_;  // data that was sent over earlier connections
  uint64_t moves_ = 0;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_SESSION_MOVER_H_
