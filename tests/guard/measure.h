#ifndef PANDO_TESTS_GUARD_MEASURE_H_
#define PANDO_TESTS_GUARD_MEASURE_H_

#include <cstddef>

#include "workload.h"

namespace pando::guard {

// Runs that many turns. What callgrind counts is what happens in here (--toggle-collect), so that
// neither the start of the process nor the filling of a tree is in it.
void Measure(const Workload& workload, size_t turns);

}  // namespace pando::guard

#endif  // PANDO_TESTS_GUARD_MEASURE_H_
