// Linearizability: whether what clients were told can be explained by one order of their calls, in
// which each takes effect at one moment between its invocation and its return.
//
// The state is a register a node: absent, or its data. A call is a transaction on some of them: a
// plain read or write is one of a single step. The search is Wing and Gong's, with Lowe's memory of
// what was tried; nodes that no call connects are searched by themselves.
//
// A call without an answer may have taken effect at any time after its invocation, or never.
#ifndef PANDO_SIM_LINEARIZABILITY_H_
#define PANDO_SIM_LINEARIZABILITY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace pando::sim {

using Register = std::optional<std::string>;  // none: there is no such node

struct Call {
  struct Compare {
    std::string node;
    Register equals;
  };
  struct Step {
    enum class Kind : uint8_t { kGet, kCreate, kSet, kDelete };
    Kind kind = Kind::kGet;
    std::string node;
    std::string data;  // kCreate, kSet
  };
  // What the caller was told. A step fails when its node is absent, of kCreate when it is present;
  // then nothing has changed.
  struct Outcome {
    bool compared_true = true;
    std::optional<size_t> failed;  // the step; none: all went well
    std::vector<Register> read;    // by its kGet steps, if none failed
    friend bool operator==(const Outcome&, const Outcome&) = default;
  };

  std::string name;  // for reports
  base::Instant invoked;
  base::Instant returned = base::kNever;
  // None: not known. Then it took effect between `invoked` and `returned`, or also never if
  // `returned` is kNever.
  std::optional<Outcome> outcome;
  std::vector<Compare> compares;
  std::vector<Step> then_steps;
  std::vector<Step> else_steps;
};

struct Linearizability {
  enum class Verdict : uint8_t { kYes, kNo, kGaveUp };
  Verdict verdict = Verdict::kYes;
  // Of kNo: the calls around the place that cannot be explained, a line each.
  std::string report;
  uint64_t tried = 0;  // steps of the search
};

// Gives up after `tries_max` steps of the search. All nodes are absent at first.
Linearizability CheckLinearizable(const std::vector<Call>& calls, uint64_t tries_max);

}  // namespace pando::sim

#endif  // PANDO_SIM_LINEARIZABILITY_H_
