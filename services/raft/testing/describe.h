// What an ensemble's servers say and do, in words that a transcript can be read in.
#ifndef PANDO_RAFT_TESTING_DESCRIBE_H_
#define PANDO_RAFT_TESTING_DESCRIBE_H_

#include <string>
#include <vector>

#include "model/entry.h"
#include "model/membership.h"
#include "raft/message.h"
#include "raft/output.h"
#include "raft/progress.h"

namespace pando::raft {

// "3@2 a": index, term, and what is in it; "-" is a leader's first entry.
std::string Describe(const model::Entry& entry);
// "{1 2 3 +4}": the voters, and the learners with a plus.
std::string Describe(const model::Membership& membership);
std::string Describe(const Message& message);
std::string Describe(const Progress& progress);

// What a server has done, one line each. Without `all` only what its clients and its operator would
// see: roles, what is applied, reads that are granted, snapshots that are asked for.
std::vector<std::string> Describe(model::ServerId server, const Output& output, bool all);

}  // namespace pando::raft

#endif  // PANDO_RAFT_TESTING_DESCRIBE_H_
