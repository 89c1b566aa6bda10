// Waiter: one caller's way to the head of a queue (queue.h).
//
//   Start ──► join ──► list all places ──► at the head? ──► done
//              ▲              ▲               │ no: watch the place before, and the own one
//              │ it is gone   └── changed ────┤
//              └──────────────────────────────┘ in a hurry: leave ──► done, with TIMEOUT
//
// A place that is created later comes later, so nobody gets in between; and only the next one in
// the queue hears of a place that is given back.
#ifndef PANDO_RECIPE_WAITER_H_
#define PANDO_RECIPE_WAITER_H_

#include <string>
#include <variant>
#include <vector>

#include "model/acl.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/query.h"
#include "model/reply.h"
#include "model/watch.h"
#include "recipe/queue.h"

namespace pando::recipe {

class Waiter {
 public:
  // Do this as the caller, and say what came of it: OnReply.
  struct Write {
    model::Transaction transaction;
  };
  // Read this, whatever the caller may read: OnReply.
  struct Read {
    model::List list;
  };
  // Say when one of these is gone, at this revision or later: OnGone.
  struct Watch {
    std::vector<model::WatchTarget> targets;
    model::Revision from;
  };
  // The end: the place at the head, or why there is none.
  struct Done {
    Place place;
    model::Error error;
  };
  using Step = std::variant<Write, Read, Watch, Done>;

  Waiter(std::string name, model::SessionId session, model::NodeBytes data, model::Acl acl);

  Step Start();
  Step OnReply(const model::Reply& reply);
  Step OnGone();
  // From now on it does not wait any more: it is done at once if it is at the head, or leaves.
  // Takes effect at the next On…; while something is watched, call OnGone.
  void Hurry() { hurried_ = true; }

 private:
  enum class Phase : uint8_t { kJoining, kListing, kWatching, kLeaving };

  Step Join();
  Step List();
  Step Decide(model::Revision revision);

  const std::string name_;
  const model::SessionId session_;
  const model::NodeBytes data_;
  const model::Acl acl_;
  const std::string path_;
  bool hurried_ = false;
  Phase phase_ = Phase::kJoining;
  model::Revision token_;
  int64_t version_ = 0;
  Listing listing_;
};

}  // namespace pando::recipe

#endif  // PANDO_RECIPE_WAITER_H_
