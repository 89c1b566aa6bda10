// HostPort: the two parts of an address HOST:PORT.
#ifndef PANDO_BASE_HOST_PORT_H_
#define PANDO_BASE_HOST_PORT_H_

#include <string>
#include <string_view>

namespace pando::base {

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::string port;
};

// "[::1]:7400" -> "::1" and "7400". Checks nothing; without a colon all of it is the host.
HostPort SplitHostPort(std::string_view address);

}  // namespace pando::base

#endif  // PANDO_BASE_HOST_PORT_H_
