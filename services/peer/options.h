// What the links and the listening side of one server have in common.
#ifndef PANDO_PEER_OPTIONS_H_
#define PANDO_PEER_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "io/install.h"
#include "model/ids.h"
#include "net/refusals.h"
#include "transport/server_tls.h"

namespace pando::peer {

struct Options {
  model::ServerId id;
  std::string listen_address;          // HOST:PORT; port 0: any
  std::function<base::Instant()> now;  // from any thread; must not block
  uint64_t seed = 0;                   // of the jitter of attempts
  // Between attempts to connect: from the first to the second, doubling; and after a refusal.
  base::Duration backoff_min = std::chrono::milliseconds(20);
  base::Duration backoff_max = std::chrono::seconds(1);
  base::Duration refused_delay = std::chrono::seconds(2);
  // Where snapshots that arrive are built; null: none is taken.
  io::ReceiveSnapshot receive_snapshot;
  // Of every snapshot that has ended, from any thread; may be null, and must not block.
  struct SnapshotEnd {
    bool sent = false;  // else received
    bool good = false;
    uint64_t bytes = 0;  // of records
    base::Duration taken{0};
  };
  std::function<void(const SnapshotEnd&)> on_snapshot;
  size_t connections_max = 2'000;
  net::Refusals* connection_refusals = nullptr;  // outlives the peers
  // Null: without encryption. Else a peer's name is in its certificate; outlives the peers.
  transport::ServerTls* tls = nullptr;
};

}  // namespace pando::peer

#endif  // PANDO_PEER_OPTIONS_H_
