// Translate: ZooKeeper's requests as questions to the core.
#ifndef PANDO_ZOOKEEPER_TRANSLATE_H_
#define PANDO_ZOOKEEPER_TRANSLATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "jute/records.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/query.h"
#include "model/reply.h"

namespace pando::zookeeper {

struct Question {
  std::variant<model::CommandBody, model::QueryBody> body;
  bool linearizable = false;  // of a query
};

// What is left of a request while it waits for its answers: enough to make its reply.
struct Expected {
  int32_t xid = 0;
  jute::Opcode type = jute::Opcode::kPing;
  jute::ErrorCode refused = jute::ErrorCode::kOk;  // decided at this edge: there are no questions
  bool watch = false;                              // a read that leaves a watch
  bool ends_connection = false;                    // once it is answered
  int32_t number = 0;                   // AddWatch's mode; the type of Check/RemoveWatches
  uint32_t answers = 0;                 // that are still to come
  std::string path;                     // that it watches or gives back
  std::optional<std::string> own_node;  // what is in it: it is this server's, not the tree's

  // Of the requests that have several parts.
  struct Parts {
    std::vector<jute::Opcode> types;
    std::vector<std::string> paths;     // MultiRead's
    std::vector<model::Reply> replies;  // MultiRead's, as they come
    // A Multi's part that this edge refuses: it stands in for the operation that fails for certain.
    jute::ErrorCode refused = jute::ErrorCode::kOk;
    uint32_t refused_at = 0;
    jute::SetWatches watches;
  };
  std::unique_ptr<Parts> parts;
};

// Splits `request` into what is kept of it and what is asked. `session` is the connection's.
Expected Translate(jute::Request request, model::SessionId session,
                   std::vector<Question>* questions);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_TRANSLATE_H_
