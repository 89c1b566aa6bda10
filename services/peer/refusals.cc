#include "peer/refusals.h"

namespace pando::peer {

const char* Refusals::Name(Reason reason) {
  switch (reason) {
    case Reason::kWrongName:
      return "WRONG_NAME";
    case Reason::kUnreadable:
      return "UNREADABLE";
    case Reason::kSilent:
      return "SILENT";
    case Reason::kCrowded:
      return "CROWDED";
    default:
      return io::RefusalName(static_cast<io::Refusal>(reason));
  }
}

void Refusals::Tell(Reason reason, std::string_view caller, std::string_view why) {
  Kind& kind = kinds_[static_cast<size_t>(reason)];
  ++kind.count;
  uint64_t suppressed = 0;
  if (!kind.limit.Due(now_(), &suppressed)) return;
  base::Log(
      base::Severity::kWarning, "refused a server",
      {{"reason", Name(reason)}, {"why", why}, {"caller", caller}, {"not_logged", suppressed}});
}

}  // namespace pando::peer
