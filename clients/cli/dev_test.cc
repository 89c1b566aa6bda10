#include "cli/dev.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace pando::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Dev, AServerHasFourPortsAndTheNextOnesAreTenHigher) {
  const DevOptions options{3, "/d", 9'000};
  EXPECT_THAT(
      DevArguments(options, 2),
      ElementsAre("--id", "2", "--data-dir", "/d/server-2", "--listen-client", "127.0.0.1:9010",
                  "--listen-peer", "127.0.0.1:9011", "--listen-http", "127.0.0.1:9012",
                  "--listen-zookeeper", "127.0.0.1:9013", "--initial-cluster",
                  "1=127.0.0.1:9001,2=127.0.0.1:9011,3=127.0.0.1:9021"));
}

TEST(Dev, OneServerIsWhatThereIs) {
  EXPECT_TRUE(CheckDevOptions({1, "./var", 7'400}).ok());
  const absl::Status several = CheckDevOptions({3, "./var", 7'400});
  EXPECT_TRUE(absl::IsInvalidArgument(several));
  EXPECT_THAT(std::string(several.message()), HasSubstr("not there yet"));
  EXPECT_FALSE(CheckDevOptions({0, "./var", 7'400}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "", 7'400}).ok());
}

TEST(Dev, AllPortsArePorts) {
  EXPECT_TRUE(CheckDevOptions({1, "d", 1}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", 0}).ok());
  EXPECT_TRUE(CheckDevOptions({1, "d", 65'532}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", 65'533}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", std::numeric_limits<int>::max()}).ok());
  EXPECT_FALSE(CheckDevOptions({1, "d", std::numeric_limits<int>::min()}).ok());
}

}  // namespace
}  // namespace pando::cli
