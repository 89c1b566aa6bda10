// Refusals: connections that were turned away before anybody called over them, and why: counted by
// reason, and logged at most once a second for each, however many come. Thread-safe.
#ifndef PANDO_NET_REFUSALS_H_
#define PANDO_NET_REFUSALS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/time.h"

namespace pando::net {

class Refusals {
 public:
  enum class Reason : uint8_t {
    kCrowded,        // there are as many as may be
    kSilent,         // it said nothing in time
    kPlaintext,      // it does not speak TLS, and the port does
    kTls,            // it speaks TLS, and the port does not
    kNoCertificate,  // it showed none, and must
    kCertificate,    // the one that it showed is not good
    kHandshake,      // of TLS: it has failed
    kEnd
  };
  static const char* Name(Reason reason);

  // `port` is the name of the port in the log: "client".
  Refusals(std::string port, std::function<base::Instant()> now)
      : port_(std::move(port)), now_(std::move(now)) {}

  // `caller` is empty where it is not known.
  void Tell(Reason reason, std::string_view caller, std::string_view why);
  const std::string& port() const { return port_; }
  uint64_t count(Reason reason) const { return kinds_[static_cast<size_t>(reason)].count; }

 private:
  struct Kind {
    std::atomic<uint64_t> count{0};
    base::LogLimit limit{std::chrono::seconds(1)};
  };

  const std::string port_;
  const std::function<base::Instant()> now_;
  std::array<Kind, static_cast<size_t>(Reason::kEnd)> kinds_;
};

}  // namespace pando::net

#endif  // PANDO_NET_REFUSALS_H_
