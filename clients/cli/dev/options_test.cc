#include "cli/dev/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace pando::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

TEST(DevOptions, AServerAloneListensWhereOthersWouldFindIt) {
  EXPECT_THAT(
      DevArguments({1, "/d", 9'000}, 1, 1),
      ElementsAre("--id", "1", "--data-dir", "/d/server-1", "--listen-client", "127.0.0.1:9000",
                  "--listen-http", "127.0.0.1:9002", "--listen-zookeeper", "127.0.0.1:9003",
                  "--listen-peer", "127.0.0.1:9001", "--initial-cluster", "1=127.0.0.1:9001"));
}

TEST(DevOptions, OfSeveralEachIsFoundThroughTheNetworkBetweenThem) {
  const DevOptions options{3, "/d", 9'000};
  EXPECT_THAT(
      DevArguments(options, 3, 2),
      ElementsAre("--id", "2", "--data-dir", "/d/server-2", "--listen-client", "127.0.0.1:9010",
                  "--listen-http", "127.0.0.1:9012", "--listen-zookeeper", "127.0.0.1:9013",
                  "--listen-peer", "127.0.0.1:9014", "--advertise-peer", "127.0.0.1:9011",
                  "--initial-cluster", "1=127.0.0.1:9001,2=127.0.0.1:9011,3=127.0.0.1:9021"));
  EXPECT_THAT(DevEndpoints(options),
              ElementsAre("127.0.0.1:9000", "127.0.0.1:9010", "127.0.0.1:9020"));
}

TEST(DevOptions, WhoDidNotFoundTheEnsembleJoinsIt) {
  EXPECT_THAT(DevArguments({3, "/d", 9'000}, 1, 3), IsSupersetOf({"--join", "127.0.0.1:9001"}));
}

TEST(DevOptions, OneToNineServersAreFine) {
  for (const int servers : {1, 2, 9}) EXPECT_TRUE(CheckDevOptions({servers, "d", 7'400}).ok());
  for (const int servers : {-1, 0, 10}) EXPECT_FALSE(CheckDevOptions({servers, "d", 7'400}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "", 7'400}).ok());
}

TEST(DevOptions, AllPortsArePorts) {
  EXPECT_TRUE(CheckDevOptions({1, "d", 1}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", 0}).ok());
  EXPECT_TRUE(CheckDevOptions({1, "d", 65'531}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", 65'532}).ok());
  EXPECT_TRUE(CheckDevOptions({3, "d", 65'511}).ok());
  EXPECT_FALSE(CheckDevOptions({3, "d", 65'512}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", std::numeric_limits<int>::max()}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", std::numeric_limits<int>::min()}).ok());
}

class DevDir : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + "/" +
           ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  // The founders, or 0 with `refusal_`.
  int Prepare(int servers, int base_port = 7'400) {
    const absl::StatusOr<int> founders = PrepareDevDir({servers, dir_, base_port});
    refusal_ = founders.ok() ? "" : std::string(founders.status().message());
    EXPECT_TRUE(founders.ok() || absl::IsInvalidArgument(founders.status()));
    return founders.value_or(0);
  }
  void HasData(int id) { std::filesystem::create_directories(DevDataDir({9, dir_, 7'400}, id)); }

  std::string dir_;
  std::string refusal_;
};

TEST_F(DevDir, AllServersOfANewFolderFoundTheEnsemble) {
  EXPECT_EQ(Prepare(3), 3);
  // Also when they were stopped before they had any data.
  EXPECT_EQ(Prepare(5), 5);
  for (int id = 1; id <= 5; ++id) HasData(id);
  EXPECT_EQ(Prepare(5), 5);
}

TEST_F(DevDir, AFolderOfOneServerMayGrow) {
  HasData(1);
  EXPECT_EQ(Prepare(3), 1);
  HasData(2);
  HasData(3);
  EXPECT_EQ(Prepare(3), 1);
}

TEST_F(DevDir, ServersThatNeedOneAnotherAreNotLeftOut) {
  EXPECT_EQ(Prepare(3), 3);
  for (int id = 1; id <= 3; ++id) HasData(id);
  EXPECT_EQ(Prepare(1), 0);
  EXPECT_THAT(refusal_, HasSubstr("--servers 3"));
}

TEST_F(DevDir, OnlyAServerAloneMayMove) {
  HasData(1);
  EXPECT_EQ(Prepare(1, 7'400), 1);
  EXPECT_EQ(Prepare(1, 8'000), 1);
  HasData(2);
  EXPECT_EQ(Prepare(2, 8'000), 1);
  EXPECT_EQ(Prepare(2, 7'400), 0);
  EXPECT_THAT(refusal_, HasSubstr("--base-port 8000"));
}

TEST_F(DevDir, ADamagedRecordIsNamed) {
  HasData(1);
  for (const char* text : {"", "{}", "[1]", "{\"founders\":\"x\",\"base_port\":1}"}) {
    std::ofstream(dir_ + "/dev.json") << text;
    EXPECT_EQ(Prepare(1), 0) << text;
    EXPECT_THAT(refusal_, HasSubstr("dev.json"));
  }
}

}  // namespace
}  // namespace pando::cli
