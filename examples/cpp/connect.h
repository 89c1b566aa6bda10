// How all examples begin, and how they fail.
#ifndef PANDO_EXAMPLES_CPP_CONNECT_H_
#define PANDO_EXAMPLES_CPP_CONNECT_H_

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "pando/client/session.h"

// The value, or the end of the program; its session then ends by itself.
template <class Value>
Value Must(absl::StatusOr<Value> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "%s\n", std::string(value.status().message()).c_str());
  std::_Exit(1);
}

// Opens a session on the servers of PANDO_ENDPOINTS. Ephemeral nodes of a program that was killed
// go after two seconds.
inline std::unique_ptr<pando::client::Session> ToEnsemble() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return Must(pando::client::Session::Connect(
      {.endpoints = absl::StrSplit(std::getenv("PANDO_ENDPOINTS"), ','),
       .session_timeout = std::chrono::seconds(2)}));
}

// The last component of a path; "" of the root of an example's own subtree.
inline std::string NameIn(const std::string& root, const std::string& path) {
  return path == root ? "" : path.substr(root.size() + 1);
}

// Until the input ends.
inline void WaitForEnd() {
  while (std::getchar() != EOF) {
  }
}

#endif  // PANDO_EXAMPLES_CPP_CONNECT_H_
