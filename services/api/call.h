// Call: one call of a client, from its start to its end: who makes it, of which method, since when.
// What it ends with is counted, and goes on record if it was denied or is an administrator's.
#ifndef PANDO_API_CALL_H_
#define PANDO_API_CALL_H_

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>

#include <string>
#include <vector>

#include "api/edge.h"
#include "api/method.h"
#include "api/translate.h"
#include "base/time.h"
#include "model/acl.h"
#include "model/reply.h"
#include "pando/v1/common.pb.h"

namespace pando::api {

// What a call says of itself, besides its request.
struct Caller {
  Header header;
  std::vector<model::Identity> identities;
  std::string token_hash;  // if the header names a session
};

// A value; thread-safe. Used before gRPC is told that the call has finished, not after.
class Call {
 public:
  // The pointers outlive it. `request` is null for a stream of requests.
  Call(Edge* edge, const Method& method, const grpc::CallbackServerContext& context,
       const google::protobuf::Message* request);

  Edge* edge() const { return edge_; }
  const google::protobuf::Message* request() const { return request_; }

  // Who calls; an error if the method is not for them.
  [[nodiscard]] model::Error Admit(const v1::RequestHeader& header, Caller* out) const;

  // When it has to be answered, on the clock of Options.now: a little before its deadline, so that
  // the caller hears whether its write was sent to a leader. kNever if it has none.
  base::Instant Deadline() const;

  // Once for each answer.
  void Ended(const model::Error& error) const { Ended(began_, error); }
  void Ended(base::Instant began, const model::Error& error) const;  // a part of a stream
  void Cancelled() const;

 private:
  void Record(const char* reason, const model::Error& error) const;

  Edge* edge_;
  const Method* method_;
  const grpc::CallbackServerContext* context_;
  const google::protobuf::Message* request_;
  base::Instant began_;
};

}  // namespace pando::api

#endif  // PANDO_API_CALL_H_
