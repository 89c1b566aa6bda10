#include "api/call.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "acl/names.h"
#include "acl/permission.h"
#include "api/identity.h"
#include "base/log.h"

namespace pando::api {
namespace {

using model::Error;
using model::Reason;

// What an answer takes on its way, at most.
constexpr base::Duration kAnswerMax = std::chrono::milliseconds(100);

}  // namespace

Call::Call(Edge* edge, const Method& method, const grpc::CallbackServerContext& context,
           const google::protobuf::Message* request)
    : edge_(edge),
      method_(&method),
      context_(&context),
      request_(request),
      began_(edge->options().now()) {}

Error Call::Admit(const v1::RequestHeader& header, Caller* out) const {
  const Options& options = edge_->options();
  Error error = FromProto(header, options.cluster(), &out->header);
  if (error.ok()) error = IdentitiesOf(*context_, options.super_digest, &out->identities);
  if (!error.ok()) return error;
  if (out->header.session) out->token_hash = TokenHashOf(*context_);
  const bool admitted = method_->access != Access::kAdmin ||
                        acl::Allows(options.administrators, model::kAdmin, out->identities);
  if (admitted) return {};
  return {.reason = Reason::kPermissionDenied,
          .detail = "this is for administrators: super, or an --admin-identity of the server"};
}

base::Instant Call::Deadline() const {
  const std::chrono::system_clock::time_point deadline = context_->deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return base::kNever;
  const base::Duration left = deadline - std::chrono::system_clock::now();
  // gRPC has rounded the caller's timeout up, by as much as a hundredth.
  const base::Duration margin = std::min(left / 10, kAnswerMax + left / 100);
  return edge_->options().now() + left - std::max(margin, base::Duration(0));
}

void Call::Ended(base::Instant began, const Error& error) const {
  const char* reason = model::ReasonName(error.reason);
  edge_->CountRequest(method_->name, began, reason);
  Record(reason, error);
}

void Call::Cancelled() const {
  edge_->CountRequest(method_->name, began_, "CANCELLED");
  Record("CANCELLED", {});
}

void Call::Record(const char* reason, const Error& error) const {
  const bool denied =
      error.reason == Reason::kPermissionDenied || error.reason == Reason::kUnauthenticated;
  const bool administration = method_->access == Access::kAdmin;
  const Options& options = edge_->options();
  if ((!denied && !administration) || !options.on_audit) return;
  std::vector<model::Identity> identities;
  // Of a bad credential, whoever they are besides.
  static_cast<void>(IdentitiesOf(*context_, options.super_digest, &identities).ok());
  const std::string request =
      administration && request_ != nullptr ? request_->ShortDebugString() : "";
  options.on_audit({.denied = denied,
                    .method = method_->name,
                    .caller = acl::NamesOf(identities),
                    .path = error.path,
                    .reason = reason,
                    .request = request});
}

}  // namespace pando::api
