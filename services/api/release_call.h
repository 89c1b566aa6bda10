// StartRelease: gives a place in a queue back: Unlock and Resign.
#ifndef PANDO_API_RELEASE_CALL_H_
#define PANDO_API_RELEASE_CALL_H_

#include <string>
#include <utility>

#include "api/errors.h"
#include "api/unary.h"
#include "recipe/queue.h"

namespace pando::api {

// Two requests of one shape: a header, and an ownership_path.
template <class In, class Out>
grpc::ServerUnaryReactor* StartRelease(const Call& call, const In& in, Out* out) {
  Edge* edge = call.edge();
  const std::string& path = in.ownership_path();
  Caller caller;
  model::Error error = call.Admit(in.header(), &caller);
  if (error.ok() && !caller.header.session) error = InvalidArgument("the header names no session");
  if (error.ok()) error = CheckPath(path);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  io::Request request =
      MakeCommand(*edge, caller, call.Deadline(), recipe::Release(path, caller.header.session));
  return UnaryCall::Post(
      call, std::move(request), Responding(edge, out, [](const model::Reply&, Out*) {}),
      [path](model::Reply* reply) { reply->error = recipe::ReleasedError(path, *reply); });
}

}  // namespace pando::api

#endif  // PANDO_API_RELEASE_CALL_H_
