// raft lists model in DEPS: this compiles.
#include "model/ids.h"

static_assert(pando::model::Revision(1) > pando::model::Revision());
