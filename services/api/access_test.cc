// Who may call what: the table of rpcs, and that each rpc keeps to it.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "api/method.h"
#include "api/testing/loopback.h"

namespace pando::api {
namespace {

using testing::ElementsAre;

TEST(Method, EveryRpcHasALineAndEveryLineAnRpc) {
  std::set<std::string> lines;
  for (const Method& method : kMethods) {
    EXPECT_TRUE(lines.emplace(method.name).second) << method.name << " has two";
  }
  const std::vector<std::string> rpcs = MethodNames();
  EXPECT_EQ(lines, std::set<std::string>(rpcs.begin(), rpcs.end()));
}

class AccessTest : public Loopback {
 protected:
  AccessTest() {
    super_digest_ = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";  // of the password "test"
    administrators_ = {{model::kAdmin, {"digest", "ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM="}}};
    server_->Shutdown(std::chrono::seconds(0));
    Restart("127.0.0.1:0");
  }

  // An empty request of any method, whatever comes back.
  grpc::Status CallEmpty(std::string_view method, const std::string& credential) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    if (!credential.empty()) context.AddMetadata("pando-auth", credential);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareCall(&context, "/pando.v1." + std::string(method), &queue);
    const auto wait = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      CHECK(queue.Next(&tag, &ok));
    };
    call->StartCall(this);
    wait();
    const grpc::Slice none("", 0);
    call->Write(grpc::ByteBuffer(&none, 1), grpc::WriteOptions().set_last_message(), this);
    wait();
    grpc::Status status;
    call->Finish(&status, this);
    wait();
    return status;
  }
};

TEST_F(AccessTest, WhatIsForAdministratorsIsForNobodyElse) {
  for (const Method& method : kMethods) {
    if (method.access != Access::kAdmin) continue;
    for (const char* credential : {"", "digest:ann:wrong", "digest:super:wrong"}) {
      const grpc::Status status = CallEmpty(method.name, credential);
      EXPECT_EQ(status.error_code(), grpc::PERMISSION_DENIED) << method.name;
      EXPECT_EQ(ReasonIn(status), "PERMISSION_DENIED") << method.name;
    }
    EXPECT_TRUE(NothingCame()) << method.name;
  }
}

TEST_F(AccessTest, SuperAndTheNamedOnesAreAdministrators) {
  for (const char* credential : {"digest:super:test", "digest:ann:secret"}) {
    auto status = Async([&] { return CallEmpty("ClusterService/Digest", credential); });
    Answer(NextRequests(), {Refusal(model::Reason::kNoLeader)});
    EXPECT_EQ(ReasonIn(status.get()), "NO_LEADER") << credential;
  }
}

TEST_F(AccessTest, SuperGoesWithItsCommands) {
  grpc::ClientContext context;
  context.AddMetadata("pando-auth", "digest:super:test");
  v1::SetRequest request;
  request.set_path("/a");
  v1::SetResponse response;
  auto status = Async([&] { return tree_->Set(&context, request, &response); });
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(CommandOf(batch.requests[0]).identities.back(), (model::Identity{"super", ""}));
  Answer(batch, {Ok(2)});
  EXPECT_TRUE(status.get().ok());
}

TEST_F(AccessTest, WhoAmISaysWhomTheServerTakesTheCallerFor) {
  const auto ask = [this](const char* credential) {
    grpc::ClientContext context;
    context.AddMetadata("pando-auth", credential);
    v1::WhoAmIResponse response;
    auto status = Async([&] { return tree_->WhoAmI(&context, {}, &response); });
    Answer(NextRequests(), {Ok(1)});
    EXPECT_TRUE(status.get().ok());
    return response;
  };
  const v1::WhoAmIResponse bob = ask("digest:bob:x");
  EXPECT_EQ(bob.identities_size(), 3);
  EXPECT_EQ(bob.identities(2).id().substr(0, 4), "bob:");
  EXPECT_FALSE(bob.administrator());
  EXPECT_TRUE(ask("digest:ann:secret").administrator());
  EXPECT_EQ(ask("digest:super:test").identities(3).scheme(), "super");
}

TEST_F(AccessTest, DenialsAndAdministrationGoOnRecordWithoutSecrets) {
  CallEmpty("ClusterService/AddMember", "digest:bob:secret");
  auto status = Async([&] { return CallEmpty("ClusterService/Digest", "digest:ann:secret"); });
  Answer(NextRequests(), {Refusal(model::Reason::kNoLeader)});
  status.get();

  v1::SetRequest request;
  request.set_path("/a");
  for (const model::Reason reason : {model::Reason::kPermissionDenied, model::Reason::kNoNode}) {
    grpc::ClientContext context;
    v1::SetResponse response;
    auto set = Async([&] { return tree_->Set(&context, request, &response); });
    model::Reply denied = Refusal(reason);
    denied.error.path = "/a";
    Answer(NextRequests(), {denied});
    set.get();
  }
  EXPECT_THAT(
      audited(),
      ElementsAre("denied ClusterService/AddMember ip:127.0.0.1 digest:bob PERMISSION_DENIED ",
                  "done ClusterService/Digest ip:127.0.0.1 digest:ann NO_LEADER ",
                  "denied TreeService/Set ip:127.0.0.1 PERMISSION_DENIED /a"));
}

TEST_F(AccessTest, ACredentialThatIsNotUnderstoodIsADenial) {
  EXPECT_EQ(ReasonIn(CallEmpty("TreeService/Sync", "basic:bob:secret")), "UNAUTHENTICATED");
  EXPECT_THAT(audited(), ElementsAre("denied TreeService/Sync ip:127.0.0.1 UNAUTHENTICATED "));
}

}  // namespace
}  // namespace pando::api
