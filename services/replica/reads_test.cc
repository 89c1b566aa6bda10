#include "replica/reads.h"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::replica {
namespace {

constexpr base::Instant At(int seconds) { return {std::chrono::seconds(seconds)}; }

Read ReadOf(uint64_t tag) {
  Read read;
  read.responder.tag = tag;
  return read;
}

std::vector<uint64_t> Tags(const std::vector<Read>& reads) {
  std::vector<uint64_t> tags;
  for (const Read& read : reads) tags.push_back(read.responder.tag);
  return tags;
}

using List = std::vector<uint64_t>;

TEST(Reads, AReadWaitsForItsRevision) {
  Reads reads;
  Read read = ReadOf(1);
  read.needs = model::Revision(5);
  EXPECT_FALSE(Reads::Ready(read, model::Revision(4)));
  EXPECT_TRUE(Reads::Ready(read, model::Revision(5)));
  reads.Add(std::move(read));
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(4))), List{});
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(5))), List{1});
  EXPECT_EQ(reads.size(), 0u);
}

TEST(Reads, AReadWaitsForItsPlace) {
  Reads reads;
  Read read = ReadOf(1);
  read.at_front = false;
  const Reads::Key key = reads.Add(std::move(read));
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(9))), List{});
  reads.ReachedFront(key);
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(0))), List{1});
}

TEST(Reads, OneRoundGrantsAllThatWaited) {
  Reads reads;
  EXPECT_FALSE(reads.StartRound().has_value());
  for (const uint64_t tag : {1, 2}) {
    Read read = ReadOf(tag);
    read.granted = false;
    reads.Add(std::move(read));
  }
  const uint64_t round = *reads.StartRound();
  EXPECT_FALSE(reads.StartRound().has_value());
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(9))), List{});
  EXPECT_TRUE(reads.Grant(round, model::Revision(10), std::nullopt).empty());
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(9))), List{});
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(10))), (List{1, 2}));
}

TEST(Reads, AReadOfALaterRoundIsNotGrantedByAnEarlierOne) {
  Reads reads;
  Read early = ReadOf(1), late = ReadOf(2);
  early.granted = late.granted = false;
  reads.Add(std::move(early));
  const uint64_t round = *reads.StartRound();
  reads.Add(std::move(late));
  EXPECT_TRUE(reads.Grant(round, model::Revision(0), std::nullopt).empty());
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(0))), List{1});
  EXPECT_EQ(reads.size(), 1u);
}

TEST(Reads, AReadExpiresWhereverItStands) {
  Reads reads;
  Read read = ReadOf(1);
  read.at_front = false;
  read.granted = false;
  read.deadline = At(3);
  const Reads::Key key = reads.Add(std::move(read));
  EXPECT_EQ(reads.next_deadline(), At(3));
  EXPECT_EQ(Tags(reads.TakeExpired(At(2))), List{});
  EXPECT_EQ(Tags(reads.TakeExpired(At(3))), List{1});
  reads.ReachedFront(key);
  EXPECT_TRUE(reads.Grant(*reads.StartRound(), model::Revision(0), std::nullopt).empty());
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(9))), List{});
}

TEST(Reads, WhatAConfirmedLeaderDoesNotHaveIsWaitedForInVain) {
  Reads reads;
  for (const uint64_t tag : {1, 2}) {
    Read read = ReadOf(tag);
    read.granted = false;
    read.needs = model::Revision(10 + tag);
    reads.Add(std::move(read));
  }
  const auto round = reads.StartRound();
  ASSERT_TRUE(round.has_value());
  EXPECT_EQ(Tags(reads.Grant(*round, model::Revision(5), model::Revision(11))), List{2});
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(12))), List{1});
  EXPECT_EQ(reads.size(), 0u);
}

// Without a leader no round is granted, however many reads come and expire.
TEST(Reads, RoundsThatWaitForALeaderAreBounded) {
  Reads reads;
  const auto add = [&reads](uint64_t tag, int deadline) {
    Read read = ReadOf(tag);
    read.granted = false;
    read.deadline = At(deadline);
    reads.Add(std::move(read));
  };
  std::vector<uint64_t> rounds;
  for (uint64_t tag = 1; tag <= model::kReadRoundsMax; ++tag) {
    add(tag, 1);
    const auto round = reads.StartRound();
    ASSERT_TRUE(round.has_value());
    rounds.push_back(*round);
  }
  add(1'000, 2);
  EXPECT_FALSE(reads.StartRound().has_value());
  EXPECT_EQ(reads.TakeExpired(At(1)).size(), model::kReadRoundsMax);
  add(1'001, 3);
  EXPECT_FALSE(reads.StartRound().has_value());
  EXPECT_EQ(Tags(reads.TakeExpired(At(2))), List{1'000});
  // What still waits goes into the next round, once there is a leader.
  EXPECT_TRUE(reads.Grant(rounds[0], model::Revision(0), std::nullopt).empty());
  const auto next = reads.StartRound();
  ASSERT_TRUE(next.has_value());
  EXPECT_TRUE(reads.Grant(*next, model::Revision(0), std::nullopt).empty());
  EXPECT_EQ(Tags(reads.TakeReady(model::Revision(0))), List{1'001});
}

}  // namespace
}  // namespace pando::replica
