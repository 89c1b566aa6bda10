#include "io/peers.h"

namespace pando::io {

const char* RefusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::kWrongCluster:
      return "WRONG_CLUSTER";
    case Refusal::kWrongStorage:
      return "WRONG_STORAGE";
    case Refusal::kLogLost:
      return "LOG_LOST";
    case Refusal::kNotAMember:
      return "NOT_A_MEMBER";
    case Refusal::kWrongVersion:
      return "WRONG_VERSION";
    case Refusal::kWrongServer:
      return "WRONG_SERVER";
    case Refusal::kTooOld:
      return "TOO_OLD";
  }
  return "UNKNOWN";
}

}  // namespace pando::io
