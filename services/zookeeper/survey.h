// Survey: who the ensemble is, asked of the core for those who look after a server.
//
// One thread's.
#ifndef PANDO_ZOOKEEPER_SURVEY_H_
#define PANDO_ZOOKEEPER_SURVEY_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "io/client.h"
#include "model/reply.h"
#include "zookeeper/overview.h"

namespace pando::zookeeper {

class Survey {
 public:
  // The questions, all with `tag`, the first time; then none.
  std::vector<io::Request> Next(uint64_t tag);
  // The answer to the oldest question. True: it was the last.
  bool Answer(model::Reply reply);

  // REQUIRES: all are answered.
  Ensemble Take() { return std::move(ensemble_); }

 private:
  bool asked_ = false;
  size_t waits_for_ = 0;  // answers
  Ensemble ensemble_;
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_SURVEY_H_
