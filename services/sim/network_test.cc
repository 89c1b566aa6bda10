#include "sim/network.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace pando::sim {
namespace {

using model::ServerId;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One server that writes down what it is told.
struct Host {
  std::unique_ptr<io::Peers> peers;
  std::vector<io::Event> events;

  template <typename T>
  std::vector<T> Got() const {
    std::vector<T> got;
    for (const io::Event& event : events) {
      if (const auto* one = std::get_if<T>(&event)) got.push_back(*one);
    }
    return got;
  }
  // The rounds of the heartbeats that came, in order.
  std::vector<uint64_t> Rounds() const {
    std::vector<uint64_t> rounds;
    for (const io::PeerMessages& batch : Got<io::PeerMessages>()) {
      for (const io::PeerMessage& message : batch.messages) {
        rounds.push_back(std::get<raft::Heartbeat>(std::get<raft::Message>(message)).round);
      }
    }
    return rounds;
  }
};

class NetworkTest : public testing::Test {
 protected:
  static std::string AddressOf(uint64_t id) { return "sim:" + std::to_string(id); }

  void Join(uint64_t id) {
    hosts_[id].peers = network_.Join(
        {.id = ServerId(id),
         .address = AddressOf(id),
         .post = [this, id](io::Event event) { hosts_[id].events.push_back(std::move(event)); },
         .receive = [this](const io::StateMark& mark) { return Receive(mark); }});
  }
  void Want(uint64_t id, std::vector<uint64_t> peers) {
    std::vector<io::PeerAddress> addresses;
    for (const uint64_t peer : peers) addresses.push_back({ServerId(peer), AddressOf(peer)});
    hosts_[id].peers->SetPeers({.id = ServerId(id)}, std::move(addresses));
  }
  void Beat(uint64_t from, uint64_t to, uint64_t round) {
    hosts_[from].peers->Send(ServerId(to), {raft::Message(raft::Heartbeat{.round = round})});
  }
  // Two servers with channels both ways.
  void Pair() {
    Join(1);
    Join(2);
    Want(1, {2});
    Want(2, {1});
    schedule_.RunFor(seconds(1));
    hosts_[1].events.clear();
    hosts_[2].events.clear();
  }

  class Receiver : public io::SnapshotReceiver {
   public:
    explicit Receiver(NetworkTest* test) : test_(test) {}
    absl::Status Take(const std::vector<model::RecordWrite>& records) override {
      for (const model::RecordWrite& record : records) test_->received_ += record.key;
      return absl::OkStatus();
    }
    absl::Status Finish() override {
      test_->finished_ = true;
      return absl::OkStatus();
    }

   private:
    NetworkTest* const test_;
  };
  std::unique_ptr<io::SnapshotReceiver> Receive(const io::StateMark& mark) {
    mark_ = mark;
    return std::make_unique<Receiver>(this);
  }

  Schedule schedule_;
  Network network_{&schedule_, base::Rng(1), {}};
  std::map<uint64_t, Host> hosts_;
  std::optional<io::StateMark> mark_;
  std::string received_;
  bool finished_ = false;
};

TEST_F(NetworkTest, ChannelBeginsWithHelloAndKeepsOrder) {
  Join(1);
  Want(1, {2});
  schedule_.RunFor(seconds(1));
  EXPECT_TRUE(hosts_[1].Got<io::PeerReady>().empty()) << "nobody is there yet";
  Join(2);
  schedule_.RunFor(seconds(1));
  ASSERT_EQ(hosts_[1].Got<io::PeerReady>().size(), 1u);
  ASSERT_EQ(hosts_[2].Got<io::PeerOpened>().size(), 1u);
  EXPECT_EQ(hosts_[2].Got<io::PeerOpened>()[0].hello.id, ServerId(1));

  for (uint64_t round = 1; round <= 50; ++round) Beat(1, 2, round);
  schedule_.RunFor(seconds(1));
  const std::vector<uint64_t> rounds = hosts_[2].Rounds();
  ASSERT_EQ(rounds.size(), 50u);
  for (uint64_t i = 0; i < 50; ++i) EXPECT_EQ(rounds[i], i + 1);
}

TEST_F(NetworkTest, MessagesAtOnceAfterReadyDoNotOvertakeTheHello) {
  Join(1);
  Join(2);
  Want(1, {2});
  while (hosts_[1].Got<io::PeerReady>().empty()) ASSERT_TRUE(schedule_.Step(base::kNever));
  Beat(1, 2, 1);
  schedule_.RunFor(seconds(1));
  ASSERT_EQ(hosts_[2].events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<io::PeerOpened>(hosts_[2].events[0]));
}

TEST_F(NetworkTest, KilledServerResetsItsChannelsAndIsFoundAgain) {
  Pair();
  Beat(2, 1, 7);  // lost with the channel
  network_.Leave(ServerId(2), false);
  schedule_.RunFor(milliseconds(5));
  EXPECT_EQ(hosts_[1].Got<io::PeerClosed>().size(), 1u);
  EXPECT_TRUE(hosts_[1].Rounds().empty());
  Join(2);
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(hosts_[1].Got<io::PeerReady>().size(), 1u);
  EXPECT_EQ(hosts_[2].Got<io::PeerOpened>().size(), 1u);
  Beat(1, 2, 8);
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(hosts_[2].Rounds(), std::vector<uint64_t>{8});
}

TEST_F(NetworkTest, PowerLossIsNoticedOnlyLater) {
  Pair();
  network_.Leave(ServerId(2), true);
  schedule_.RunFor(milliseconds(100));
  EXPECT_TRUE(hosts_[1].Got<io::PeerClosed>().empty());
  schedule_.RunFor(seconds(4));
  EXPECT_EQ(hosts_[1].Got<io::PeerClosed>().size(), 1u);
}

TEST_F(NetworkTest, BlockedDirectionDeliversLateOrBreaks) {
  Pair();
  network_.Block(ServerId(1), ServerId(2));
  Beat(1, 2, 1);
  Beat(2, 1, 2);
  schedule_.RunFor(milliseconds(100));
  Beat(1, 2, 3);
  EXPECT_TRUE(hosts_[2].Rounds().empty());
  EXPECT_EQ(hosts_[1].Rounds(), std::vector<uint64_t>{2}) << "the other direction goes on";
  network_.UnblockAll();
  schedule_.RunFor(milliseconds(100));
  EXPECT_EQ(hosts_[2].Rounds(), (std::vector<uint64_t>{1, 3}));

  network_.Block(ServerId(1), ServerId(2));
  Beat(1, 2, 4);
  schedule_.RunFor(seconds(10));
  EXPECT_EQ(hosts_[2].Got<io::PeerClosed>().size(), 1u);
  EXPECT_TRUE(hosts_[1].Got<io::PeerReady>().empty()) << "it cannot connect either";
  network_.UnblockAll();
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(hosts_[1].Got<io::PeerReady>().size(), 1u);
  EXPECT_EQ(hosts_[2].Rounds(), (std::vector<uint64_t>{1, 3}));
}

TEST_F(NetworkTest, RefusalReachesTheCallerWhoTriesAgainLater) {
  Join(1);
  Join(2);
  Want(1, {2});
  schedule_.RunFor(milliseconds(500));
  hosts_[2].peers->Refuse(hosts_[2].Got<io::PeerOpened>()[0].channel, io::Refusal::kNotAMember,
                          "who are you?");
  schedule_.RunFor(milliseconds(500));
  ASSERT_EQ(hosts_[1].Got<io::PeerRefused>().size(), 1u);
  EXPECT_EQ(hosts_[1].Got<io::PeerRefused>()[0].refusal, io::Refusal::kNotAMember);
  EXPECT_EQ(hosts_[2].Got<io::PeerOpened>().size(), 1u);
  schedule_.RunFor(seconds(2));
  EXPECT_EQ(hosts_[2].Got<io::PeerOpened>().size(), 2u);
}

TEST_F(NetworkTest, UnwantedPeerLosesItsChannel) {
  Pair();
  Want(1, {});
  schedule_.RunFor(seconds(1));
  EXPECT_EQ(hosts_[2].Got<io::PeerClosed>().size(), 1u);
  Beat(1, 2, 1);
  schedule_.RunFor(seconds(1));
  EXPECT_TRUE(hosts_[2].Rounds().empty());
}

TEST_F(NetworkTest, RaftMessagesAreLostRepeatedAndReordered) {
  Pair();
  network_.SetFaults({.drop = 100, .duplicate = 100, .reorder = 100});
  for (uint64_t round = 1; round <= 1'000; ++round) {
    Beat(1, 2, round);
    schedule_.RunFor(milliseconds(1));
  }
  schedule_.RunFor(seconds(1));
  const std::vector<uint64_t> rounds = hosts_[2].Rounds();
  EXPECT_EQ(rounds.size(), 1'000 - network_.totals().dropped + network_.totals().duplicated);
  EXPECT_GT(network_.totals().dropped, 50u);
  EXPECT_GT(network_.totals().duplicated, 50u);
  EXPECT_GT(network_.totals().reordered, 50u);
  EXPECT_FALSE(std::is_sorted(rounds.begin(), rounds.end()));
}

TEST_F(NetworkTest, OtherMessagesAreLostByBreaksOnly) {
  Pair();
  network_.SetFaults({.drop = 500, .duplicate = 500, .reorder = 500});
  for (uint64_t first = 1; first <= 100; ++first) {
    hosts_[1].peers->Send(ServerId(2), {io::Forward{model::SourceNumber(first), {}}});
  }
  schedule_.RunFor(seconds(1));
  const auto batches = hosts_[2].Got<io::PeerMessages>();
  ASSERT_EQ(batches.size(), 100u);
  for (uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(std::get<io::Forward>(batches[i].messages[0]).first, model::SourceNumber(i + 1));
  }
}

TEST_F(NetworkTest, SnapshotArrivesWholeOrItsSenderIsTold) {
  Pair();
  const auto send = [this] {
    received_.clear();
    finished_ = false;
    const auto sink = hosts_[1].peers->SendSnapshot(ServerId(2));
    sink->Begin({model::Revision(9), model::Term(2), 3});
    for (int i = 0; i < 100;) {
      const io::Taken taken = sink->Take(model::Revision(9), {{"k" + std::to_string(i), "v"}});
      if (taken == io::Taken::kTaken) ++i;
      if (taken == io::Taken::kCancelled) break;
      schedule_.RunFor(milliseconds(1));
    }
    sink->Finish(model::Revision(9), absl::OkStatus());
    schedule_.RunFor(seconds(1));
  };
  send();
  ASSERT_EQ(hosts_[1].Got<io::SnapshotSent>().size(), 1u);
  EXPECT_TRUE(hosts_[1].Got<io::SnapshotSent>()[0].good);
  EXPECT_TRUE(finished_);
  EXPECT_EQ(mark_->revision, model::Revision(9));
  EXPECT_EQ(received_.size(), 10u * 2 + 90 * 3);

  network_.SetFaults({.break_channel = 100});
  send();
  ASSERT_EQ(hosts_[1].Got<io::SnapshotSent>().size(), 2u);
  EXPECT_FALSE(hosts_[1].Got<io::SnapshotSent>()[1].good);
  EXPECT_FALSE(finished_);

  network_.SetFaults({});
  network_.Leave(ServerId(2), false);
  send();
  ASSERT_EQ(hosts_[1].Got<io::SnapshotSent>().size(), 3u);
  EXPECT_FALSE(hosts_[1].Got<io::SnapshotSent>()[2].good);
}

}  // namespace
}  // namespace pando::sim
