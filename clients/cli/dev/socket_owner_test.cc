#include "cli/dev/socket_owner.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pando::cli {
namespace {

uint16_t PortOf(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

class SocketOwner : public ::testing::Test {
 protected:
  void SetUp() override {
    sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&loopback), sizeof(loopback)), 0);
    ASSERT_EQ(::listen(listener_, 1), 0);
    loopback.sin_port = htons(PortOf(listener_));
    ASSERT_EQ(::connect(caller_, reinterpret_cast<sockaddr*>(&loopback), sizeof(loopback)), 0);
    connection_ = {PortOf(caller_), PortOf(listener_)};
  }
  void TearDown() override {
    ::close(caller_);
    ::close(listener_);
  }

  const int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int caller_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  LoopbackConnection connection_;
};

TEST_F(SocketOwner, IsWhoeverConnected) {
  EXPECT_EQ(FindSocketOwner(connection_, {::getppid(), ::getpid()}), ::getpid());
}

TEST_F(SocketOwner, IsNobodyWhoWasNotAskedFor) {
  EXPECT_EQ(FindSocketOwner(connection_, {}), std::nullopt);
  EXPECT_EQ(FindSocketOwner(connection_, {::getppid()}), std::nullopt);
}

TEST_F(SocketOwner, OfAConnectionThatIsNotThereIsNobody) {
  EXPECT_EQ(FindSocketOwner({connection_.from, 1}, {::getpid()}), std::nullopt);
}

}  // namespace
}  // namespace pando::cli
