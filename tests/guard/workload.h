// Workloads: what an operation costs on its way through the code that ships, in one thread and
// without disk, socket, clock and chance: two runs count the same.
//
// What is around the code under test (a disk that keeps nothing, a reader of replies) costs next to
// nothing, so that what is counted is the server's own.
#ifndef PANDO_TESTS_GUARD_WORKLOAD_H_
#define PANDO_TESTS_GUARD_WORKLOAD_H_

#include <cstddef>
#include <functional>

namespace pando::guard {

struct Workload {
  std::function<void()> turn;
  size_t operations = 1;  // in a turn
};

// Requests that come and go together, as with 30 connections that have some outstanding each.
inline constexpr size_t kRequestsInTurn = 16;

// Sets, and local gets, of a Pipeline: from the bytes of its request to those of its response.
Workload MakeSet();
Workload MakeGet();
// getData of a ZooKeeper client: from its frames to those of the answers.
Workload MakeZooKeeperGet();
// One set: from the command to the Outboxes of 1,000 streams that watch the node.
Workload MakeFanOut();
// setData of a ZooKeeper client, and its event to 1,000 connections that watch the node.
Workload MakeZooKeeperFanOut();
// An entry among 64: from the leader's command to its commit on all three servers, with the bytes
// that they send to one another and write to their logs.
Workload MakeReplication();

}  // namespace pando::guard

#endif  // PANDO_TESTS_GUARD_WORKLOAD_H_
