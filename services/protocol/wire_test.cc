// Everything that servers say: what goes in comes out, and what was cut off, lengthened or changed
// is refused, or is read as something that has the same bytes.
#include "protocol/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "model/limits.h"

namespace pando::protocol {
namespace {

using model::Revision;
using model::ServerId;
using model::Term;

model::Member SampleMember() {
  return {.id = ServerId(4),
          .storage = model::StorageId(0xfedcba9876543210),
          .role = model::Member::Role::kLearner,
          .peer_address = "host:1",
          .client_address = "host:2",
          .http_address = "host:3",
          .zookeeper_address = "host:4",
          .version_min = 1,
          .version_max = 2};
}

raft::EntryRef SampleEntry(uint64_t index, model::EntryKind kind, std::string payload) {
  return std::make_shared<const model::Entry>(
      model::Entry{Revision(index), Term(3), kind, std::move(payload)});
}

// Every alternative, with no field left as it is by default.
std::vector<io::PeerMessage> Samples() {
  using Message = raft::Message;
  model::Membership members{{{.id = ServerId(1), .peer_address = "a:1"}, SampleMember()}};
  model::Error error{.reason = model::Reason::kInvalidArgument,
                     .path = "/a",
                     .detail = "no",
                     .expected = -1,
                     .actual = 2,
                     .oldest = Revision(3),
                     .maybe_applied = true};
  return {
      Message(raft::VoteRequest{Term(1), true, true, Revision(2), Term(3)}),
      Message(raft::VoteReply{Term(1), true, true}),
      Message(raft::AppendRequest{Term(9),
                                  Revision(20),
                                  Term(8),
                                  Revision(19),
                                  {SampleEntry(21, model::EntryKind::kCommand, "bytes"),
                                   SampleEntry(22, model::EntryKind::kNoop, "")}}),
      Message(raft::AppendReply{Term(1), true, Revision(2), Revision(3), Revision(4), Term(5)}),
      Message(raft::Heartbeat{Term(1), Revision(2), 3, true, true}),
      Message(raft::HeartbeatReply{Term(1), 2, Revision(3), true, true}),
      Message(raft::StandNow{Term(1)}),
      Message(raft::ReadRequest{Term(1), 2}),
      Message(raft::ReadReply{Term(1), 2, Revision(3)}),
      io::Forward{model::SourceNumber(7), {"one", "", "three"}},
      io::RenewRequest{5, {model::SessionId(6), model::SessionId(1u << 31)}},
      io::RenewReply{5, {-1, 0, 30'000}},
      io::Report{model::EnsembleStatus::Role::kLearner, Term(1), Revision(2), 3, "0.1", 4, 5, 6},
      io::DigestReport{Revision(10'000), ~uint64_t{0}},
      io::DigestVerdict{Revision(10'000), 5},
      io::AdminRequest{1, io::AddMember{SampleMember()}},
      io::AdminRequest{2, io::PromoteMember{ServerId(2)}, Revision(7)},
      io::AdminRequest{3, io::RemoveMember{ServerId(3)}},
      io::AdminRequest{4, io::TransferLeadership{ServerId(4)}},
      io::AdminReply{1, error, Revision(5), ServerId(2)},
      io::Announce{model::StorageId(9), members},
      io::AnnounceReply{model::StorageId(9), true}};
}

std::string Encode(const std::vector<io::PeerMessage>& messages) {
  std::string frame;
  for (const io::PeerMessage& message : messages) EncodeMessage(message, &frame);
  return frame;
}

io::PeerHello SampleHello() {
  return {.id = ServerId(1),
          .storage = model::StorageId(2),
          .start = model::StartCount(3),
          .cluster = model::ClusterId(4),
          .origin = 9,
          .term = Term(5),
          .last = Revision(6),
          .version_min = 7,
          .version_max = 8,
          .joins = true,
          .self = SampleMember()};
}

TEST(Wire, EveryMessageComesBack) {
  std::set<std::pair<size_t, size_t>> kinds;
  for (const io::PeerMessage& sample : Samples()) {
    const std::string bytes = Encode({sample});
    std::vector<io::PeerMessage> messages;
    ASSERT_TRUE(DecodeFrame(bytes, &messages)) << sample.index();
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].index(), sample.index());
    EXPECT_EQ(Encode(messages), bytes);
    const auto* of_raft = std::get_if<raft::Message>(&sample);
    const auto* order = std::get_if<io::AdminRequest>(&sample);
    kinds.emplace(sample.index(), of_raft != nullptr ? of_raft->index()
                                  : order != nullptr ? order->order.index()
                                                     : 0);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<io::PeerMessage> - 2 +
                              std::variant_size_v<raft::Message> +
                              std::variant_size_v<io::AdminOrder>);
}

// Bytes that come back prove nothing of a field that is neither written nor read.
TEST(Wire, FieldsComeBack) {
  std::vector<io::PeerMessage> messages;
  ASSERT_TRUE(DecodeFrame(Encode(Samples()), &messages));
  ASSERT_EQ(messages.size(), Samples().size());
  const auto& append = std::get<raft::AppendRequest>(std::get<raft::Message>(messages[2]));
  EXPECT_EQ(append.previous, Revision(20));
  EXPECT_EQ(append.previous_term, Term(8));
  EXPECT_EQ(append.committed, Revision(19));
  ASSERT_EQ(append.entries.size(), 2u);
  EXPECT_EQ(*append.entries[0], *SampleEntry(21, model::EntryKind::kCommand, "bytes"));
  EXPECT_EQ(*append.entries[1], *SampleEntry(22, model::EntryKind::kNoop, ""));
  const auto& reply = std::get<raft::AppendReply>(std::get<raft::Message>(messages[3]));
  EXPECT_EQ(reply.hint, Revision(4));
  EXPECT_EQ(reply.hint_term, Term(5));
  EXPECT_EQ(std::get<io::Forward>(messages[9]).commands,
            (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(std::get<io::RenewReply>(messages[11]).time_left_ms,
            (std::vector<int64_t>{-1, 0, 30'000}));
  EXPECT_EQ(std::get<io::AddMember>(std::get<io::AdminRequest>(messages[15]).order).member,
            SampleMember());
  EXPECT_EQ(std::get<io::AdminRequest>(messages[16]).config, Revision(7));
  EXPECT_EQ(std::get<io::AdminReply>(messages[19]).error,
            std::get<io::AdminReply>(Samples()[19]).error);
  EXPECT_EQ(std::get<io::Announce>(messages[20]).initial.members[1], SampleMember());
}

TEST(Wire, GreetingComesBack) {
  const std::string bytes = EncodeGreeting({.to = ServerId(2), .hello = SampleHello()});
  Greeting greeting;
  ASSERT_TRUE(DecodeGreeting(bytes, &greeting));
  EXPECT_EQ(greeting.protocol, kProtocol);
  EXPECT_EQ(greeting.to, ServerId(2));
  EXPECT_EQ(greeting.hello, SampleHello());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeGreeting(std::string_view(bytes).substr(0, size), &greeting)) << size;
  }
  EXPECT_FALSE(DecodeGreeting(bytes + '\0', &greeting));
}

TEST(Wire, GreetingOfALaterProtocolIsReadThatFar) {
  Greeting greeting;
  ASSERT_TRUE(DecodeGreeting("\x7f whatever it says", &greeting));
  EXPECT_EQ(greeting.protocol, 127u);
}

TEST(Wire, NothingThatIsCutOffIsRead) {
  std::vector<io::PeerMessage> messages;
  for (const io::PeerMessage& sample : Samples()) {
    const std::string bytes = Encode({sample});
    for (size_t size = 1; size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodeFrame(std::string_view(bytes).substr(0, size), &messages))
          << sample.index() << " " << size;
    }
    EXPECT_FALSE(DecodeFrame(bytes + '\xff', &messages)) << sample.index();
  }
}

TEST(Wire, EveryValueHasOneForm) {
  base::Rng rng(20261125);
  std::vector<io::PeerMessage> messages;
  for (const io::PeerMessage& sample : Samples()) {
    for (int round = 0; round < 2'000; ++round) {
      std::string bytes = Encode({sample});
      for (uint64_t i = rng.Between(1, 3); i > 0; --i) {
        bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
      }
      if (DecodeFrame(bytes, &messages)) {
        EXPECT_EQ(Encode(messages), bytes) << sample.index();
      }
    }
  }
}

TEST(Wire, LimitsHold) {
  std::vector<io::PeerMessage> messages;
  const auto frame_of = [](size_t count) {
    std::string frame;
    for (size_t i = 0; i < count; ++i)
      EncodeMessage(raft::Message(raft::StandNow{Term(1)}), &frame);
    return frame;
  };
  EXPECT_TRUE(DecodeFrame(frame_of(model::kPeerFramePartsMax), &messages));
  EXPECT_FALSE(DecodeFrame(frame_of(model::kPeerFramePartsMax + 1), &messages));

  // A count in three bytes, and as many entries of three; 0x1000 is at the limit.
  const auto append_of = [](std::string count, size_t entries) {
    std::string frame("\0\2\1\1\1\1", 6);
    frame += count;
    for (size_t i = 0; i < entries; ++i) frame += std::string("\1\3\0", 3);
    return frame;
  };
  static_assert(model::kAppendEntriesMax == 0x1000);
  EXPECT_TRUE(DecodeFrame(append_of("\x80\x20", 0x1000), &messages));
  EXPECT_FALSE(DecodeFrame(append_of("\x81\x20", 0x1001), &messages));

  const std::string rest(model::kPeerMessageBytesMax - 8, 'c');
  std::string largest = Encode({io::Forward{model::SourceNumber(1), {rest}}});
  ASSERT_LE(largest.size(), model::kPeerMessageBytesMax);
  EXPECT_TRUE(DecodeFrame(largest, &messages));
  largest = Encode({io::Forward{model::SourceNumber(1), {rest + rest.substr(0, 8)}}});
  EXPECT_FALSE(DecodeFrame(largest, &messages));
}

// A frame of nothing but empty entries or commands would take thirty times its bytes in memory.
TEST(Wire, EveryEntryAndCommandCountsAgainstTheFrame) {
  std::vector<raft::EntryRef> entries;
  for (uint64_t i = 1; i <= model::kAppendEntriesMax; ++i) {
    entries.push_back(SampleEntry(i, model::EntryKind::kNoop, ""));
  }
  const io::PeerMessage append = raft::Message(raft::AppendRequest{.entries = entries});
  const io::PeerMessage forward =
      io::Forward{model::SourceNumber(1), std::vector<std::string>(model::kForwardCommandsMax)};
  for (const io::PeerMessage& message : {append, forward}) {
    std::string frame;
    std::vector<io::PeerMessage> messages;
    size_t parts = EncodeMessage(message, &frame);
    EXPECT_GT(parts, std::min(model::kAppendEntriesMax, model::kForwardCommandsMax));
    const size_t parts_each = parts;
    while (parts + parts_each <= model::kPeerFramePartsMax) parts += EncodeMessage(message, &frame);
    const io::PeerMessage small = raft::Message(raft::StandNow{Term(1)});
    while (parts < model::kPeerFramePartsMax) parts += EncodeMessage(small, &frame);
    EXPECT_TRUE(DecodeFrame(frame, &messages));
    EncodeMessage(small, &frame);
    EXPECT_FALSE(DecodeFrame(frame, &messages));
  }
}

TEST(Wire, EntriesBeyondTheLastRevisionAreRefused) {
  std::vector<io::PeerMessage> messages;
  raft::AppendRequest request{.previous = Revision(std::numeric_limits<int64_t>::max())};
  EXPECT_TRUE(DecodeFrame(Encode({raft::Message(request)}), &messages));
  request.entries.push_back(SampleEntry(request.previous.value() + 1, model::EntryKind::kNoop, ""));
  EXPECT_FALSE(DecodeFrame(Encode({raft::Message(request)}), &messages));
}

}  // namespace
}  // namespace pando::protocol
