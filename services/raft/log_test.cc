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

}  // namespace
}  // namespace pando::raft
