#include "replica/formation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pando::replica {
namespace {

constexpr model::ServerId kOne{1}, kTwo{2}, kThree{3};

std::string Address(model::ServerId id) { return absl::StrCat("10.0.0.", id.value(), ":7401"); }
model::StorageId StorageOf(model::ServerId id) { return model::StorageId(100 + id.value()); }

// What the operator of `id` gave it: three servers, its own row complete.
model::Membership ListOf(model::ServerId id) {
  model::Membership list;
  for (const model::ServerId each : {kOne, kTwo, kThree}) {
    model::Member member;
    member.id = each;
    member.peer_address = Address(each);
    if (each == id) {
      member.storage = StorageOf(each);
      member.client_address = absl::StrCat("client-", each.value());
    }
    list.members.push_back(member);
  }
  return list;
}

Forming Fresh(model::ServerId id) { return Forming(id, ListOf(id), {}); }

// `to` hears `from`, and `from` hears the answer.
void Meet(Forming& from, model::ServerId from_id, Forming& to, model::ServerId to_id) {
  const io::Announce announce = from.Announcement();
  to.HearAnnounce(from_id, announce);
  if (to.AnswerTo(from_id, announce).recorded) from.HearRecorded(to_id);
}

TEST(Forming, ThreeFormOnceEveryoneHasRecordedEveryone) {
  std::vector<Forming> servers = {Fresh(kOne), Fresh(kTwo), Fresh(kThree)};
  for (size_t from = 0; from < servers.size(); ++from) {
    for (size_t to = 0; to < servers.size(); ++to) {
      if (from == to) continue;
      EXPECT_FALSE(servers[from].Complete());
      Meet(servers[from], model::ServerId(from + 1), servers[to], model::ServerId(to + 1));
    }
  }
  for (const Forming& server : servers) {
    EXPECT_TRUE(server.Complete());
    // The same membership everywhere, with what each said of itself.
    EXPECT_EQ(server.state().members, servers[0].state().members);
    for (const model::Member& member : server.state().members.members) {
      EXPECT_EQ(member.storage, StorageOf(member.id));
      EXPECT_EQ(member.client_address, absl::StrCat("client-", member.id.value()));
    }
  }
}

TEST(Forming, AServerThatIsMissingHoldsItUp) {
  Forming one = Fresh(kOne), two = Fresh(kTwo);
  Meet(one, kOne, two, kTwo);
  Meet(two, kTwo, one, kOne);
  EXPECT_EQ(one.Missing(), std::vector<model::ServerId>{kThree});
  EXPECT_FALSE(one.Complete());
}

// To know somebody is not to be known.
TEST(Forming, BothDirectionsCount) {
  Forming one = Fresh(kOne), two = Fresh(kTwo);
  Meet(one, kOne, two, kTwo);
  EXPECT_EQ(one.Missing(), (std::vector<model::ServerId>{kTwo, kThree}));
  EXPECT_EQ(two.Missing(), (std::vector<model::ServerId>{kOne, kThree}));
}

TEST(Forming, WhoeverComesBackWithoutItsDataIsNotRecordedAgain) {
  Forming one = Fresh(kOne);
  EXPECT_TRUE(one.HearAnnounce(kTwo, Fresh(kTwo).Announcement()));

  model::Membership wiped = ListOf(kTwo);
  wiped.Find(kTwo)->storage = model::StorageId(999);
  const io::Announce again = Forming(kTwo, wiped, {}).Announcement();
  EXPECT_FALSE(one.HearAnnounce(kTwo, again));
  EXPECT_FALSE(one.AnswerTo(kTwo, again).recorded);
  EXPECT_EQ(one.state().members.Find(kTwo)->storage, StorageOf(kTwo));
}

TEST(Forming, TheSameAnnouncementAgainIsNoNewsButRecorded) {
  Forming one = Fresh(kOne);
  const io::Announce announce = Fresh(kTwo).Announcement();
  EXPECT_TRUE(one.HearAnnounce(kTwo, announce));
  EXPECT_FALSE(one.HearAnnounce(kTwo, announce));
  EXPECT_TRUE(one.AnswerTo(kTwo, announce).recorded);
}

TEST(Forming, AnotherListIsRefused) {
  Forming one = Fresh(kOne);
  model::Membership moved = ListOf(kTwo);
  moved.Find(kThree)->peer_address = "10.9.9.9:7401";
  model::Membership longer = ListOf(kTwo);
  longer.members.push_back({.id = model::ServerId(4), .peer_address = "10.0.0.4:7401"});
  for (const model::Membership& list : {moved, longer}) {
    const io::Announce announce = Forming(kTwo, list, {}).Announcement();
    EXPECT_FALSE(one.HearAnnounce(kTwo, announce));
    EXPECT_FALSE(one.AnswerTo(kTwo, announce).recorded);
  }
}

TEST(Forming, AStrangerAndAMirrorAreNotHeard) {
  Forming one = Fresh(kOne);
  const model::Formation before = one.state();
  EXPECT_FALSE(one.HearAnnounce(model::ServerId(4), Fresh(kTwo).Announcement()));
  EXPECT_FALSE(one.HearAnnounce(kOne, one.Announcement()));
  EXPECT_EQ(one.state(), before);
}

TEST(Forming, WhatWasRecordedSurvivesARestart) {
  Forming one = Fresh(kOne);
  one.HearAnnounce(kTwo, Fresh(kTwo).Announcement());

  model::Membership list = ListOf(kOne);
  list.Find(kOne)->client_address = "moved";
  Forming restarted(kOne, list, one.state());
  EXPECT_EQ(restarted.state().members.Find(kTwo)->storage, StorageOf(kTwo));
  EXPECT_EQ(restarted.state().members.Find(kOne)->client_address, "moved");
  // Who had recorded it has to say so again.
  EXPECT_FALSE(restarted.Complete());
  restarted.SetComplete();
  EXPECT_TRUE(Forming(kOne, list, restarted.state()).Complete());
}

TEST(Forming, AListWithoutItselfIsACallersMistake) {
  model::Membership list = ListOf(kOne);
  list.Find(kOne)->storage = {};
  EXPECT_DEATH(Forming(kOne, list, {}), "storage");
}

}  // namespace
}  // namespace pando::replica
