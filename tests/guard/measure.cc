// A file of its own: a call into another one is not inlined, and callgrind finds the function.
#include "measure.h"

namespace pando::guard {

void Measure(const Workload& workload, size_t turns) {
  for (size_t i = 0; i < turns; ++i) workload.turn();
}

}  // namespace pando::guard
