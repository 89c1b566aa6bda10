#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "transport/handshakes.h"
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

// Two sockets, closed when it ends.
class Pair {
 public:
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds_.data()), 0); }
  ~Pair() {
    for (const int fd : fds_) close(fd);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  int first() const { return fds_[0]; }
  int second() const { return fds_[1]; }

 private:
  std::array<int, 2> fds_{};
};

TEST(Handshakes, WhoIsJudgedAtADoorIsWhoBeganThere) {
  const Pair sockets;
  Handshakes handshakes(3);
  const size_t alice = handshakes.Begin(sockets.first(), "alice");
  const size_t bob = handshakes.Begin(sockets.second(), "bob");
  EXPECT_EQ(handshakes.Judge(bob), "bob");
  EXPECT_EQ(handshakes.Judge(alice), "alice");
}

TEST(Handshakes, BeyondTheDoorsNobodyIsKnown) {
  const Pair sockets;
  Handshakes handshakes(2);
  const size_t own = handshakes.Begin(sockets.first(), "alice");
  const size_t shared = handshakes.Begin(sockets.second(), "bob");
  EXPECT_EQ(handshakes.Begin(sockets.second(), "carol"), shared);
  EXPECT_LT(shared, handshakes.doors());
  EXPECT_EQ(handshakes.Judge(shared), "");
  EXPECT_EQ(handshakes.Judge(own), "alice");
  // Who was judged has made room.
  EXPECT_EQ(handshakes.Begin(sockets.first(), "dave"), own);
  EXPECT_EQ(handshakes.Judge(own), "dave");
}

TEST(Handshakes, WhoHasGoneUnjudgedMakesRoom) {
  Handshakes handshakes(2);
  const Pair stays;
  size_t own = 0;
  {
    const Pair gone;
    own = handshakes.Begin(gone.first(), "alice");
  }
  EXPECT_EQ(handshakes.Begin(stays.first(), "bob"), own);
  EXPECT_EQ(handshakes.Judge(own), "bob");
}

TEST(Handshakes, OneDoorIsShared) {
  const Pair sockets;
  Handshakes handshakes(1);
  EXPECT_EQ(handshakes.Begin(sockets.first(), "alice"), 0u);
  EXPECT_EQ(handshakes.Judge(0), "");
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
