#include "cli/dev/socket_owner.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pando::cli {
namespace {

namespace fs = std::filesystem;

// "0100007F:1CE8", as the kernel writes 127.0.0.1:7400. A socket of IPv6 that speaks IPv4 ends so.
std::string KernelAddress(uint16_t port) { return absl::StrFormat("0100007F:%04X", port); }

// "socket:[12345]": what a descriptor of the socket links to; "" if `table` does not list it.
std::string SocketLink(const std::string& table, LoopbackConnection connection) {
  std::ifstream lines(table);
  std::string line;
  while (std::getline(lines, line)) {
    // sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …
    std::istringstream fields(line);
    std::string skipped, local, remote, inode;
    fields >> skipped >> local >> remote;
    for (int i = 0; i < 6; ++i) fields >> skipped;
    fields >> inode;
    if (absl::EndsWith(local, KernelAddress(connection.from)) &&
        absl::EndsWith(remote, KernelAddress(connection.to))) {
      return absl::StrCat("socket:[", inode, "]");
    }
  }
  return "";
}

bool Holds(pid_t process, const std::string& link) {
  std::error_code error;
  for (const fs::directory_entry& descriptor :
       fs::directory_iterator(absl::StrCat("/proc/", process, "/fd"), error)) {
    if (fs::read_symlink(descriptor.path(), error) == link) return true;
  }
  return false;
}

}  // namespace

std::optional<pid_t> FindSocketOwner(LoopbackConnection connection,
                                     const std::vector<pid_t>& processes) {
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const std::string link = SocketLink(table, connection);
    if (link.empty()) continue;
    for (const pid_t process : processes) {
      if (Holds(process, link)) return process;
    }
  }
  return std::nullopt;
}

}  // namespace pando::cli
