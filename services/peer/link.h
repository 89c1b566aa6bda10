// Link: this server's channel to one peer. It connects, writes what is sent, and connects again.
//
//   waiting ──► connecting ── the peer has read the Hello: PeerReady ──► open
//      ▲             │                                                     │
//      └── backoff ──┴──────────── the call has ended ◄────────────────────┘
//
// Every attempt is a gRPC channel of its own, so that the name is resolved again. Send comes in a
// turn of the core, the call's reactions on gRPC's, all else on the one that tends the links; it
// alone makes and destroys gRPC channels, which must not happen in a reaction. Thread-safe.
//
// gRPC starts no reaction from inside StartRead, StartWrite or TryCancel: they are called under the
// lock, which keeps them in order.
#ifndef PANDO_PEER_LINK_H_
#define PANDO_PEER_LINK_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/rng.h"
#include "base/time.h"
#include "io/inbox.h"
#include "io/peers.h"
#include "peer/counters.h"
#include "peer/options.h"

namespace pando::peer {

class Link {
 public:
  // What all links of a server share; it outlives them. `wake` makes Tend come soon.
  struct Shared {
    const Options& options;
    io::Inbox* inbox;
    const CountersByPeer* counters;
    std::function<void()> wake;
  };
  Link(Shared shared, io::PeerAddress address, uint64_t seed);
  // REQUIRES: finished().
  ~Link();

  const io::PeerAddress& address() const { return address_; }

  // Dropped unless the channel is open. What is over kPeerQueueBytesMax breaks it, so that both
  // sides notice.
  void Send(const std::vector<io::PeerMessage>& messages) PANDO_EXCLUDES(mutex_);
  // No more attempts; what is open is broken off.
  void Close() PANDO_EXCLUDES(mutex_);
  // Connects if it is time to, and says `hello` then. Returns when it wants to be tended again.
  base::Instant Tend(base::Instant now, const io::PeerHello& hello) PANDO_EXCLUDES(mutex_);
  // Closed, and the last call is gone.
  bool finished() const PANDO_EXCLUDES(mutex_);

  bool open() const PANDO_EXCLUDES(mutex_);
  // What waits to be written, with what is being written.
  size_t queued_bytes() const PANDO_EXCLUDES(mutex_);

 private:
  class Call;
  enum class State : uint8_t { kWaiting, kConnecting, kOpen, kEnding };

  void OnReady() PANDO_EXCLUDES(mutex_);
  void OnRefused(uint32_t refusal, const std::string& detail) PANDO_EXCLUDES(mutex_);
  void OnRead(Call* call, bool ok) PANDO_EXCLUDES(mutex_);
  void OnWritten(bool ok) PANDO_EXCLUDES(mutex_);
  void OnEnded(const std::string& why) PANDO_EXCLUDES(mutex_);
  void Break() PANDO_REQUIRES(mutex_);
  void WriteNext() PANDO_REQUIRES(mutex_);
  // The end of the queue, with a message of so many parts added.
  void Append(std::string bytes, size_t parts) PANDO_REQUIRES(mutex_);
  base::Duration NextDelay(base::Instant now) PANDO_REQUIRES(mutex_);

  const Shared shared_;
  const io::PeerAddress address_;
  const std::shared_ptr<Counters> counters_;

  mutable base::Mutex mutex_;
  base::Rng rng_ PANDO_GUARDED_BY(mutex_);
  State state_ PANDO_GUARDED_BY(mutex_) = State::kWaiting;
  bool closed_ PANDO_GUARDED_BY(mutex_) = false;
  bool refused_ PANDO_GUARDED_BY(mutex_) = false;
  std::string why_ PANDO_GUARDED_BY(mutex_);  // the last call has ended; "" once one was open
  base::Instant retry_at_ PANDO_GUARDED_BY(mutex_);
  base::Instant opened_at_ PANDO_GUARDED_BY(mutex_);
  base::Duration backoff_ PANDO_GUARDED_BY(mutex_){0};
  std::unique_ptr<Call> call_ PANDO_GUARDED_BY(mutex_);   // none while waiting
  std::unique_ptr<Call> ended_ PANDO_GUARDED_BY(mutex_);  // for Tend to destroy
  struct Frame {
    std::string bytes;
    size_t parts = 0;
  };
  std::deque<Frame> frames_ PANDO_GUARDED_BY(mutex_);  // not with gRPC yet
  size_t queued_bytes_ PANDO_GUARDED_BY(mutex_) = 0;   // with what is being written
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  size_t writing_bytes_ PANDO_GUARDED_BY(mutex_) = 0;  // 0: the Hello
};

}  // namespace pando::peer

#endif  // PANDO_PEER_LINK_H_
