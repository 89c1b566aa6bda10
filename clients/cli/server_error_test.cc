#include "cli/server_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "pando/internal/v1/error.pb.h"

namespace pando::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ServerError Error(grpc::StatusCode code, std::string reason,
                  std::map<std::string, std::string> metadata = {}) {
  return {code, std::move(reason), "in the server's words", std::move(metadata)};
}

int ExitOf(const ServerError& error, bool is_write) {
  return ExitCodeOf(FinalStatus(error, is_write));
}

TEST(ServerError, ACallAndAnOperationSayTheSame) {
  internal::v1::ErrorInfo info;
  info.set_reason("BAD_VERSION");
  info.set_domain("pando");
  (*info.mutable_metadata())["path"] = "/a";
  internal::v1::Status details;
  auto& detail = *details.add_details();
  detail.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail.set_value(info.SerializeAsString());
  const ServerError call = ErrorOf(
      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "words", details.SerializeAsString()));

  v1::OperationError operation_error;
  operation_error.set_code(grpc::StatusCode::FAILED_PRECONDITION);
  operation_error.set_reason(v1::REASON_BAD_VERSION);
  operation_error.set_message("words");
  (*operation_error.mutable_metadata())["path"] = "/a";
  const ServerError operation = ErrorOf(operation_error);

  for (const ServerError& error : {call, operation}) {
    EXPECT_EQ(error.code, grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(error.reason, "BAD_VERSION");
    EXPECT_EQ(error.message, "words");
    EXPECT_EQ(error.Metadata("path"), "/a");
    EXPECT_EQ(error.Metadata("leader"), "");
  }
}

TEST(ServerError, DetailsOfOthersAreNoReason) {
  EXPECT_EQ(ErrorOf(grpc::Status(grpc::StatusCode::UNAVAILABLE, "", "\xff\xff")).reason, "");
}

TEST(ServerError, ARefusalEndsWithOne) {
  const ServerError refused = Error(grpc::StatusCode::NOT_FOUND, "NO_NODE", {{"path", "/a"}});
  EXPECT_EQ(Judge(refused), Verdict::kRefused);
  EXPECT_EQ(ExitOf(refused, /*is_write=*/true), kExitRefused);
  EXPECT_EQ(ExitOf(refused, /*is_write=*/false), kExitRefused);
}

TEST(ServerError, AServerThatCannotServeIsTriedAgainAndThenUnreachable) {
  const ServerError error =
      Error(grpc::StatusCode::UNAVAILABLE, "NO_LEADER", {{"retriable", "true"}});
  EXPECT_EQ(Judge(error), Verdict::kTryAgain);
  EXPECT_EQ(ExitOf(error, /*is_write=*/true), kExitUnreachable);
}

TEST(ServerError, AServerOfAnotherClusterIsPassedOverAndRefusesAtTheEnd) {
  const ServerError error = Error(grpc::StatusCode::FAILED_PRECONDITION, "WRONG_CLUSTER");
  EXPECT_EQ(Judge(error), Verdict::kElsewhere);
  EXPECT_EQ(ExitOf(error, /*is_write=*/true), kExitRefused);
  EXPECT_THAT(Describe(error), HasSubstr("--cluster"));
}

TEST(ServerError, AnOverloadedServerIsTriedAgainAndThenRefuses) {
  const ServerError error =
      Error(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", {{"retriable", "true"}});
  EXPECT_EQ(Judge(error), Verdict::kTryAgain);
  EXPECT_EQ(ExitOf(error, /*is_write=*/true), kExitRefused);
}

TEST(ServerError, AWriteWithoutAnAnswerMayBeAppliedAndAReadIsOnlyUnreachable) {
  const ServerError broken = Error(grpc::StatusCode::UNAVAILABLE, "");
  EXPECT_EQ(Judge(broken), Verdict::kLost);
  EXPECT_EQ(ExitOf(broken, /*is_write=*/true), kExitMaybeApplied);
  EXPECT_EQ(ExitOf(broken, /*is_write=*/false), kExitUnreachable);

  const ServerError said = Error(grpc::StatusCode::DEADLINE_EXCEEDED, "TIMEOUT",
                                 {{"maybe_applied", "true"}, {"retriable", "true"}});
  EXPECT_EQ(Judge(said), Verdict::kLost);
  EXPECT_EQ(ExitOf(said, /*is_write=*/true), kExitMaybeApplied);
}

TEST(ServerError, ADescriptionSaysWhatToDo) {
  const auto describe = [](std::string reason, std::map<std::string, std::string> metadata) {
    return Describe(
        Error(grpc::StatusCode::FAILED_PRECONDITION, std::move(reason), std::move(metadata)));
  };
  EXPECT_EQ(describe("NO_NODE", {{"path", "/a"}}), "there is no node /a (NO_NODE)");
  EXPECT_EQ(describe("NO_NODE", {}), "in the server's words (NO_NODE)") << "of a member";
  EXPECT_EQ(describe("PERMISSION_DENIED", {{"path", "/a"}}),
            "the ACL does not let you do that to /a (PERMISSION_DENIED)");
  EXPECT_EQ(describe("PERMISSION_DENIED", {}), "in the server's words (PERMISSION_DENIED)");
  EXPECT_THAT(describe("NOT_EMPTY", {{"path", "/a"}}), HasSubstr("`pando rm -r`"));
  EXPECT_THAT(
      describe("BAD_VERSION", {{"path", "/a"}, {"actual_version", "4"}, {"expected_version", "3"}}),
      HasSubstr("/a is at version 4, not 3"));
  EXPECT_THAT(describe("COMPACTED", {{"oldest_revision", "7"}}), HasSubstr("revision 7"));
  EXPECT_EQ(describe("INVALID_PATH", {{"path", "/a/"}}),
            "/a/: in the server's words (INVALID_PATH)");
  EXPECT_THAT(describe("NO_NODE", {{"path", "/a"}, {"branch", "then"}, {"failed_operation", "2"}}),
              AllOf(HasSubstr("then"), HasSubstr("operation 2"), HasSubstr("/a")));
}

TEST(ServerError, ServiceOfAnotherVersionIsNamed) {
  EXPECT_THAT(Describe(Error(grpc::StatusCode::UNIMPLEMENTED, "")),
              HasSubstr("does not offer that"));
}

}  // namespace
}  // namespace pando::cli
