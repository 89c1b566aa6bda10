// An idle session, in a process of its own.
#ifndef PANDO_CLIENTS_CPP_TESTS_IDLE_H_
#define PANDO_CLIENTS_CPP_TESTS_IDLE_H_

#include <string>

namespace pando::client {

// Holds one, says "idle", and ends with its input. The process's exit status.
int HoldIdleSession(const std::string& endpoints);

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_TESTS_IDLE_H_
