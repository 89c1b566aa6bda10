// Dump: all sessions of the ensemble and their ephemeral nodes, asked of the core in steps, so that
// none of its turns is long.
//
// One thread's.
#ifndef PANDO_ZOOKEEPER_DUMP_H_
#define PANDO_ZOOKEEPER_DUMP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/client.h"
#include "model/reply.h"
#include "zookeeper/overview.h"

namespace pando::zookeeper {

class Dump {
 public:
  // Sessions that one step asks for.
  static constexpr size_t kStep = 64;

  // The questions of the next step, all with `tag`; none: it is done. REQUIRES: those before are
  // answered.
  std::vector<io::Request> Next(uint64_t tag);
  // The answer to the oldest question. True: it was the last of its step.
  bool Answer(model::Reply reply);

  // REQUIRES: it is done.
  std::vector<SessionRow> Take() { return std::move(sessions_); }

 private:
  bool listed_ = false;  // the sessions; then come their nodes
  std::vector<SessionRow> sessions_;
  std::vector<size_t> owners_;  // places in sessions_ of those that have ephemeral nodes
  size_t asked_ = 0;            // of them
  size_t answered_ = 0;         // likewise
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_DUMP_H_
