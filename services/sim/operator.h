// Operator: asks servers for changes of the membership, one after the other, until each is done.
// One test thread.
#ifndef PANDO_SIM_OPERATOR_H_
#define PANDO_SIM_OPERATOR_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "io/client.h"
#include "sim/schedule.h"
#include "sim/sim_server.h"

namespace pando::sim {

class Operator : public io::ReplySink, public std::enable_shared_from_this<Operator> {
 public:
  // `pick` gives a server, running or not. `schedule` outlives it.
  Operator(Schedule* schedule, std::function<SimServer*()> pick)
      : schedule_(schedule), pick_(std::move(pick)) {}

  // `done` (may be null) runs once it is; what can never be done is given up: then it is false.
  void Order(io::AdminOrder order, std::function<void(bool)> done);
  bool idle() const { return orders_.empty(); }

  void Deliver(std::vector<io::Completion> completions) override;

 private:
  struct Task {
    io::AdminOrder order;
    std::function<void(bool)> done;
    int tries = 0;
  };
  void Try();
  void End(bool good);

  Schedule* const schedule_;
  const std::function<SimServer*()> pick_;
  std::deque<Task> orders_;
  uint64_t tag_ = 0;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_OPERATOR_H_
