// What the WAL's tests write: entries and appends, in few words.
#ifndef PANDO_WAL_TESTING_ENTRIES_H_
#define PANDO_WAL_TESTING_ENTRIES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/log.h"
#include "model/entry.h"

namespace pando::wal {

inline model::Entry MakeEntry(uint64_t index, uint64_t term, std::string payload) {
  return {
      .index = model::Revision(index), .term = model::Term(term), .payload = std::move(payload)};
}

inline raft::EntryRef MakeRef(uint64_t index, uint64_t term, std::string payload) {
  return std::make_shared<const model::Entry>(MakeEntry(index, term, std::move(payload)));
}

// Entries from `first` on.
inline io::Append MakeAppend(uint64_t first, uint64_t term, std::vector<std::string> payloads) {
  io::Append append;
  for (std::string& payload : payloads) {
    append.entries.push_back(MakeRef(first++, term, std::move(payload)));
  }
  return append;
}

// Of two members, the second of which has announced itself if `storage` is not zero.
inline io::Append MakeFormation(uint64_t storage, bool complete) {
  model::Membership members;
  members.members = {
      {.id = model::ServerId(1), .peer_address = "a:1"},
      {.id = model::ServerId(2), .storage = model::StorageId(storage), .peer_address = "b:1"}};
  return {.id = {}, .vote = {}, .formation = model::Formation{members, complete}, .entries = {}};
}

inline io::Append MakeVote(uint64_t term, uint64_t vote) {
  return {.id = {},
          .vote = io::Append::Vote{.term = model::Term(term), .vote = model::ServerId(vote)},
          .formation = {},
          .entries = {}};
}

}  // namespace pando::wal

#endif  // PANDO_WAL_TESTING_ENTRIES_H_
