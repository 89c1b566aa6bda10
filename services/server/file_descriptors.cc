#include "server/file_descriptors.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/log.h"

namespace pando::server {

size_t RoomForConnections(uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  // Not raised from here: a unit that forbids that call would end the process.
  const uint64_t room = std::max<uint64_t>(limit.rlim_cur / 2, 1);
  if (wanted > room) {
    base::Log(base::Severity::kWarning, "fewer connections than --max-connections",
              {{"max_connections", wanted}, {"room", room}, {"descriptors", limit.rlim_cur}});
  }
  return std::min(wanted, room);
}

}  // namespace pando::server
