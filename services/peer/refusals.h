// Refusals: who was turned away at the peer port, and why: counted by reason, and logged at most
// once a second for each, however many come. Thread-safe.
#ifndef PANDO_PEER_REFUSALS_H_
#define PANDO_PEER_REFUSALS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/time.h"
#include "io/peers.h"

namespace pando::peer {

class Refusals {
 public:
  enum class Reason : uint8_t {
    // Numbered as io::Refusal.
    kWrongCluster = 1,
    kWrongStorage,
    kLogLost,
    kNotAMember,
    kWrongVersion,
    kWrongServer,
    // The listener's own.
    kWrongName,   // its certificate is another's
    kUnreadable,  // what it sends is none of this protocol
    kSilent,      // it has not said who it is
    kCrowded,     // too many others do not say who they are, or have several channels
    kEnd
  };
  static Reason ReasonOf(io::Refusal refusal) { return static_cast<Reason>(refusal); }
  static const char* Name(Reason reason);

  explicit Refusals(std::function<base::Instant()> now) : now_(std::move(now)) {}

  void Tell(Reason reason, std::string_view caller, std::string_view why);
  uint64_t count(Reason reason) const { return kinds_[static_cast<size_t>(reason)].count; }

 private:
  struct Kind {
    std::atomic<uint64_t> count{0};
    base::LogLimit limit{std::chrono::seconds(1)};
  };

  const std::function<base::Instant()> now_;
  std::array<Kind, static_cast<size_t>(Reason::kEnd)> kinds_;  // the first is nobody's
};

static_assert(static_cast<uint8_t>(Refusals::Reason::kWrongServer) ==
              static_cast<uint8_t>(io::Refusal::kWrongServer));

}  // namespace pando::peer

#endif  // PANDO_PEER_REFUSALS_H_
