#include "api/cluster_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <utility>
#include <variant>

#include "api/testing/loopback.h"
#include "api/testing/proto_text.h"

namespace pando::api {
namespace {

using model::Reason;
using model::ServerId;
using testing::ElementsAre;

class Cluster : public Loopback {
 protected:
  Cluster() : cluster_(v1::ClusterService::NewStub(channel_)) {}

  // Each of the orders, with a response of its own.
  std::future<grpc::Status> Add(const v1::AddMemberRequest& request) {
    return Async([this, request] { return cluster_->AddMember(&context_, request, &added_); });
  }
  std::future<grpc::Status> Remove(int64_t id) {
    v1::RemoveMemberRequest request;
    request.set_id(id);
    return Async([this, request] { return cluster_->RemoveMember(&context_, request, &removed_); });
  }
  template <class Order>
  static const Order& OrderOf(const io::RequestBatch& batch) {
    return std::get<Order>(std::get<io::Administer>(batch.requests.at(0).body).order);
  }
  static model::Membership TwoMembers() {
    return {.members = {{.id = ServerId(1)}, {.id = ServerId(4)}}};
  }

  std::unique_ptr<v1::ClusterService::Stub> cluster_;
  grpc::ClientContext context_;
  v1::AddMemberResponse added_;
  v1::RemoveMemberResponse removed_;
};

TEST_F(Cluster, StatusIsOfNowWhateverTheHeaderWants) {
  v1::StatusRequest request;
  request.mutable_header()->set_min_revision(9);
  request.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  v1::StatusResponse response;
  auto status = Async([&] { return cluster_->Status(&context_, request, &response); });
  const io::RequestBatch batch = NextRequests();
  EXPECT_TRUE(std::holds_alternative<io::GetStatus>(batch.requests[0].body));
  EXPECT_FALSE(batch.requests[0].min_revision);
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLocal);
  model::EnsembleStatus ensemble;
  ensemble.leader = ServerId(2);
  Answer(batch, {ReplyOf(ensemble)});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(response.leader_id(), 2);
}

TEST_F(Cluster, MembersAreReadAsTheHeaderWants) {
  v1::ListMembersRequest request;
  request.mutable_header()->set_min_revision(9);
  request.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  v1::ListMembersResponse response;
  auto status = Async([&] { return cluster_->ListMembers(&context_, request, &response); });
  const io::RequestBatch batch = NextRequests();
  EXPECT_TRUE(std::holds_alternative<io::GetMembers>(batch.requests[0].body));
  EXPECT_EQ(batch.requests[0].min_revision, model::Revision(9));
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLinearizable);
  Answer(batch, {ReplyOf(TwoMembers())});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(response.header().revision(), 42);
  ASSERT_EQ(response.members_size(), 2);
  EXPECT_EQ(response.members(1).id(), 4);
}

TEST_F(Cluster, DigestIsReadAsTheHeaderWants) {
  v1::DigestRequest request;
  request.mutable_header()->set_min_revision(9);
  v1::DigestResponse response;
  auto status = Async([&] { return cluster_->Digest(&context_, request, &response); });
  const io::RequestBatch batch = NextRequests();
  EXPECT_TRUE(std::holds_alternative<io::GetDigest>(batch.requests[0].body));
  EXPECT_EQ(batch.requests[0].min_revision, model::Revision(9));
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLocal);
  Answer(batch, {ReplyOf(model::DigestResult{.revision = model::Revision(10), .digest = 11})});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(response.revision(), 10);
  EXPECT_EQ(response.digest(), 11u);
}

TEST_F(Cluster, ChangeOfTheMembershipIsAnOrder) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
  auto status = Add(Proto<v1::AddMemberRequest>("id: 4 addresses { peer: 'host:1' }"));
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(OrderOf<io::AddMember>(batch).member.id, ServerId(4));
  EXPECT_NE(batch.requests[0].deadline, base::kNever);
  Answer(batch, {ReplyOf(TwoMembers())});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(added_.header().revision(), 42);
  EXPECT_EQ(added_.members_size(), 2);
  EXPECT_THAT(counted(), ElementsAre("ClusterService/AddMember OK"));

  grpc::ClientContext promoting;
  v1::PromoteMemberResponse promoted;
  auto promote = Async([&] {
    return cluster_->PromoteMember(&promoting, Proto<v1::PromoteMemberRequest>("id: 4"), &promoted);
  });
  const io::RequestBatch second = NextRequests();
  EXPECT_EQ(OrderOf<io::PromoteMember>(second).id, ServerId(4));
  Answer(second, {ReplyOf(TwoMembers())});
  EXPECT_TRUE(promote.get().ok());
  EXPECT_EQ(promoted.members_size(), 2);
}

TEST_F(Cluster, RemovedMemberIsNamed) {
  auto status = Remove(4);
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(OrderOf<io::RemoveMember>(batch).id, ServerId(4));
  Answer(batch, {ReplyOf(TwoMembers())});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(removed_.members_size(), 2);
}

TEST_F(Cluster, TransferAnswersWhoLeads) {
  v1::TransferLeadershipResponse response;
  auto status = Async([&] {
    return cluster_->TransferLeadership(&context_, Proto<v1::TransferLeadershipRequest>("id: 4"),
                                        &response);
  });
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(OrderOf<io::TransferLeadership>(batch).to, ServerId(4));
  model::EnsembleStatus ensemble;
  ensemble.leader = ServerId(4);
  Answer(batch, {ReplyOf(ensemble)});
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(response.leader_id(), 4);
}

TEST_F(Cluster, RefusalIsAStatusWithItsReason) {
  for (const auto& [reason, code] :
       {std::pair(Reason::kConfigInProgress, grpc::FAILED_PRECONDITION),
        std::pair(Reason::kNoNode, grpc::NOT_FOUND),
        std::pair(Reason::kNoLeader, grpc::UNAVAILABLE),
        std::pair(Reason::kTimeout, grpc::DEADLINE_EXCEEDED)}) {
    grpc::ClientContext context;
    v1::PromoteMemberResponse response;
    auto status = Async([&] {
      return cluster_->PromoteMember(&context, Proto<v1::PromoteMemberRequest>("id: 4"), &response);
    });
    Answer(NextRequests(), {Refusal(reason)});
    const grpc::Status got = status.get();
    EXPECT_EQ(got.error_code(), code);
    EXPECT_EQ(ReasonIn(got), model::ReasonName(reason));
  }
}

TEST_F(Cluster, BadRequestDoesNotReachTheCore) {
  EXPECT_EQ(ReasonIn(Remove(0).get()), "INVALID_ARGUMENT");
  grpc::ClientContext other;
  EXPECT_EQ(ReasonIn(cluster_->AddMember(&other, Proto<v1::AddMemberRequest>("id: 4"), &added_)),
            "INVALID_ARGUMENT");
  grpc::ClientContext third;
  v1::ListMembersResponse members;
  EXPECT_EQ(ReasonIn(cluster_->ListMembers(
                &third, Proto<v1::ListMembersRequest>("header { cluster_id: 1 }"), &members)),
            "WRONG_CLUSTER");
  grpc::ClientContext fourth;
  EXPECT_EQ(
      ReasonIn(cluster_->RemoveMember(
          &fourth, Proto<v1::RemoveMemberRequest>("header { cluster_id: 1 } id: 4"), &removed_)),
      "WRONG_CLUSTER");
  EXPECT_TRUE(NothingCame());
}

}  // namespace
}  // namespace pando::api
