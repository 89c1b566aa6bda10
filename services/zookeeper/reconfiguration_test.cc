#include "zookeeper/reconfiguration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "model/zookeeper.h"

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;
using model::Member;
using model::Revision;
using model::ServerId;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kAnyConfig = -1;

std::string Name(const io::AdminOrder& order) {
  if (const auto* add = std::get_if<io::AddMember>(&order)) {
    return absl::StrCat("add ", add->member.id.value(), " ", add->member.peer_address, " ",
                        add->member.zookeeper_address);
  }
  if (const auto* promote = std::get_if<io::PromoteMember>(&order)) {
    return absl::StrCat("promote ", promote->id.value());
  }
  return absl::StrCat("remove ", std::get<io::RemoveMember>(order).id.value());
}

std::string Text(uint64_t id, const char* role) {
  return absl::StrCat("server.", id, "=host", id, ":1:2:", role, ";host", id, ":3");
}

// Voters 1, 2 and 3, of which 2 leads, and learner 4; all are there.
class ReconfigurationTest : public testing::Test {
 protected:
  ReconfigurationTest() {
    for (uint64_t id = 1; id <= 4; ++id) {
      const auto role = id == 4 ? Member::Role::kLearner : Member::Role::kVoter;
      now_.members.push_back({.id = ServerId(id),
                              .role = role,
                              .peer_address = absl::StrCat("host", id, ":1"),
                              .zookeeper_address = absl::StrCat("host", id, ":3")});
      status_.members.push_back({.id = ServerId(id), .reachable = true});
    }
    status_.leader = ServerId(2);
  }

  // The orders by name, or the error.
  std::vector<std::string> Plan(const jute::Reconfig& request, uint64_t self = 1) {
    WantedServers wanted;
    std::vector<io::AdminOrder> orders;
    ErrorCode error = ParseWanted(request, &wanted);
    EXPECT_EQ(error, ErrorCode::kOk);
    error = PlanChanges(wanted, now_, status_, ServerId(self), &orders);
    if (error != ErrorCode::kOk) return {absl::StrCat(static_cast<int>(error))};
    std::vector<std::string> names;
    for (const io::AdminOrder& order : orders) names.push_back(Name(order));
    return names;
  }
  std::vector<std::string> Join(const std::string& joining) { return Plan({.joining = joining}); }
  std::vector<std::string> Leave(const std::string& leaving, uint64_t self = 1) {
    return Plan({.leaving = leaving}, self);
  }
  void Lose(uint64_t id) { status_.members[id - 1].reachable = false; }

  model::Membership now_;
  model::EnsembleStatus status_;
};

// --- What leads to it -------------------------------------------------------------------------

TEST_F(ReconfigurationTest, JoinsComeBeforeLeaves) {
  EXPECT_THAT(Plan({.joining = Text(4, "participant") + "," + Text(5, "observer"), .leaving = "3"}),
              ElementsAre("add 5 host5:1 host5:3", "promote 4", "remove 3"));
}

TEST_F(ReconfigurationTest, WhatIsSoAlreadyNeedsNoChange) {
  EXPECT_THAT(Join(Text(4, "observer") + "," + Text(1, "participant")), IsEmpty());
  EXPECT_THAT(Leave("7"), IsEmpty());
  EXPECT_THAT(Plan({.joining = Text(3, "participant"), .leaving = "3"}), IsEmpty());
  EXPECT_THAT(Join("server.4=host4:1:2:observer;3"), IsEmpty()) << "any address of that port";
}

TEST_F(ReconfigurationTest, TheLeaderLeavesLateAndWhoIsAskedLast) {
  EXPECT_THAT(Leave("1,2,4"), ElementsAre("remove 4", "remove 2", "remove 1"));
  EXPECT_THAT(Leave("1,2,4", /*self=*/4), ElementsAre("remove 1", "remove 2", "remove 4"));
}

TEST_F(ReconfigurationTest, AWholeConfigurationLeavesOutWhoItDoesNotName) {
  EXPECT_THAT(Plan({.new_members = Text(1, "participant") + "\n" + Text(4, "participant")}),
              ElementsAre("promote 4", "remove 3", "remove 2"));
}

TEST_F(ReconfigurationTest, ThereIsAlwaysAQuorumOfWhoIsThere) {
  Lose(4);
  EXPECT_THAT(Join(Text(4, "participant")), ElementsAre("-13"));
  EXPECT_THAT(Join(Text(9, "participant")), ElementsAre("-13")) << "nobody has seen it";
  Lose(3);
  EXPECT_THAT(Leave("1"), ElementsAre("-13")) << "2 would be there, and 3 not";
  EXPECT_THAT(Leave("3"), ElementsAre("remove 3"));
  EXPECT_THAT(Leave("1,2,3"), ElementsAre("-8")) << "nobody would vote";
}

TEST_F(ReconfigurationTest, WhatZooKeeperCouldDoAndPandoCannot) {
  EXPECT_THAT(Join(Text(3, "observer")), ElementsAre("-6")) << "nobody stops voting and stays";
  EXPECT_THAT(Join("server.3=elsewhere:1:2;host3:3"), ElementsAre("-6"));
  EXPECT_THAT(Join("server.3=host3:1:2;host3:4"), ElementsAre("-6"));
  EXPECT_THAT(Join("server.3=host3:1:2;elsewhere:3"), ElementsAre("-6"));
}

TEST_F(ReconfigurationTest, TwoServersHaveTwoAddresses) {
  EXPECT_THAT(Join("server.5=host1:1:2:observer;3"), ElementsAre("-8"));
  EXPECT_THAT(Plan({.joining = "server.5=host3:1:2:observer;3", .leaving = "3"}),
              ElementsAre("add 5 host3:1 0.0.0.0:3", "remove 3"));
}

// --- The dialogue -----------------------------------------------------------------------------

class Dialogue : public ReconfigurationTest {
 protected:
  static constexpr uint64_t kConfig = 70;

  void Begin(jute::Reconfig request, std::vector<model::Identity> identities = {acl::kSuper}) {
    reconfiguration_ =
        std::make_unique<Reconfiguration>(std::move(request), std::move(identities), ServerId(1));
  }
  void Take(decltype(model::Reply::result) result) {
    model::Reply reply;
    reply.result = std::move(result);
    reconfiguration_->Take(reply);
  }
  void Refuse(model::Reason reason) {
    reconfiguration_->Take(model::Reply::Failure({.reason = reason}));
  }
  void TakeConfig() {
    model::OperationResult config;
    config.stat.modify_revision = Revision(kConfig);
    Take(std::move(config));
  }
  // Everything that is looked at before anything is done.
  void TakeAll() {
    TakeConfig();
    if (reconfiguration_->Next()) Take(model::AclResult{.acl = acl_});
    if (reconfiguration_->Next()) Take(now_);
    if (reconfiguration_->Next()) Take(status_);
  }
  io::Administer NextOrder() {
    auto next = reconfiguration_->Next();
    return next && std::holds_alternative<io::Administer>(*next) ? std::get<io::Administer>(*next)
                                                                 : io::Administer{};
  }
  ErrorCode Error() {
    EXPECT_FALSE(reconfiguration_->Next()) << "it has not ended";
    return reconfiguration_->error();
  }

  model::Acl acl_ = {{model::kRead, acl::kAnyone}};
  std::unique_ptr<Reconfiguration> reconfiguration_;
};

TEST_F(Dialogue, OneOrderAfterTheOtherAndThenTheConfiguration) {
  Begin({.leaving = "3,4", .config_id = kConfig});
  TakeAll();
  io::Administer order = NextOrder();
  EXPECT_EQ(Name(order.order), "remove 3");
  EXPECT_EQ(order.config, Revision(kConfig)) << "nothing may have changed meanwhile";
  Take(now_);
  order = NextOrder();
  EXPECT_EQ(Name(order.order), "remove 4");
  EXPECT_FALSE(order.config) << "it has changed itself what that was";
  Take(now_);
  const auto last = reconfiguration_->Next();
  ASSERT_TRUE(last);
  EXPECT_EQ(std::get<model::Get>(std::get<model::Query>(*last).body).path, model::kConfigPath);
  TakeConfig();
  EXPECT_EQ(Error(), ErrorCode::kOk);
}

TEST_F(Dialogue, WhoeverWantsAnyConfigurationTakesWhatThereIs) {
  Begin({.leaving = "3", .config_id = kAnyConfig});
  TakeAll();
  EXPECT_FALSE(NextOrder().config);
}

TEST_F(Dialogue, ChecksComeInZooKeepersOrder) {
  const std::vector<model::Identity> nobody = {acl::kAnyone};
  Begin({.joining = "some thing", .config_id = kConfig + 1}, nobody);
  TakeConfig();
  EXPECT_EQ(Error(), ErrorCode::kBadVersion);
  Begin({.joining = "some thing", .config_id = kAnyConfig}, nobody);
  TakeAll();
  EXPECT_EQ(Error(), ErrorCode::kBadArguments);
  Begin({.joining = Text(9, "participant"), .config_id = kAnyConfig}, nobody);
  TakeAll();
  EXPECT_EQ(Error(), ErrorCode::kNewConfigNoQuorum);
  Begin({.leaving = "3", .config_id = kAnyConfig}, nobody);
  TakeAll();
  EXPECT_EQ(Error(), ErrorCode::kNoAuth);
  acl_ = {{model::kWrite, acl::kAnyone}};
  Begin({.leaving = "3", .config_id = kAnyConfig}, nobody);
  TakeAll();
  EXPECT_EQ(Name(NextOrder().order), "remove 3");
}

TEST_F(Dialogue, NothingToDoIsToldAsDone) {
  Begin({.leaving = "9", .config_id = kAnyConfig});
  TakeAll();
  TakeConfig();
  EXPECT_EQ(Error(), ErrorCode::kOk);
}

TEST_F(Dialogue, WhatTheLeaderRefuses) {
  const std::pair<model::Reason, ErrorCode> cases[] = {
      {model::Reason::kConfigInProgress, ErrorCode::kReconfigInProgress},
      {model::Reason::kBehind, ErrorCode::kNewConfigNoQuorum},
      {model::Reason::kBadVersion, ErrorCode::kBadVersion},
      {model::Reason::kTimeout, ErrorCode::kOperationTimeout}};
  for (const auto& [reason, error] : cases) {
    Begin({.joining = Text(4, "participant"), .config_id = kConfig});
    TakeAll();
    EXPECT_EQ(Name(NextOrder().order), "promote 4");
    Refuse(reason);
    EXPECT_EQ(Error(), error) << model::ReasonName(reason);
  }
}

}  // namespace
}  // namespace pando::zookeeper
