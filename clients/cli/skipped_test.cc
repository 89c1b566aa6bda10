#include "cli/skipped.h"

#include <gtest/gtest.h>

namespace pando::cli {
namespace {

TEST(Skipped, EveryPathCanBeHadBackFromTheReport) {
  SkippedPaths skipped;
  skipped.Add("plain ü", "one");
  skipped.Add("back\\slash", "two");
  skipped.Add("line\nfeed\tand tab", "three");
  skipped.Add("not utf8 \xc3\xbc\xff", "four");
  EXPECT_EQ(skipped.Report(),
            "plain ü\tone\n"
            "back\\\\slash\ttwo\n"
            "line\\x0afeed\\x09and tab\tthree\n"
            "not utf8 \\xc3\\xbc\\xff\tfour\n");
}

}  // namespace
}  // namespace pando::cli
