// What this process has asked operator new for, since its start.
#ifndef PANDO_TESTS_GUARD_ALLOCATIONS_H_
#define PANDO_TESTS_GUARD_ALLOCATIONS_H_

#include <cstdint>

namespace pando::guard {

uint64_t Allocations();

}  // namespace pando::guard

#endif  // PANDO_TESTS_GUARD_ALLOCATIONS_H_
