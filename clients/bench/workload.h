// Workload: which operations a load is made of. Pure: the operation under a number is always the
// same, so that a run can be repeated.
//
// All of them work on `nodes` nodes /bench/NNNN/NNNNNN, kNodesPerDirectory in a directory.
#ifndef PANDO_CLIENTS_BENCH_WORKLOAD_H_
#define PANDO_CLIENTS_BENCH_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pando/v1/tree.pb.h"

namespace pando::load {

class Workload {
 public:
  enum class Kind : uint8_t {
    kCreate,  // node 0, 1, 2, … with its parents; one that exists is left as it is
    kGet,     // a random node
    kSet,     // a random node
  };
  static constexpr uint64_t kNodesPerDirectory = 1'000;

  // "create", "get" or "set".
  static std::optional<Kind> KindOf(std::string_view name);

  // REQUIRES: nodes > 0.
  Workload(Kind kind, uint64_t nodes, size_t data_bytes);

  // Operation `number`, into one that may have been used before: its memory is used again.
  void Make(uint64_t number, v1::PipelineOperation* operation) const;

  static std::string PathOf(uint64_t node);

 private:
  const Kind kind_;
  const uint64_t nodes_;
  const std::string data_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_WORKLOAD_H_
