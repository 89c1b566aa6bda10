// Session: a session, its calls and its watches, over one server at a time. What it promises is in
// docs/clients.md.
//
// Threads. A session has one thread of its own, on which gRPC is polled and every callback runs:
// one callback at a time, which must not block. Everything here may be called from any thread; what
// blocks may not be called on the session's own, and fails there with FAILED_PRECONDITION.
//
// Requests and responses are the messages of pando/v1. A request's header is the session's to fill;
// of what a caller put there only `consistency` counts.
#ifndef PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_SESSION_H_
#define PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_SESSION_H_

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pando/client/error.h"
#include "pando/client/feed.h"
#include "pando/client/internal/unary.h"
#include "pando/client/options.h"
#include "pando/client/watch.h"
#include "pando/v1/tree.pb.h"

namespace pando::client {

// Runs once, on the session's thread.
template <class Response>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

// A subtree, all of it of one revision.
struct Subtree {
  std::vector<v1::WalkEntry> entries;  // a node before its children
  int64_t revision = 0;
};

// A call waits while there is no server, until its timeout: then kTimeout, and MaybeApplied says
// whether a write was sent. What a broken connection leaves unanswered goes again on the next
// server, and is applied once. Calls of one thread, one after the other, are applied in that order.
class Session final {
 public:
  // Opens a session on whichever endpoint answers. kNoServer, which says what is wrong with each
  // endpoint: none did within connect_timeout. kUnauthenticated: an identity is not accepted.
  // INVALID_ARGUMENT: the options cannot be.
  static absl::StatusOr<std::unique_ptr<Session>> Connect(Options options);

  ~Session();  // Close
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int64_t id() const;
  // As granted.
  std::chrono::milliseconds timeout() const;
  // What happens to it, beginning with how it stands now. Ends with it.
  std::shared_ptr<Feed<SessionEvent>> Events();
  // Ends it, with its ephemeral nodes; waits at most a second for that. Without a server it expires
  // by itself. On the session's own thread it does not wait.
  void Close();

  // --- The tree, one call at a time --------------------------------------------------------------

  // Makes a node; the response has its actual path.
  absl::StatusOr<v1::CreateResponse> Create(v1::CreateRequest request, CallOptions options = {});
  // Reads a node's data and Stat. It shows at least what this session has seen before.
  absl::StatusOr<v1::GetResponse> Get(v1::GetRequest request, CallOptions options = {});
  // Replaces a node's data.
  absl::StatusOr<v1::SetResponse> Set(v1::SetRequest request, CallOptions options = {});
  // Removes a node.
  absl::StatusOr<v1::DeleteResponse> Delete(v1::DeleteRequest request, CallOptions options = {});
  // Reads a page of a node's children.
  absl::StatusOr<v1::ListResponse> List(v1::ListRequest request, CallOptions options = {});
  // All of a node's children, in the order of their names, a page after the other.
  absl::StatusOr<std::vector<v1::ListEntry>> Children(v1::ListRequest request,
                                                      CallOptions options = {});
  absl::StatusOr<v1::GetAclResponse> GetAcl(v1::GetAclRequest request, CallOptions options = {});
  absl::StatusOr<v1::SetAclResponse> SetAcl(v1::SetAclRequest request, CallOptions options = {});
  // Runs all of one list or nothing: then_operations if every compare is true.
  absl::StatusOr<v1::TransactResponse> Transact(v1::TransactRequest request,
                                                CallOptions options = {});
  // Later reads show all that was committed anywhere before it.
  absl::StatusOr<v1::SyncResponse> Sync(CallOptions options = {});
  // Reads a subtree.
  absl::StatusOr<Subtree> Walk(v1::WalkRequest request, CallOptions options = {});

  // --- Many at once: they leave in the order in which they are asked -----------------------------

  void AsyncCreate(v1::CreateRequest request, Callback<v1::CreateResponse> done,
                   CallOptions options = {});
  void AsyncGet(v1::GetRequest request, Callback<v1::GetResponse> done, CallOptions options = {});
  void AsyncSet(v1::SetRequest request, Callback<v1::SetResponse> done, CallOptions options = {});
  void AsyncDelete(v1::DeleteRequest request, Callback<v1::DeleteResponse> done,
                   CallOptions options = {});
  void AsyncList(v1::ListRequest request, Callback<v1::ListResponse> done,
                 CallOptions options = {});
  void AsyncGetAcl(v1::GetAclRequest request, Callback<v1::GetAclResponse> done,
                   CallOptions options = {});
  void AsyncSetAcl(v1::SetAclRequest request, Callback<v1::SetAclResponse> done,
                   CallOptions options = {});
  void AsyncTransact(v1::TransactRequest request, Callback<v1::TransactResponse> done,
                     CallOptions options = {});
  void AsyncSync(Callback<v1::SyncResponse> done, CallOptions options = {});
  void AsyncWalk(v1::WalkRequest request, Callback<Subtree> done, CallOptions options = {});

  // --- Watches -----------------------------------------------------------------------------------

  // Begins now, or with start_revision, or with send_initial after the state. A reply that comes
  // after an event is given to its caller only when the event is there to be taken. A target with
  // `once` is kInvalidArgument: close the watch instead.
  absl::StatusOr<std::unique_ptr<client::Watch>> Watch(std::vector<v1::WatchTarget> targets,
                                                       WatchOptions options = {});
  void AsyncWatch(std::vector<v1::WatchTarget> targets,
                  Callback<std::unique_ptr<client::Watch>> done, WatchOptions options = {});

  // --- Other services ----------------------------------------------------------------------------

  // A unary rpc on the session's server, named and signed by the session, and repeated until a
  // server has answered it: every rpc outside TreeService may be repeated.
  //
  //   session->Call(&v1::LockService::Stub::PrepareAsyncDescribe, request)
  template <class Stub, class Request, class Response>
  absl::StatusOr<Response> Call(internal::UnaryMethod<Stub, Request, Response> method,
                                Request request, CallOptions options = {}) {
    return Await<Response>([&](Callback<Response> done) {
      AsyncCall(method, std::move(request), std::move(done), options);
    });
  }
  template <class Stub, class Request, class Response>
  void AsyncCall(internal::UnaryMethod<Stub, Request, Response> method, Request request,
                 Callback<Response> done, CallOptions options = {}) {
    auto call = std::make_shared<internal::UnaryCallOf<Stub, Request, Response>>(
        method, std::move(request));
    Run(
        call,
        [call, done = std::move(done)](absl::Status status) mutable {
          if (status.ok()) {
            done(std::move(call->response()));
          } else {
            done(std::move(status));
          }
        },
        options);
  }

  const Options& options() const;

 private:
  Session(std::shared_ptr<Core> core, std::thread thread);

  void Run(std::shared_ptr<internal::UnaryCall> call, absl::AnyInvocable<void(absl::Status)> done,
           CallOptions options);
  // OK, or that this thread is the session's.
  absl::Status MayBlock() const;

  // Waits for what `begin` is given a callback for.
  template <class Response, class Begin>
  absl::StatusOr<Response> Await(Begin begin) {
    if (absl::Status status = MayBlock(); !status.ok()) return status;
    std::promise<absl::StatusOr<Response>> promise;
    std::future<absl::StatusOr<Response>> future = promise.get_future();
    begin([promise = std::move(promise)](absl::StatusOr<Response> response) mutable {
      promise.set_value(std::move(response));
    });
    return future.get();
  }

  const std::shared_ptr<Core> core_;
  std::thread thread_;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_SESSION_H_
