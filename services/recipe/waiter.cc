#include "recipe/waiter.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::recipe {
namespace {

using model::Reason;

Waiter::Done Failed(model::Error error) { return {.place = {}, .error = std::move(error)}; }

}  // namespace

Waiter::Waiter(std::string name, model::SessionId session, model::NodeBytes data, model::Acl acl)
    : name_(std::move(name)),
      session_(session),
      data_(std::move(data)),
      acl_(std::move(acl)),
      path_(PlacePath(name_, session)),
      listing_(name_) {}

Waiter::Step Waiter::Start() { return Join(); }

Waiter::Step Waiter::Join() {
  phase_ = Phase::kJoining;
  return Write{recipe::Join(name_, session_, data_, acl_)};
}

Waiter::Step Waiter::List() {
  phase_ = Phase::kListing;
  return Read{listing_.NextPage()};
}

Waiter::Step Waiter::OnReply(const model::Reply& reply) {
  switch (phase_) {
    case Phase::kJoining: {
      if (!reply.ok()) return Failed(reply.error);
      const auto* result = std::get_if<model::TransactionResult>(&reply.result);
      CHECK(result != nullptr);
      const model::Stat stat = JoinedStat(*result);
      token_ = stat.create_revision;
      version_ = stat.version;
      return List();
    }
    case Phase::kListing:
      if (Listing::IsError(reply)) return Failed(reply.error);
      return listing_.Add(reply) ? Decide(reply.revision) : List();
    case Phase::kLeaving:
      return Failed({.reason = Reason::kTimeout,
                     .path = path_,
                     .detail = "others were before, and the place is given up"});
    case Phase::kWatching:
      break;
  }
  CHECK(false);
}

Waiter::Step Waiter::Decide(model::Revision revision) {
  const std::vector<Place> places = listing_.TakePlaces();
  const auto own = std::find_if(places.begin(), places.end(),
                                [this](const Place& place) { return place.token == token_; });
  // Its session may be over: then Join says so.
  if (own == places.end()) return Join();
  if (own == places.begin()) return Done{.place = *own, .error = {}};
  if (hurried_) {
    phase_ = Phase::kLeaving;
    return Write{Leave(path_, session_, version_)};
  }
  phase_ = Phase::kWatching;
  return Watch{{{.path = std::prev(own)->path}, {.path = path_}}, revision + 1};
}

Waiter::Step Waiter::OnGone() {
  CHECK(phase_ == Phase::kWatching);
  return List();
}

}  // namespace pando::recipe
