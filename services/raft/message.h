// Placeholder until the Raft core lands beside it.
#ifndef PANDO_RAFT_MESSAGE_H_
#define PANDO_RAFT_MESSAGE_H_
#include <variant>
namespace pando::raft {
using Message = std::variant<std::monostate>;
}  // namespace pando::raft
#endif  // PANDO_RAFT_MESSAGE_H_
