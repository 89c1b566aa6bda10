#include "cli/progress.h"

#include <gtest/gtest.h>

namespace pando::cli {
namespace {

using std::chrono::milliseconds;

TEST(Progress, ABarShowsThePartThatIsDone) {
  EXPECT_EQ(RenderProgress({500, 2'000, 1'572'864, milliseconds(2'000)}),
            "[#####---------------]  25%  500 of 2000  1.5 MiB  250/s");
  EXPECT_EQ(RenderProgress({2'000, 2'000, 0, milliseconds(0)}),
            "[####################] 100%  2000 of 2000  0 B  2000000/s");
}

TEST(Progress, MoreThanWasExpectedIsStillAll) {
  EXPECT_EQ(RenderProgress({3, 2, 0, milliseconds(1'000)}),
            "[####################] 100%  2 of 2  0 B  3/s");
}

TEST(Progress, WithoutATotalThereIsNoBar) {
  EXPECT_EQ(RenderProgress({7, 0, 10, milliseconds(1'000)}), "7  10 B  7/s");
}

}  // namespace
}  // namespace pando::cli
