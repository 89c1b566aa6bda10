// Restore: a backup becomes the data dir of a new ensemble's server (docs/decisions/0009).
#ifndef PANDO_SERVER_RESTORE_H_
#define PANDO_SERVER_RESTORE_H_

#include "server/config.h"

namespace pando::server {

// pandod --restore: 0, or 1 with why on stderr and nothing left behind. Each server of the new
// ensemble restores the same file, and comes to the same state.
int RestoreDataDir(const Config& config);

}  // namespace pando::server

#endif  // PANDO_SERVER_RESTORE_H_
