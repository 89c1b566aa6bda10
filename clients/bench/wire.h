// Wire: one client's side of one connection in some protocol, as bytes in and bytes out. It has no
// socket and no clock: bench/connection.h moves the bytes.
#ifndef PANDO_CLIENTS_BENCH_WIRE_H_
#define PANDO_CLIENTS_BENCH_WIRE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "bench/operation.h"

namespace pando::load {

class Wire {
 public:
  // What comes of it. Called by Open, Ask and Read; may Ask.
  class Listener {
   public:
    virtual ~Listener() = default;
    // Once: operations may be asked.
    virtual void OnReady() = 0;
    // `why` of a failure, for people.
    virtual void OnAnswer(Tag tag, Outcome outcome, std::string_view why) = 0;
    // So many changes of the node that the kWatch under `tag` watches.
    virtual void OnEvents(Tag tag, size_t count) = 0;
  };

  enum class State : uint8_t {
    kOpen,
    kOver,          // nothing more comes over this connection, which the server may close
    kWantsAnother,  // the same, and what was asked since needs another one
  };

  // `listener` outlives it.
  explicit Wire(Listener* listener) : listener_(listener) {}
  virtual ~Wire() = default;

  // A connection has been made: the first, or another one that was wanted.
  virtual void Open() = 0;
  // REQUIRES: ready, and no operation under way has this tag.
  virtual void Ask(const Operation& operation, Tag tag) = 0;
  // Appends what is to be sent now. Not to be called by the listener.
  virtual void Write(std::string* out) = 0;
  // Whatever was received, in pieces of any size. Not OK: it makes no sense, and nothing more does.
  [[nodiscard]] virtual absl::Status Read(std::string_view bytes) = 0;
  // Called every few seconds, for what must be said to keep a session.
  virtual void Beat() {}
  virtual State state() const { return State::kOpen; }

 protected:
  Listener& listener() { return *listener_; }

 private:
  Listener* const listener_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_WIRE_H_
