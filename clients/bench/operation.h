// Operation: what a load asks of a server, in no protocol's terms.
#ifndef PANDO_CLIENTS_BENCH_OPERATION_H_
#define PANDO_CLIENTS_BENCH_OPERATION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pando::load {

struct Operation {
  enum class Kind : uint8_t {
    kCreate,   // a node with data; it must not exist
    kSet,      // a node's data
    kGet,      // a node's data; it must exist
    kList,     // the names of a node's children
    kMulti,    // sets the data of all `paths`, or of none
    kSession,  // opens a session, makes the node as its ephemeral one, closes the session
    kLock,     // waits for the lock of that name, for the session of the connection
    kUnlock,   // gives it back
    kSync,     // answered when this server has all that any had when it was asked
    kWatch,    // watches a node for good; answered when the watch is in place
    kLeave,    // ends the session of the connection, if it has one; needs no path
  };

  Kind kind = Kind::kGet;
  std::vector<std::string> paths;  // more than one of kMulti only
  std::string_view data;           // of what outlives the operation

  const std::string& path() const { return paths.front(); }
};

// An operation that is under way on a connection: chosen by whoever asks, from 0 on, and free again
// with the answer.
enum class Tag : uint32_t {};

enum class Outcome : uint8_t {
  kDone,
  kExists,  // of kCreate: the node was there
  kFailed,
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_OPERATION_H_
