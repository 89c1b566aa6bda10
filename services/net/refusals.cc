#include "net/refusals.h"

namespace pando::net {

const char* Refusals::Name(Reason reason) {
  switch (reason) {
    case Reason::kCrowded:
      return "CROWDED";
    case Reason::kSilent:
      return "SILENT";
    case Reason::kPlaintext:
      return "PLAINTEXT";
    case Reason::kTls:
      return "TLS";
    case Reason::kNoCertificate:
      return "NO_CERTIFICATE";
    case Reason::kCertificate:
      return "CERTIFICATE";
    case Reason::kHandshake:
      return "HANDSHAKE";
    case Reason::kEnd:
      break;
  }
  return "?";
}

void Refusals::Tell(Reason reason, std::string_view caller, std::string_view why) {
  Kind& kind = kinds_[static_cast<size_t>(reason)];
  ++kind.count;
  uint64_t suppressed = 0;
  if (!kind.limit.Due(now_(), &suppressed)) return;
  base::Log(base::Severity::kWarning, "refused a connection",
            {{"port", port_},
             {"reason", Name(reason)},
             {"why", why},
             {"caller", caller.empty() ? "not known" : caller},
             {"not_logged", suppressed}});
}

}  // namespace pando::net
