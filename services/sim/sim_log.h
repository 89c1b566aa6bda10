// SimLog: io::Log on the real Wal over a SimDisk, under virtual time. What is queued while a batch
// is on its way goes with the next one, as on the disk thread. One test thread.
#ifndef PANDO_SIM_SIM_LOG_H_
#define PANDO_SIM_SIM_LOG_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "io/event.h"
#include "io/log.h"
#include "sim/schedule.h"
#include "wal/wal.h"

namespace pando::sim {

class SimLog final : public io::Log {
 public:
  // A batch takes up to `delay_max`. `schedule` outlives this.
  SimLog(Schedule* schedule, base::Rng rng, base::Duration delay_max, std::unique_ptr<wal::Wal> wal,
         std::function<void(io::Event)> post);
  ~SimLog() override;

  void Append(io::Append append) override;
  void DropPrefix(model::Revision first_kept) override;
  void Read(model::Revision first, size_t bytes_max) override;
  void Reset(model::Revision last, model::Term last_term) override;

  void SetDelay(base::Duration delay_max);

  const wal::Wal& wal() const;
  // The disk has failed under it: it answers nothing any more.
  bool dead() const;

 private:
  struct Core;
  // Shared with what is planned in the schedule, which may outlive the log.
  std::shared_ptr<Core> core_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_SIM_LOG_H_
