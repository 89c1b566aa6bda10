#include "api/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "pando/internal/v1/error.pb.h"

namespace pando::api {
namespace {

using model::Error;
using model::Reason;
using testing::Pair;
using testing::UnorderedElementsAre;

internal::v1::ErrorInfo InfoOf(const grpc::Status& status) {
  internal::v1::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), status.error_code());
  EXPECT_EQ(details.message(), status.error_message());
  EXPECT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  internal::v1::ErrorInfo info;
  EXPECT_TRUE(info.ParseFromString(details.details(0).value()));
  EXPECT_EQ(info.domain(), "pando");
  return info;
}

std::map<std::string, std::string> MetadataOf(const model::Reply& reply) {
  const internal::v1::ErrorInfo info = InfoOf(ToStatus(reply));
  v1::OperationError operation;
  ToProto(reply, &operation);
  std::map<std::string, std::string> metadata(info.metadata().begin(), info.metadata().end());
  EXPECT_EQ(metadata, (std::map<std::string, std::string>(operation.metadata().begin(),
                                                          operation.metadata().end())));
  return metadata;
}

// The codes as protos/pando/v1/common.proto promises them, one for each value of its Reason.
TEST(Errors, EveryReasonHasItsCodeAndName) {
  const std::map<v1::Reason, grpc::StatusCode> kPromised = {
      {v1::REASON_NO_NODE, grpc::NOT_FOUND},
      {v1::REASON_NODE_EXISTS, grpc::ALREADY_EXISTS},
      {v1::REASON_NO_PARENT, grpc::FAILED_PRECONDITION},
      {v1::REASON_NOT_EMPTY, grpc::FAILED_PRECONDITION},
      {v1::REASON_BAD_VERSION, grpc::FAILED_PRECONDITION},
      {v1::REASON_NO_CHILDREN_FOR_EPHEMERALS, grpc::FAILED_PRECONDITION},
      {v1::REASON_INVALID_PATH, grpc::INVALID_ARGUMENT},
      {v1::REASON_INVALID_ARGUMENT, grpc::INVALID_ARGUMENT},
      {v1::REASON_INVALID_ACL, grpc::INVALID_ARGUMENT},
      {v1::REASON_TOO_LARGE, grpc::INVALID_ARGUMENT},
      {v1::REASON_SESSION_EXPIRED, grpc::FAILED_PRECONDITION},
      {v1::REASON_SESSION_MOVED, grpc::ABORTED},
      {v1::REASON_PERMISSION_DENIED, grpc::PERMISSION_DENIED},
      {v1::REASON_UNAUTHENTICATED, grpc::UNAUTHENTICATED},
      {v1::REASON_QUOTA_EXCEEDED, grpc::RESOURCE_EXHAUSTED},
      {v1::REASON_NO_SPACE, grpc::RESOURCE_EXHAUSTED},
      {v1::REASON_NO_LEADER, grpc::UNAVAILABLE},
      {v1::REASON_BEHIND, grpc::UNAVAILABLE},
      {v1::REASON_COMPACTED, grpc::OUT_OF_RANGE},
      {v1::REASON_OVERLOADED, grpc::RESOURCE_EXHAUSTED},
      {v1::REASON_TIMEOUT, grpc::DEADLINE_EXCEEDED},
      {v1::REASON_WRONG_CLUSTER, grpc::FAILED_PRECONDITION},
      {v1::REASON_CONFIG_IN_PROGRESS, grpc::FAILED_PRECONDITION},
  };
  ASSERT_EQ(kPromised.size(), static_cast<size_t>(v1::Reason_MAX));
  for (const auto& [reason, code] : kPromised) {
    SCOPED_TRACE(v1::Reason_Name(reason));
    const Error error{.reason = static_cast<Reason>(reason)};
    const grpc::Status status = ToStatus(error);
    EXPECT_EQ(status.error_code(), code);
    EXPECT_FALSE(status.error_message().empty());
    EXPECT_EQ("REASON_" + InfoOf(status).reason(), v1::Reason_Name(reason));
    v1::OperationError operation;
    ToProto(model::Reply::Failure(error), &operation);
    EXPECT_EQ(operation.reason(), reason);
    EXPECT_EQ(operation.code(), code);
    EXPECT_EQ(operation.message(), status.error_message());
  }
}

TEST(Errors, SuccessHasNoDetails) {
  EXPECT_TRUE(ToStatus(model::Reply()).ok());
  EXPECT_EQ(ToStatus(model::Reply()).error_details(), "");
}

TEST(Errors, OnlyTroubleOfTheServersIsRetriable) {
  std::string retriable;
  for (int reason = 1; reason < v1::Reason_ARRAYSIZE; ++reason) {
    const auto metadata =
        MetadataOf(model::Reply::Failure({.reason = static_cast<Reason>(reason)}));
    EXPECT_EQ(metadata.count("retriable"), IsRetriable(static_cast<Reason>(reason)) ? 1u : 0u);
    if (metadata.count("retriable")) {
      retriable += std::string(" ") + model::ReasonName(static_cast<Reason>(reason));
    }
  }
  EXPECT_EQ(retriable, " NO_SPACE NO_LEADER BEHIND OVERLOADED TIMEOUT CONFIG_IN_PROGRESS");
}

TEST(Errors, MetadataSaysWhatIsKnown) {
  EXPECT_THAT(MetadataOf(model::Reply::Failure(
                  {.reason = Reason::kBadVersion, .path = "/a", .expected = 3, .actual = 5})),
              UnorderedElementsAre(Pair("path", "/a"), Pair("expected_version", "3"),
                                   Pair("actual_version", "5")));
  EXPECT_THAT(MetadataOf(model::Reply::Failure(
                  {.reason = Reason::kCompacted, .oldest = model::Revision(77)})),
              UnorderedElementsAre(Pair("oldest_revision", "77")));
  EXPECT_THAT(
      MetadataOf(model::Reply::Failure({.reason = Reason::kTimeout, .maybe_applied = true})),
      UnorderedElementsAre(Pair("maybe_applied", "true"), Pair("retriable", "true")));
}

TEST(Errors, FailedTransactionNamesBranchAndOperation) {
  model::Reply reply = model::Reply::Failure({.reason = Reason::kNoNode, .path = "/a"});
  model::TransactionResult result;
  result.failed_operation = 2;
  reply.result = result;
  EXPECT_THAT(MetadataOf(reply), UnorderedElementsAre(Pair("path", "/a"), Pair("branch", "else"),
                                                      Pair("failed_operation", "2")));
  result.compared_true = true;
  reply.result = result;
  EXPECT_THAT(MetadataOf(reply), UnorderedElementsAre(Pair("path", "/a"), Pair("branch", "then"),
                                                      Pair("failed_operation", "2")));
}

// A path that was cut at a limit may end inside a character, and proto strings are UTF-8.
TEST(Errors, CutPathEndsWithAWholeCharacter) {
  const std::string two = "\xC3\xA9";
  const std::string three = "\xE2\x82\xAC";
  for (const auto& [path, shown] : std::map<std::string, std::string>{
           {"/" + two, "/" + two},
           {"/" + two.substr(0, 1), "/"},
           {"/" + three, "/" + three},
           {"/" + three.substr(0, 2), "/"},
           {"/" + three.substr(0, 1), "/"},
       }) {
    EXPECT_EQ(MetadataOf(model::Reply::Failure({.reason = Reason::kInvalidPath, .path = path}))
                  .at("path"),
              shown);
  }
}

// A client takes 8 KiB of trailers, and details are base64 in there.
TEST(Errors, LongestErrorFitsTheTrailers) {
  const grpc::Status status = ToStatus({.reason = Reason::kInvalidPath,
                                        .path = "/" + std::string(4095, 'a'),
                                        .detail = std::string(100'000, 'b')});
  EXPECT_EQ(InfoOf(status).metadata().at("path").size(), 4096u);
  EXPECT_LE(status.error_message().size() + status.error_details().size() * 4 / 3, 7'000u);
}

}  // namespace
}  // namespace pando::api
