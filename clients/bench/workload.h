// Workload: which operations a load is made of. Pure: the operation under a number is always the
// same, so that a run can be repeated.
//
// Reads and writes work on nodes ROOT/NNNNNN/NN, kNodesPerDirectory in a directory.
#ifndef PANDO_CLIENTS_BENCH_WORKLOAD_H_
#define PANDO_CLIENTS_BENCH_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/operation.h"

namespace pando::load {

class Workload {
 public:
  enum class Kind : uint8_t {
    kAncestors,    // the nodes on the way to ROOT, and ROOT itself; each once
    kDirectories,  // the directories of all nodes, each once
    kCreate,       // node 0, 1, 2, …, each once
    kSet,          // a random node
    kGet,          // a random node
    kMixed,        // eight gets for two sets
    kList,         // a random directory
    kMulti,        // sets some random neighbours at once
    kSession,      // ROOT/session-RUN-N, which nobody else makes
    kWatched,      // sets ROOT
  };
  struct Options {
    std::string root = "/bench";
    std::string run = "1";     // unlike that of any run whose sessions may not be over yet
    uint64_t nodes = 10'000;   // from multi_writes to kNodesMax
    size_t data_bytes = 100;   // of each node
    size_t multi_writes = 10;  // of each multi; at least one
  };
  static constexpr uint64_t kNodesPerDirectory = 100;
  static constexpr uint64_t kNodesMax = 100'000'000;

  Workload(Kind kind, Options options);

  // How many operations there are; without end for those on random nodes.
  uint64_t size() const;
  // Operation `number`, into one that may have been used before: its memory is used again. Its data
  // lives as long as the workload.
  void Make(uint64_t number, Operation* operation) const;

 private:
  void AppendDirectory(uint64_t directory, std::string* path) const;
  void AppendNode(uint64_t node, std::string* path) const;

  const Kind kind_;
  const Options options_;
  const std::string data_;  // longer than a node's: each takes a part of it
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_WORKLOAD_H_
