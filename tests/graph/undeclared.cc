// raft does not list replica in DEPS: this does not compile, though the header is there.
#include "replica/replica.h"
