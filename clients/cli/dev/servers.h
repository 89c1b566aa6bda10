// DevServers: the servers of `pando dev`, each a pandod beside this binary.
#ifndef PANDO_CLIENTS_CLI_DEV_SERVERS_H_
#define PANDO_CLIENTS_CLI_DEV_SERVERS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/child.h"
#include "cli/dev/options.h"

namespace pando::cli {

// Used by the main thread.
class DevServers {
 public:
  // `options` outlive it.
  DevServers(const DevOptions& options, int founders) : options_(options), founders_(founders) {}

  // REQUIRES: `id` does not run.
  absl::Status Start(int id);
  // Ends it with KILL, and waits for that. REQUIRES: it runs.
  void Kill(int id);
  bool Runs(int id) const { return children_.contains(id); }
  pid_t Process(int id) const { return children_.at(id).pid(); }
  // Whether it answers and serves clients. Waits for the answer 300 ms at most.
  bool Serves(int id) const;
  // Of a server that has ended without having been told to: what its end was, once.
  struct Ended {
    int id;
    std::string how;
  };
  std::optional<Ended> TakeEnded();
  // Whether TakeEnded has something to tell.
  bool AnyEnded();

  // TERM to all of them, and KILL after 10 s. OK if all ended well. `wait` returns after a while,
  // or when a child has ended.
  absl::Status Stop(const std::function<void()>& wait);

 private:
  const DevOptions& options_;
  const int founders_;
  std::map<int, Child> children_;  // that run
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_SERVERS_H_
