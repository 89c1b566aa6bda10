#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "transport/memory_file.h"
#include "transport/open_connections.h"

namespace pando::transport {
namespace {

std::string Read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(MemoryFile, IsReplacedAsAWholeUnderItsPath) {
  const auto file = MemoryFile::Create("first");
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string path = (*file)->path();
  std::ifstream before(path);
  EXPECT_EQ(Read(path), "first");
  EXPECT_TRUE((*file)->Replace("2nd").ok());
  EXPECT_EQ((*file)->path(), path);
  EXPECT_EQ(Read(path), "2nd");
  // Who has opened it before reads what was there.
  std::stringstream still;
  still << before.rdbuf();
  EXPECT_EQ(still.str(), "first");
}

TEST(OpenConnections, ForgetsWhatIsClosedAndWhoseNumberIsAnothersNow) {
  std::array<int, 2> first{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, first.data()), 0);
  OpenConnections open;
  open.Add(first[0]);
  open.Add(first[1]);
  open.Count();
  EXPECT_EQ(open.size(), 2u);
  close(first[1]);
  EXPECT_EQ(open.size(), 2u);
  open.Count();
  EXPECT_EQ(open.size(), 1u);
  std::array<int, 2> second{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, second.data()), 0);
  ASSERT_EQ(dup2(second[0], first[0]), first[0]);
  open.Count();
  EXPECT_EQ(open.size(), 0u);
  for (const int fd : {first[0], second[0], second[1]}) close(fd);
}

}  // namespace
}  // namespace pando::transport
