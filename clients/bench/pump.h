// Pump: keeps the operations of a workload under way on some connections, and counts what comes of
// them.
//
// A closed loop keeps `outstanding` operations under way on each connection. An open loop sends
// each operation when it falls due, on whichever connection has fewer than that under way, the next
// in turn first; the latency counts from when it fell due.
#ifndef PANDO_CLIENTS_BENCH_PUMP_H_
#define PANDO_CLIENTS_BENCH_PUMP_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "bench/connection.h"
#include "bench/loop.h"
#include "bench/schedule.h"
#include "bench/silence_alarm.h"
#include "bench/tally.h"
#include "bench/workload.h"

namespace pando::load {

struct PumpOptions {
  size_t outstanding = 1;    // of each connection; at least 1
  double rate = 0;           // operations a second of an open loop; 0: a closed loop
  base::Duration warmup{0};  // what is started in it does not count
  // It ends with whichever comes first.
  base::Duration duration = std::chrono::hours(24);
  uint64_t operations = std::numeric_limits<uint64_t>::max();
  base::Duration silence_max{0};  // between two answers, while some are awaited
  bool sets_what_exists = false;  // a create of a node that is there becomes a set of it
  // When the window that counts begins.
  std::function<void()> on_begin = [] {};
  // Operation `number` is sent now.
  std::function<void(uint64_t number, base::Instant now)> on_sent;
};

class Pump {
 public:
  // All outlive it. REQUIRES: at least one connection; all are ready.
  Pump(Loop* loop, const std::vector<Connection*>& connections, const Workload& workload,
       PumpOptions options);
  ~Pump();

  // One with the same window, for what else comes of the operations.
  Tally EmptyTally() const { return {tally_.begin(), tally_.end()}; }
  // Returns when all that was sent has been answered. UNAVAILABLE: servers fell silent.
  absl::StatusOr<Tally> Run();

 private:
  // One connection.
  class Lane;

  // Nothing more is sent.
  bool exhausted() const { return over_ || next_ >= operations_; }
  // The next operation may be sent now.
  bool due(base::Instant now) const;
  void SendNext(Lane* lane, base::Instant now);
  // All that can be sent, on all lanes.
  void SendAll();
  void SendDue();
  void OnAnswered(Lane* lane, base::Instant now);
  void AwaitDue();
  void FinishIfDone();
  void CountUnsent();

  Loop* const loop_;
  const Workload& workload_;
  const PumpOptions options_;
  const base::Instant started_;
  Tally tally_;
  std::optional<Schedule> schedule_;  // of an open loop
  uint64_t operations_;               // there are no more than so many
  std::deque<Lane> lanes_;
  size_t turn_ = 0;              // the lane that is next in an open loop
  bool waits_for_room_ = false;  // no lane had any; whoever gets some sends the next
  bool over_ = false;
  uint64_t next_ = 0;  // operation
  uint64_t under_way_ = 0;
  Operation scratch_;
  Alarm begin_alarm_;
  Alarm due_alarm_;
  Alarm end_alarm_;
  SilenceAlarm silence_alarm_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_PUMP_H_
