// Lock and Leadership: a lock that is held, an election that is won. Both are places in a queue on
// the servers (LockService, ElectionService), first come first served, and end with their session.
//
// Who holds one pauses when the session is SUSPENDED and stops when it is LOST: LOST comes before
// anybody else can have it. What a stopped process cannot see is caught by the fencing token: what
// lies outside Pando refuses a token lower than the highest it has seen, and a write to Pando is
// guarded by a transaction with Guard().
#ifndef PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_LOCK_H_
#define PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_LOCK_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pando/client/session.h"
#include "pando/v1/tree.pb.h"

namespace pando::client {

// A place at the head of its queue. Not thread-safe.
class Held {
 public:
  // The ephemeral node that is the place.
  const std::string& ownership_path() const { return ownership_path_; }
  // The revision of that node's creation: higher than every earlier holder's.
  int64_t fencing_token() const { return fencing_token_; }
  // Of a transaction that is to do something only while this is held.
  v1::Compare Guard() const;

 protected:
  Held(Session* session, std::string ownership_path, int64_t fencing_token)
      : session_(session),
        ownership_path_(std::move(ownership_path)),
        fencing_token_(fencing_token) {}
  ~Held() = default;

  // Leaves the queue by the rpc; success if it is gone already.
  template <class Stub, class Request, class Response>
  absl::Status GiveBack(internal::UnaryMethod<Stub, Request, Response> leave);
  // The same, and waits for nothing.
  template <class Stub, class Request, class Response>
  void GiveBackSoon(internal::UnaryMethod<Stub, Request, Response> leave);

  Session* const session_;
  const std::string ownership_path_;
  const int64_t fencing_token_;
  bool given_back_ = false;
};

// The session must outlive it.
class Lock final : public Held {
 public:
  // Takes the lock whose node is `name`, or waits for it; kTimeout: it was not to be had in time,
  // and if MaybeApplied, its place in the queue stays until the session ends. While the session
  // looks for another server it may wait operation_timeout longer. `data` is what others see.
  static absl::StatusOr<std::unique_ptr<Lock>> Take(Session* session, std::string name,
                                                    std::chrono::milliseconds wait,
                                                    std::string data = "");
  // Gives it back soon, without waiting: on any thread. If that fails it ends with the session.
  ~Lock();

  // Gives it back, and waits for that. What is gone already is success.
  absl::Status Release();

 private:
  using Held::Held;
};

// The session must outlive it.
class Leadership final : public Held {
 public:
  // Stands in the election whose node is `name`, and returns once elected; kTimeout as of
  // Lock::Take. `data` is what others see of the leader, such as its address.
  static absl::StatusOr<std::unique_ptr<Leadership>> Campaign(Session* session, std::string name,
                                                              std::chrono::milliseconds wait,
                                                              std::string data = "");
  // Steps down soon, without waiting: on any thread. If that fails it ends with the session.
  ~Leadership();

  // Steps down, and waits for that. What is gone already is success.
  absl::Status Resign();

 private:
  using Held::Held;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_LOCK_H_
