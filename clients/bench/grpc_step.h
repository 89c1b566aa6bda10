// GrpcStep: what a call is for, in the 64 bits that a GrpcChannel keeps of it: the operation's tag,
// and which of the calls that the operation is made of.
#ifndef PANDO_CLIENTS_BENCH_GRPC_STEP_H_
#define PANDO_CLIENTS_BENCH_GRPC_STEP_H_

#include <cstdint>

#include "bench/operation.h"

namespace pando::load {

template <class Step>
struct GrpcStep {
  Step step;
  Tag tag;

  uint64_t cookie() const { return static_cast<uint64_t>(step) << 32 | static_cast<uint64_t>(tag); }
  static GrpcStep Of(uint64_t cookie) {
    return {static_cast<Step>(cookie >> 32), static_cast<Tag>(cookie & 0xffffffff)};
  }
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_GRPC_STEP_H_
