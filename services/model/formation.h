// Formation: what a server without data remembers until its ensemble has a membership in the log.
#ifndef PANDO_MODEL_FORMATION_H_
#define PANDO_MODEL_FORMATION_H_

#include "model/ids.h"
#include "model/membership.h"

namespace pando::model {

struct Formation {
  // The initial members as the operator listed them, itself among them. `storage` is none as long
  // as the member has not announced itself here; what it announced is recorded for ever.
  Membership members;
  // All others have recorded this server: it may vote and stand.
  bool complete = false;

  friend bool operator==(const Formation&, const Formation&) = default;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_FORMATION_H_
