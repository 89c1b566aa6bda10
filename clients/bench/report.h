// The report of a load as one line of JSON, and as text for a person.
#ifndef PANDO_CLIENTS_BENCH_REPORT_H_
#define PANDO_CLIENTS_BENCH_REPORT_H_

#include <string>

#include "bench/load.h"

namespace pando::load {

// Durations in milliseconds. `lowest_second` is the least that a whole second in the middle saw.
std::string ToJson(const LoadReport& report);
std::string ToText(const LoadReport& report);

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_REPORT_H_
