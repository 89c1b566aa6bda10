#include "idle.h"

#include <cstdio>

#include "absl/strings/str_split.h"
#include "pando/client/session.h"

namespace pando::client {

int HoldIdleSession(const std::string& endpoints) {
  const auto session = Session::Connect({.endpoints = absl::StrSplit(endpoints, ',')});
  if (!session.ok()) return 1;
  const auto watch = (*session)->Watch({WatchNode("/")});
  if (!watch.ok()) return 1;
  std::puts("idle");
  std::fflush(stdout);
  std::getchar();
  return 0;
}

}  // namespace pando::client
