// Query: a read. It never goes through the log.
#ifndef PANDO_MODEL_QUERY_H_
#define PANDO_MODEL_QUERY_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/acl.h"
#include "model/command.h"
#include "model/ids.h"

namespace pando::model {

struct List {
  std::string path;
  uint32_t page_size = 0;  // 0: kListPageDefault; more than kListPageMax counts as that
  std::string after;       // the name that the page comes after; empty: from the first
  std::string prefix;      // only names that start with it
  bool with_stat = false;
  bool with_data = false;
};
struct GetAcl {
  std::string path;
};
// The subtree in memory, if it is within the kWalkInTurn… limits; TOO_LARGE otherwise, and the
// caller asks the store for a scan.
struct Walk {
  std::string path;
  uint32_t max_depth = 0;  // levels below `path`; 0: all
  bool without_data = false;
  bool with_acl = false;
};
struct ListSessions {};

// --- ZooKeeper's, which know no pages ---------------------------------------------------------

// All children's names, whatever their number, or those of one kind: a NamesResult.
struct ListNames {
  enum class Only : uint8_t { kAll = 0, kPersistent = 1, kEphemeral = 2 };  // as Keeper counts
  std::string path;
  Only only = Only::kAll;  // whatever is not ephemeral counts as persistent
};
// How many nodes are below the node: a CountResult. It takes a look at each of them.
struct CountDescendants {
  std::string path;
};
// The paths of the session's ephemeral nodes that begin with `prefix`, which is no path itself: a
// NamesResult. Whose the session is, is not asked.
struct ListEphemerals {
  SessionId session;
  std::string prefix;
};
// The Stat of each of the paths at one revision, whoever may read them: a StatsResult.
struct Probe {
  std::vector<std::string> paths;
};

// Nothing but the revision: Sync.
struct Touch {};

using QueryBody = std::variant<Touch, Get, List, GetAcl, Walk, ListSessions, ListNames,
                               CountDescendants, ListEphemerals, Probe>;

struct Query {
  std::vector<Identity> identities;
  SessionId session;  // none: a read without a session
  QueryBody body;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_QUERY_H_
