// The words of a mirror: what is asked of the source, what it answers, what the target is to do.
#ifndef PANDO_CLIENTS_CLI_MIRROR_WORDS_H_
#define PANDO_CLIENTS_CLI_MIRROR_WORDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/acl.h"
#include "model/node.h"

namespace pando::cli {

// When a node was made and its data last set, and how often its ACL was: while these are the same,
// so is the node.
struct NodeVersion {
  int64_t created = 0;   // czxid
  int64_t modified = 0;  // mzxid
  int64_t acl = 0;       // aversion
  friend bool operator==(const NodeVersion&, const NodeVersion&) = default;
};

struct Question {
  enum class Kind {
    kStat,      // the versions alone
    kNode,      // with data and ACL
    kChildren,  // with the names
    kSync,      // answered once the source shows all that was done before it was asked
  };
  Kind kind = Kind::kNode;
  std::string path;
  friend bool operator==(const Question&, const Question&) = default;
};

struct Answer {
  enum class Outcome { kFound, kNoNode, kDenied };
  Outcome outcome = Outcome::kFound;
  NodeVersion version;
  int64_t children_changed = 0;  // pzxid
  int64_t children_count = 0;
  bool ephemeral = false;
  // Of kNode.
  model::NodeBytes data;
  model::Acl acl;
  // Of kChildren.
  std::vector<std::string> names;
};

struct Write {
  enum class Kind { kPut, kRemove };
  Kind kind = Kind::kPut;
  std::string path;
  // Of kPut: the whole node, and what of it the target does not have yet.
  model::NodeBytes data;
  model::Acl acl;
  bool is_new = false;
  bool sets_data = false;
  bool sets_acl = false;

  uint64_t bytes() const { return data ? data->size() : 0; }
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_MIRROR_WORDS_H_
