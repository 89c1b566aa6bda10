#include "server/audit_log.h"

#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pando::server {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() : path_(absl::StrCat(testing::TempDir(), "audit_log_test_", getpid())) {
    absl::StatusOr<std::unique_ptr<AuditLog>> log = AuditLog::Open(path_);
    EXPECT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }
  ~AuditLogTest() override { unlink(path_.c_str()); }

  void Deny(int64_t ms) { log_->Write({ms}, {.denied = true, .method = "TreeService/Get"}); }
  std::vector<std::string> Lines() {
    std::ifstream file(path_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  const std::string path_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, ALineSaysAllOfIt) {
  log_->Write({1'777'000'000'000}, {.denied = false,
                                    .method = "ClusterService/AddMember",
                                    .caller = "ip:10.0.0.7 digest:oper",
                                    .path = "/a \"b\"",
                                    .reason = "OK",
                                    .request = "id: 4"});
  const std::vector<std::string> lines = Lines();
  ASSERT_THAT(lines, SizeIs(1));
  for (const char* part : {R"("event":"administration")", R"("method":"ClusterService/AddMember")",
                           R"("caller":"ip:10.0.0.7 digest:oper")", R"("path":"/a \"b\"")",
                           R"("reason":"OK")", R"("request":"id: 4")", R"("time":"2026-04-24T)"}) {
    EXPECT_THAT(lines[0], HasSubstr(part));
  }
}

TEST_F(AuditLogTest, ADashIsStandardError) {
  testing::internal::CaptureStderr();
  AuditLog::Open("-").value()->Write({1'000}, {.denied = true, .method = "TreeService/Get"});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(R"("method":"TreeService/Get")"));
}

TEST_F(AuditLogTest, DenialsAreLimitedAndWhatIsLeftOutIsCounted) {
  const uint64_t many = AuditLog::kDenialsPerSecondMax + 50;
  for (uint64_t i = 0; i < many; ++i) Deny(5'000 + static_cast<int64_t>(i));
  EXPECT_THAT(Lines(), SizeIs(AuditLog::kDenialsPerSecondMax));
  Deny(6'000);
  EXPECT_THAT(Lines().back(), HasSubstr(R"("suppressed":50})"));
  Deny(6'001);
  EXPECT_THAT(Lines().back(), HasSubstr(R"("suppressed":0})"));
}

TEST_F(AuditLogTest, AdministrationIsNeverLeftOut) {
  for (uint64_t i = 0; i < AuditLog::kDenialsPerSecondMax; ++i) Deny(5'000);
  for (int i = 0; i < 10; ++i) log_->Write({5'000}, {.method = "ClusterService/Status"});
  EXPECT_THAT(Lines(), SizeIs(AuditLog::kDenialsPerSecondMax + 10));
}

TEST_F(AuditLogTest, ItIsAddedToAndForItsOwnerAlone) {
  Deny(5'000);
  log_ = *AuditLog::Open(path_);
  Deny(7'000);
  EXPECT_THAT(Lines(), SizeIs(2));
  struct stat found;
  ASSERT_EQ(stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST(AuditLog, AFileThatCannotBeOpenedIsNamed) {
  const auto log = AuditLog::Open("/no/such/folder/audit");
  ASSERT_FALSE(log.ok());
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("/no/such/folder/audit"));
}

}  // namespace
}  // namespace pando::server
