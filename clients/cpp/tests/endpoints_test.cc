#include "endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"

namespace pando::client {
namespace {

using std::chrono::milliseconds;

TEST(Endpoints, OnlyARoundInWhichNoneWasOfUseIsPaidFor) {
  Endpoints endpoints({"a", "b"});
  EXPECT_EQ(endpoints.Leave(NoServer("away")), milliseconds(0));
  EXPECT_EQ(endpoints.current(), "b");
  EXPECT_EQ(endpoints.Leave(NoServer("away")), milliseconds(20));
  EXPECT_EQ(endpoints.current(), "a");
  endpoints.Leave(NoServer("away"));
  EXPECT_EQ(endpoints.Leave(NoServer("away")), milliseconds(40));
  for (int i = 0; i < 20; ++i) endpoints.Leave(NoServer("away"));
  endpoints.Leave(NoServer("away"));
  EXPECT_EQ(endpoints.Leave(NoServer("away")), milliseconds(500));
  endpoints.WasGood();
  endpoints.Leave(NoServer("away"));
  EXPECT_EQ(endpoints.Leave(NoServer("away")), milliseconds(20));
}

TEST(Endpoints, WhatIsWrongWithEachIsSaid) {
  Endpoints endpoints({"a:1", "b:2"});
  endpoints.Leave(NoServer("away"));
  EXPECT_EQ(endpoints.Failures(), "a:1: away; b:2: has not answered yet");
  endpoints.Leave(NoServer("asleep"));
  EXPECT_EQ(endpoints.Failures(), "a:1: away; b:2: asleep");
}

}  // namespace
}  // namespace pando::client
