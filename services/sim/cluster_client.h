// ClusterClient: one client of an ensemble: a session that beats, one call at a time, retries with
// request ids over servers, and what it was told is held against the Truth. One test thread.
#ifndef PANDO_SIM_CLUSTER_CLIENT_H_
#define PANDO_SIM_CLUSTER_CLIENT_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "io/client.h"
#include "sim/client_world.h"
#include "sim/linearizability.h"
#include "sim/sim_server.h"

namespace pando::sim {

class ClusterClient : public io::ReplySink, public std::enable_shared_from_this<ClusterClient> {
 public:
  ClusterClient(ClientWorld* world, base::Rng rng, uint64_t number)
      : world_(world), rng_(rng), number_(number) {}

  void Start();
  void Stop() { stopping_ = true; }
  // The run is over: nobody will know what became of the call under way.
  void Abandon() {
    if (attempt_) Finish(nullptr);
  }
  // Calls that were answered for good.
  uint64_t done() const { return done_; }

  void Deliver(std::vector<io::Completion> completions) override;

 private:
  using Callback = std::function<void(const model::Reply&)>;
  // One call, over all its tries.
  struct Attempt {
    Call call;
    io::Request request;
    bool is_write = false;
    bool in_history = false;
    bool maybe = false;  // a try of it may have taken effect
    int tries = 0;
    model::Revision told;  // by anybody, when it began
    model::Revision min_revision;
    std::string path;  // of a read
  };

  void Send(io::Request request, base::Duration patience, Callback callback);
  void Next();
  void OpenSession();
  void Beat();
  void Begin();
  void Try();
  void OnReply(const model::Reply& reply);
  void OnNoReply();
  void Again();
  void Finish(const model::Reply* reply);
  void CheckRead(const model::Reply& reply) const;
  Call::Outcome OutcomeOf(const model::Reply& reply) const;
  void Compose(model::Command* command);
  void LoseSession();
  void CloseSession();

  ClientWorld* const world_;
  base::Rng rng_;
  const uint64_t number_;
  SimServer* server_ = nullptr;
  bool stopping_ = false;
  uint64_t last_tag_ = 0;
  std::map<uint64_t, Callback> waiting_;
  model::SessionId session_;
  bool closing_ = false;  // it has been asked to end
  base::Duration timeout_{0};
  uint64_t session_number_ = 0;
  uint64_t last_request_ = 0;
  uint64_t last_data_ = 0;
  model::Revision seen_;
  std::optional<Attempt> attempt_;
  uint64_t done_ = 0;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_CLUSTER_CLIENT_H_
