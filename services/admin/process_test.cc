#include "admin/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "gtest/gtest.h"

namespace pando::admin {
namespace {

TEST(Process, OpenFilesAreCounted) {
  const OpenFiles before = CountOpenFiles();
  EXPECT_GE(before.open, 1u);
  EXPECT_GT(before.max, before.open);
  std::vector<int> files;
  for (int i = 0; i < 5; ++i) files.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(CountOpenFiles().open, before.open + 5);
  for (const int file : files) close(file);
  EXPECT_EQ(CountOpenFiles().open, before.open);
}

}  // namespace
}  // namespace pando::admin
