// What the operating system knows of this process, under the names that Prometheus' own client
// libraries give it, so that ready-made dashboards find it.
#ifndef PANDO_ADMIN_PROCESS_H_
#define PANDO_ADMIN_PROCESS_H_

#include <cstdint>
#include <vector>

namespace pando::admin {

struct ProcessNumber {
  const char* name;
  const char* help;
  bool is_counter = false;
  double value = 0;
};

// Files and sockets of this process; 0: not known. Before Linux 6.2 it takes a ms for each
// thousand.
struct OpenFiles {
  uint64_t open = 0;
  uint64_t max = 0;
};
OpenFiles CountOpenFiles();

// Reads /proc/self; what cannot be read is left out. Takes some 50 us.
std::vector<ProcessNumber> ReadProcessNumbers();

}  // namespace pando::admin

#endif  // PANDO_ADMIN_PROCESS_H_
