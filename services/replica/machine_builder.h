// MachineBuilder: a machine that is loaded while a snapshot's records arrive, on the thread that
// they arrive on. The wiring makes one for each snapshot; the replica takes the machine out of it.
#ifndef PANDO_REPLICA_MACHINE_BUILDER_H_
#define PANDO_REPLICA_MACHINE_BUILDER_H_

#include <memory>
#include <string_view>
#include <utility>

#include "io/install.h"
#include "machine/machine.h"

namespace pando::replica {

class MachineBuilder : public io::StateBuilder {
 public:
  absl::Status Load(std::string_view key, std::string_view value) override {
    return machine_->Load(key, value);
  }
  absl::Status Finish(model::Revision revision, uint64_t digest) override {
    return machine_->FinishLoad(revision, digest);
  }
  std::unique_ptr<machine::Machine> Take() { return std::move(machine_); }

 private:
  std::unique_ptr<machine::Machine> machine_ = std::make_unique<machine::Machine>();
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_MACHINE_BUILDER_H_
