// The tries that a RepeatedCall is made of: each asks one server once, tells `tried` once all was
// told that comes before the answer, and returns how to give it up: then it tells nothing.
#ifndef PANDO_CLIENTS_CPP_SRC_TRIES_H_
#define PANDO_CLIENTS_CPP_SRC_TRIES_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "core.h"
#include "link.h"
#include "loop.h"
#include "pando/client/internal/unary.h"
#include "pando/client/session.h"
#include "pando/v1/tree.pb.h"
#include "repeated_call.h"
#include "subscription.h"

namespace pando::client {

using Tried = std::function<void(absl::Status)>;

// `deadline`: what the server may be told of how long somebody waits.
RepeatedCall::Cancel TryUnary(const std::shared_ptr<internal::UnaryCall>& call, bool linearizable,
                              Link* link, std::optional<Loop::Clock::time_point> deadline,
                              Tried tried);

// Reads `subtree`.
RepeatedCall::Cancel TryWalk(const std::shared_ptr<Subtree>& subtree, v1::WalkRequest request,
                             Link* link, Tried tried);

// Begins `watch`, on a stream of its own, so that what is wrong with it is its alone; then it joins
// the session's.
RepeatedCall::Cancel TryWatch(Core* core, const std::shared_ptr<Subscription>& watch,
                              v1::WatchRequest request, Link* link, Tried tried);

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_TRIES_H_
