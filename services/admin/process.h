// What the operating system knows of this process, under the names that Prometheus' own client
// libraries give it, so that ready-made dashboards find it.
#ifndef PANDO_ADMIN_PROCESS_H_
#define PANDO_ADMIN_PROCESS_H_

#include <vector>

namespace pando::admin {

struct ProcessNumber {
  const char* name;
  const char* help;
  bool is_counter = false;
  double value = 0;
};

// Reads /proc/self; what cannot be read is left out. Takes some 50 us.
std::vector<ProcessNumber> ReadProcessNumbers();

}  // namespace pando::admin

#endif  // PANDO_ADMIN_PROCESS_H_
