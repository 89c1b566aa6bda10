#include "cli/ensemble_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pando::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What server `id` says of three members when it hears `heard`.
v1::StatusResponse Answer(int64_t id, int64_t term, int64_t leader, std::set<int64_t> heard) {
  v1::StatusResponse response;
  response.mutable_header()->set_cluster_id(0xab);
  response.mutable_header()->set_server_id(id);
  response.mutable_header()->set_term(term);
  response.set_leader_id(leader);
  for (int64_t member = 1; member <= 3; ++member) {
    v1::MemberStatus& row = *response.add_members();
    row.set_id(member);
    row.set_role(member == leader ? v1::SERVER_ROLE_LEADER : v1::SERVER_ROLE_FOLLOWER);
    if (member == id && leader == 0) row.set_role(v1::SERVER_ROLE_CANDIDATE);
    row.set_term(term);
    row.set_reachable(heard.contains(member));
  }
  return response;
}

TEST(EnsembleStatus, WhoeverKnowsALeaderIsBelievedWhoeverWasAskedFirst) {
  const EnsembleStatus status =
      CombineStatus(Answer(3, 9, 0, {3}), {Answer(1, 2, 1, {1, 2}), Answer(2, 2, 1, {1, 2})});
  EXPECT_EQ(status.view.leader_id(), 1);
  EXPECT_THAT(status.answered, ElementsAre(1, 2, 3));
}

TEST(EnsembleStatus, ALeaderOfALaterTermHasReplacedOneOfAnEarlier) {
  const EnsembleStatus status =
      CombineStatus(Answer(1, 2, 1, {1, 2, 3}), {Answer(2, 3, 2, {2, 3}), Answer(3, 3, 2, {2, 3})});
  EXPECT_EQ(status.view.leader_id(), 2);
}

TEST(EnsembleStatus, AServerSpeaksForItselfAndTheOthersSayWhetherTheyHearIt) {
  const EnsembleStatus status = CombineStatus(Answer(1, 2, 1, {1, 2}), {Answer(3, 2, 0, {3})});
  const v1::MemberStatus& cut_off = status.view.members(2);
  EXPECT_EQ(cut_off.role(), v1::SERVER_ROLE_CANDIDATE);
  EXPECT_FALSE(cut_off.reachable());
  EXPECT_TRUE(status.view.members(1).reachable());
  EXPECT_FALSE(status.answered.contains(2));
}

TEST(EnsembleStatus, TheTextNamesTheLeaderOrSaysThatThereIsNone) {
  const auto text = [](const v1::StatusResponse& answer) {
    return EnsembleStatusText(CombineStatus(answer, {}), Format::kTable);
  };
  EXPECT_THAT(text(Answer(1, 2, 2, {1, 2})), HasSubstr("cluster 00000000000000ab, server 2 leads"));
  EXPECT_THAT(text(Answer(1, 2, 0, {1})), HasSubstr("no leader"));
}

}  // namespace
}  // namespace pando::cli
