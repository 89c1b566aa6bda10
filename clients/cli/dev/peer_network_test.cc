#include "cli/dev/peer_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"

namespace pando::cli {
namespace {

// How long is waited for what must come, and for what must not.
constexpr int kComesMs = 10'000;
constexpr int kStaysAwayMs = 100;

class Socket {
 public:
  explicit Socket(int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) : fd_(fd) {
    CHECK(fd_ >= 0);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }

  // On a port that the kernel chooses.
  uint16_t Bind() {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
  }
  void Listen() { CHECK(::listen(fd_, 8) == 0); }
  Socket Accept() { return Socket(::accept(fd_, nullptr, nullptr)); }
  void Connect(uint16_t port) {
    const sockaddr_in address = Loopback(port);
    CHECK(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  void Send(const std::string& text) {
    CHECK(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  bool HasSomething(int timeout_ms) {
    pollfd wait{fd_, POLLIN, 0};
    return ::poll(&wait, 1, timeout_ms) == 1;
  }
  // What has come; "" at the end of the connection.
  std::string Receive() {
    if (!HasSomething(kComesMs)) return "(nothing)";
    char bytes[64];
    const ssize_t count = ::recv(fd_, bytes, sizeof(bytes), 0);
    return std::string(bytes, static_cast<size_t>(std::max<ssize_t>(count, 0)));
  }

 private:
  static sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

  int fd_;
};

// Server 1 is this process, and 2 a listener in it.
class PeerNetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const uint16_t own_port = listener_.Bind();
    listener_.Listen();
    {
      Socket chooser;
      outer_port_ = chooser.Bind();
    }
    auto network = PeerNetwork::Start({{2, outer_port_, own_port}});
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    network_->SetProcess(1, ::getpid());
  }

  std::pair<Socket, Socket> Connected() {
    Socket one;
    one.Connect(outer_port_);
    Socket two = listener_.Accept();
    return {std::move(one), std::move(two)};
  }
  // Cuts a server off, and waits until that has happened: then a new connection is turned away.
  void Cut(int server) {
    network_->Cut(server);
    Socket caller;
    caller.Connect(outer_port_);
    EXPECT_EQ(caller.Receive(), "");
  }

  Socket listener_;
  uint16_t outer_port_ = 0;
  std::unique_ptr<PeerNetwork> network_;
};

TEST_F(PeerNetworkTest, PassesOnWhatIsSentAndTheEnd) {
  auto [one, two] = Connected();
  one.Send("there");
  EXPECT_EQ(two.Receive(), "there");
  two.Send("and back");
  EXPECT_EQ(one.Receive(), "and back");
  { const Socket gone = std::move(one); }
  EXPECT_EQ(two.Receive(), "");
}

TEST_F(PeerNetworkTest, NothingPassesAServerThatIsCutOffUntilItIsHealed) {
  for (const int server : {1, 2}) {
    auto [one, two] = Connected();
    Cut(server);
    one.Send("there");
    two.Send("and back");
    EXPECT_FALSE(two.HasSomething(kStaysAwayMs)) << "server " << server;
    EXPECT_FALSE(one.HasSomething(kStaysAwayMs)) << "server " << server;
    network_->Heal(server);
    EXPECT_EQ(two.Receive(), "there");
    EXPECT_EQ(one.Receive(), "and back");
  }
}

TEST_F(PeerNetworkTest, TheEndOfAConnectionWaitsToo) {
  auto [one, two] = Connected();
  Cut(1);
  { const Socket gone = std::move(one); }
  EXPECT_FALSE(two.HasSomething(kStaysAwayMs));
  network_->Heal(1);
  EXPECT_EQ(two.Receive(), "");
}

TEST_F(PeerNetworkTest, WhereNobodyListensAConnectionEnds) {
  { const Socket gone = std::move(listener_); }
  Socket caller;
  caller.Connect(outer_port_);
  EXPECT_EQ(caller.Receive(), "");
}

TEST_F(PeerNetworkTest, APortThatIsTakenIsNamed) {
  const absl::Status taken = PeerNetwork::Start({{3, outer_port_, 1}}).status();
  EXPECT_NE(taken.message().find(std::to_string(outer_port_)), std::string::npos) << taken;
}

}  // namespace
}  // namespace pando::cli
