// A queue: places under one node, first come first served. Locks and elections are queues; whoever
// is at the head holds the lock, or leads.
//
//   /name/session-00000000000000ab   the place of session 0xab: an ephemeral node of it
//
// The revision that created a place is its order in the queue and its fencing token. A session has
// one place in a queue. Each call that takes or keeps it raises the place's version, so that a call
// that gives up takes nothing from a later one.
#ifndef PANDO_RECIPE_QUEUE_H_
#define PANDO_RECIPE_QUEUE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/acl.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/node.h"
#include "model/query.h"
#include "model/reply.h"

namespace pando::recipe {

struct Place {
  model::SessionId session;
  std::string path;
  model::Revision token;  // the fencing token
  base::WallTime since;   // by the leader's clock
  model::NodeBytes data;
};

std::string PlacePath(std::string_view name, model::SessionId session);

// Takes the session's place, or keeps the one it has. `acl`: of the place; empty: open.
model::Transaction Join(std::string_view name, model::SessionId session,
                        const model::NodeBytes& data, const model::Acl& acl);
// What Join's result says of the place.
model::Stat JoinedStat(const model::TransactionResult& result);
// Gives the place up, unless a later Join has kept it. Nothing is wrong if it is gone.
model::Transaction Leave(const std::string& path, model::SessionId session, int64_t version);
// Gives a place back.
model::Transaction Release(const std::string& path, model::SessionId session);
// Of Release: OK also if the place was gone; PERMISSION_DENIED if it is another session's.
model::Error ReleasedError(const std::string& path, const model::Reply& reply);

// Reads a queue, page by page.
class Listing {
 public:
  explicit Listing(std::string name, bool with_data = false);

  model::List NextPage() const;
  // Takes the answer, which is ok or NO_NODE: a queue that nobody has ever joined is not there.
  // True: that was the last page.
  bool Add(model::Reply reply);
  // Whether `reply` is neither: then there is nothing to add.
  static bool IsError(const model::Reply& reply);
  // All places, the head first.
  std::vector<Place> TakePlaces();

 private:
  const std::string name_;
  const bool with_data_;
  std::string after_;
  std::vector<Place> places_;
};

}  // namespace pando::recipe

#endif  // PANDO_RECIPE_QUEUE_H_
