#include "raft/log.h"

#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace pando::raft {
namespace {

using model::EntryKind;
using model::Revision;
using model::Term;

TEST(RaftLog, KeepsTheNewestWithinItsBudget) {
  Log log(Revision(5), Term(1));
  for (uint64_t i = 6; i <= 15; ++i) {
    log.Push(std::make_shared<const model::Entry>(
        model::Entry{Revision(i), Term(2), EntryKind::kCommand, std::string(100, 'x')}));
  }
  const size_t each = log.At(Revision(6))->bytes();
  EXPECT_EQ(log.bytes(), 10 * each);
  log.Compact(Revision(12), 3 * each);  // 10, 11 and 12 stay, and what is above
  EXPECT_EQ(log.first(), Revision(10));
  EXPECT_EQ(log.TermAt(Revision(9)), Term(2));
  EXPECT_EQ(log.TermAt(Revision(8)), std::nullopt);
  log.Compact(Revision(15), 0);
  EXPECT_EQ(log.first(), Revision(16));
  EXPECT_EQ(log.last(), Revision(15));
  EXPECT_EQ(log.last_term(), Term(2));
}

TEST(RaftLog, FindsWhereAnotherMayAgree) {
  Log log(Revision(5), Term(1));
  const uint64_t terms[] = {1, 2, 2, 4, 4};  // 6 to 10
  for (uint64_t i = 0; i < 5; ++i) {
    log.Push(std::make_shared<const model::Entry>(
        model::Entry{Revision(6 + i), Term(terms[i]), EntryKind::kCommand, ""}));
  }
  const struct {
    uint64_t index, term, found;
  } cases[] = {{10, 4, 10},
               {99, 9, 10},
               {10, 3, 8},
               {8, 2, 8},
               {8, 1, 6},
               {9, 0, 5},
               // What it does not hold is not judged: entry by entry would take for ever.
               {3, 1, 3},
               {5, 1, 5}};
  for (const auto& c : cases) {
    EXPECT_EQ(log.FindAgreeing(Revision(c.index), Term(c.term)), Revision(c.found))
        << c.index << " of term " << c.term;
  }
}

}  // namespace
}  // namespace pando::raft
