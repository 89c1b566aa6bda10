// What servers say to one another. One voter says nothing: the alternatives come with the ensemble.
#ifndef PANDO_RAFT_MESSAGE_H_
#define PANDO_RAFT_MESSAGE_H_

#include <variant>

namespace pando::raft {

using Message = std::variant<std::monostate>;

}  // namespace pando::raft

#endif  // PANDO_RAFT_MESSAGE_H_
