#include "zookeeper/server_list.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;
using model::ServerId;

ErrorCode Joining(const std::string& text, WantedServers* wanted) {
  return ParseWanted({.joining = text}, wanted);
}
ErrorCode JoiningError(const std::string& text) {
  WantedServers wanted;
  return Joining(text, &wanted);
}
ErrorCode LeavingError(const std::string& text) {
  WantedServers wanted;
  return ParseWanted({.leaving = text}, &wanted);
}
ErrorCode WholeError(const std::string& text) {
  WantedServers wanted;
  return ParseWanted({.new_members = text}, &wanted);
}

TEST(ServerList, EveryFormOfAServer) {
  WantedServers wanted;
  ASSERT_EQ(Joining("server.4=a.example:2888:3888:observer;b.example:2181,"
                    "server.5=[::1]:1:2:PARTICIPANT;[::1]:3, server.6=c:1:2;2181,"
                    "server.7=d:1:2;0.0.0.0:2181",
                    &wanted),
            ErrorCode::kOk);
  const std::vector<ListedServer> expected = {
      {ServerId(4), "a.example:2888", false, "b.example", "2181"},
      {ServerId(5), "[::1]:1", true, "[::1]", "3"},
      {ServerId(6), "c:1", true, "", "2181"},
      {ServerId(7), "d:1", true, "", "2181"}};
  EXPECT_EQ(wanted.joining, expected);
  EXPECT_FALSE(wanted.whole);
}

TEST(ServerList, WhoLeavesIsNamedByNumber) {
  WantedServers wanted;
  ASSERT_EQ(ParseWanted({.leaving = "3, 5,0,99999"}, &wanted), ErrorCode::kOk);
  EXPECT_EQ(wanted.leaving, (std::vector<ServerId>{ServerId(3), ServerId(5)}))
      << "nobody has the others' numbers";
  EXPECT_EQ(LeavingError("server.3"), ErrorCode::kMarshallingError);
}

TEST(ServerList, AWholeConfiguration) {
  WantedServers wanted;
  ASSERT_EQ(ParseWanted({.joining = "ignored",
                         .new_members = "server.1=a:1:2;3\nserver.2=b:1:2:observer;3,version=1f\n"},
                        &wanted),
            ErrorCode::kOk);
  EXPECT_TRUE(wanted.whole);
  ASSERT_EQ(wanted.joining.size(), 2u);
  EXPECT_EQ(wanted.joining[1].id, ServerId(2));
  EXPECT_EQ(WholeError("group.1=1:2"), ErrorCode::kUnimplemented);
  EXPECT_EQ(WholeError("weight.1=3"), ErrorCode::kUnimplemented);
  EXPECT_EQ(WholeError("clientPort=2181"), ErrorCode::kBadArguments);
}

TEST(ServerList, WhatIsNoServer) {
  for (const char* text :
       {"some thing", "server.4", "server.4=", "server.4=a:1:2", "server.4=a:1:2;",
        "server.4=a:1;3", "server.4=a:1:2:learner;3", "server.4=a:1:2:observer:x;3",
        "server.4=a:1:x;3", "server.4=a:0:2;3", "server.4=a:1:2;65536", "server.4=:1:2;3",
        "server.4=a:1:2;b:c:3", "server.4=a=b:1:2;3", "server.4=a:1:2;3,server.4=b:1:2;3",
        "server.4=a:1:2;3,server.5=a:1:9;4", "server.4=[::1:1:2;3"}) {
    EXPECT_EQ(JoiningError(text), ErrorCode::kBadArguments) << text;
  }
  EXPECT_EQ(JoiningError("server.x=a:1:2;3"), ErrorCode::kMarshallingError);
  EXPECT_EQ(JoiningError("server.0=a:1:2;3"), ErrorCode::kUnimplemented);
  EXPECT_EQ(JoiningError("server.65536=a:1:2;3"), ErrorCode::kUnimplemented);
  EXPECT_EQ(JoiningError("server.4=a:1:2|b:1:2;3"), ErrorCode::kUnimplemented);
}

}  // namespace
}  // namespace pando::zookeeper
