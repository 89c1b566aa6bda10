#include "api/translate_cluster.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "api/testing/proto_text.h"
#include "model/limits.h"

namespace pando::api {
namespace {

using model::Reason;
using model::ServerId;

template <class Message>
Reason ReasonOf(const std::string& text) {
  io::AdminOrder order;
  return FromProto(Proto<Message>(text), &order).reason;
}

template <class Order, class Message>
Order Parsed(const std::string& text) {
  io::AdminOrder order;
  EXPECT_TRUE(FromProto(Proto<Message>(text), &order).ok()) << text;
  return std::get<Order>(order);
}

TEST(TranslateCluster, AddMemberKeepsEveryField) {
  const auto add = Parsed<io::AddMember, v1::AddMemberRequest>(
      "id: 4 storage_id: 5 "
      "addresses { client: 'c:1' peer: '[::1]:2' http: 'h:3' zookeeper: 'z:65535' }");
  EXPECT_EQ(add.member, (model::Member{.id = ServerId(4),
                                       .storage = model::StorageId(5),
                                       .role = model::Member::Role::kLearner,
                                       .peer_address = "[::1]:2",
                                       .client_address = "c:1",
                                       .http_address = "h:3",
                                       .zookeeper_address = "z:65535"}));
}

TEST(TranslateCluster, OnlyThePeerAddressIsNeeded) {
  const auto add =
      Parsed<io::AddMember, v1::AddMemberRequest>("id: 4 addresses { peer: 'host:1' }");
  EXPECT_EQ(add.member.peer_address, "host:1");
  EXPECT_EQ(add.member.client_address, "");
  EXPECT_FALSE(add.member.storage);
  EXPECT_EQ(ReasonOf<v1::AddMemberRequest>("id: 4 addresses { client: 'host:1' }"),
            Reason::kInvalidArgument);
}

TEST(TranslateCluster, AddressIsAHostAndAPort) {
  for (const char* wrong : {"", "host", "host:", ":1", "host:0", "host:65536", "host:-1", "host:1 ",
                            "host:x", "host:+1"}) {
    for (const std::string field : {"peer", "client", "http", "zookeeper"}) {
      if (field != "peer" && *wrong == '\0') continue;
      const std::string good = field == "peer" ? "" : "peer: 'host:1' ";
      EXPECT_EQ(ReasonOf<v1::AddMemberRequest>("id: 4 addresses { " + good + field + ": '" + wrong +
                                               "' }"),
                Reason::kInvalidArgument)
          << field << " " << wrong;
    }
  }
}

TEST(TranslateCluster, AddressHasALimit) {
  const auto add = [](size_t bytes) {
    return "id: 4 addresses { peer: '" + std::string(bytes - 2, 'h') + ":1' }";
  };
  EXPECT_EQ(ReasonOf<v1::AddMemberRequest>(add(model::kAddressBytesMax)), Reason::kOk);
  EXPECT_EQ(ReasonOf<v1::AddMemberRequest>(add(model::kAddressBytesMax + 1)),
            Reason::kInvalidArgument);
}

TEST(TranslateCluster, IdIsThatOfAServer) {
  EXPECT_EQ((Parsed<io::PromoteMember, v1::PromoteMemberRequest>("id: 4").id), ServerId(4));
  EXPECT_EQ((Parsed<io::RemoveMember, v1::RemoveMemberRequest>("id: 4").id), ServerId(4));
  EXPECT_EQ((Parsed<io::TransferLeadership, v1::TransferLeadershipRequest>("id: 4").to),
            ServerId(4));
  // To whoever is the furthest.
  EXPECT_FALSE((Parsed<io::TransferLeadership, v1::TransferLeadershipRequest>("").to));
  for (const std::string wrong : {"id: 0", "id: -1"}) {
    EXPECT_EQ(ReasonOf<v1::AddMemberRequest>(wrong + " addresses { peer: 'host:1' }"),
              Reason::kInvalidArgument);
    EXPECT_EQ(ReasonOf<v1::PromoteMemberRequest>(wrong), Reason::kInvalidArgument);
    EXPECT_EQ(ReasonOf<v1::RemoveMemberRequest>(wrong), Reason::kInvalidArgument);
  }
  EXPECT_EQ(ReasonOf<v1::TransferLeadershipRequest>("id: -1"), Reason::kInvalidArgument);
}

TEST(TranslateCluster, StatusKeepsEveryField) {
  model::EnsembleStatus status;
  status.leader = ServerId(2);
  status.members.push_back({.id = ServerId(2),
                            .role = model::EnsembleStatus::Role::kLeader,
                            .term = model::Term(3),
                            .applied = model::Revision(4),
                            .lag = 5,
                            .disk_bytes = 6,
                            .version = "v",
                            .reachable = true,
                            .client_address = "c",
                            .peer_address = "p",
                            .http_address = "h",
                            .zookeeper_address = "z"});
  EXPECT_EQ(Shown<v1::StatusResponse>(ReplyOf(status)),
            Expected<v1::StatusResponse>(
                "leader_id: 2 members { id: 2 role: SERVER_ROLE_LEADER term: 3 "
                "applied_revision: 4 lag: 5 disk_bytes: 6 version: 'v' reachable: true "
                "addresses { client: 'c' peer: 'p' http: 'h' zookeeper: 'z' } }"));
  EXPECT_EQ(Shown<v1::TransferLeadershipResponse>(ReplyOf(status)),
            Expected<v1::TransferLeadershipResponse>("leader_id: 2"));
}

TEST(TranslateCluster, MembersKeepEveryField) {
  model::Membership membership;
  membership.members.push_back({.id = ServerId(2),
                                .storage = model::StorageId(3),
                                .role = model::Member::Role::kVoter,
                                .peer_address = "p",
                                .client_address = "c",
                                .http_address = "h",
                                .zookeeper_address = "z",
                                .version_min = 4,
                                .version_max = 5});
  membership.members.push_back({.id = ServerId(6), .role = model::Member::Role::kLearner});
  const std::string members =
      "members { id: 2 storage_id: 3 role: MEMBER_ROLE_VOTER "
      "addresses { client: 'c' peer: 'p' http: 'h' zookeeper: 'z' } "
      "machine_version_min: 4 machine_version_max: 5 } "
      "members { id: 6 role: MEMBER_ROLE_LEARNER addresses { } }";
  const model::Reply reply = ReplyOf(membership);
  EXPECT_EQ(Shown<v1::ListMembersResponse>(reply), Expected<v1::ListMembersResponse>(members));
  EXPECT_EQ(Shown<v1::AddMemberResponse>(reply), Expected<v1::AddMemberResponse>(members));
  EXPECT_EQ(Shown<v1::PromoteMemberResponse>(reply), Expected<v1::PromoteMemberResponse>(members));
  EXPECT_EQ(Shown<v1::RemoveMemberResponse>(reply), Expected<v1::RemoveMemberResponse>(members));
}

TEST(TranslateCluster, DigestIsOfItsRevision) {
  EXPECT_EQ(Shown<v1::DigestResponse>(
                ReplyOf(model::DigestResult{.revision = model::Revision(7), .digest = ~0ull})),
            Expected<v1::DigestResponse>("revision: 7 digest: 18446744073709551615"));
}

}  // namespace
}  // namespace pando::api
