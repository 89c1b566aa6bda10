#include "model/path.h"

#include <string>

#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::model {
namespace {

TEST(Path, WhatZooKeeperAcceptsIsAccepted) {
  for (const std::string path : {"/", "/a", "/a/b", "/a b", "/...", "/.a", "/\u00a0", "/\u00e9",
                                 "/\uf900", "/\uffef", "/~", "/zookeeper/quota"}) {
    EXPECT_TRUE(ValidatePath(path).ok()) << path;
  }
}

TEST(Path, WhatZooKeeperRefusesIsRefused) {
  for (const std::string& path :
       {std::string(), std::string("a"), std::string("/a/"), std::string("//"),
        std::string("/a//b"), std::string("/."), std::string("/.."), std::string("/a/./b"),
        std::string("/a/../b"), std::string("/a\0b", 4), std::string("/\x1f"), std::string("/\x7f"),
        std::string("/\u0080"), std::string("/\u009f"), std::string("/\ue000"),
        std::string("/\uf8ff"), std::string("/\ufff0"), std::string("/\U0001f333")}) {
    EXPECT_FALSE(ValidatePath(path).ok()) << path;
  }
}

TEST(Path, OnlyUtf8IsAccepted) {
  for (const std::string path : {"/\x80", "/\xc3", "/\xc0\xaf", "/\xe0\x80\xaf", "/\xed\xa0\x80",
                                 "/\xf8\x88\x80\x80\x80", "/\xff", "/\xe2\x82"}) {
    EXPECT_FALSE(ValidatePath(path).ok()) << path;
  }
}

TEST(Path, IsBoundedInBytesAndDepth) {
  EXPECT_TRUE(ValidatePath("/" + std::string(kPathBytesMax - 1, 'x')).ok());
  EXPECT_FALSE(ValidatePath("/" + std::string(kPathBytesMax, 'x')).ok());
  std::string deep;
  for (size_t i = 0; i < kPathDepthMax; ++i) deep += "/x";
  EXPECT_TRUE(ValidatePath(deep).ok());
  EXPECT_FALSE(ValidatePath(deep + "/x").ok());
}

TEST(Path, ComesApartAndTogether) {
  EXPECT_EQ(ParentPath("/a/b"), "/a");
  EXPECT_EQ(ParentPath("/a"), "/");
  EXPECT_EQ(ParentPath("/"), "/");
  EXPECT_EQ(ParentPath("a/b"), "a");
  EXPECT_EQ(LastName("/a/b"), "b");
  EXPECT_EQ(LastName("/"), "");
  EXPECT_EQ(JoinPath("/", "a"), "/a");
  EXPECT_EQ(JoinPath("/a", "b"), "/a/b");
}

TEST(Path, IsWithinGoesByWholeComponents) {
  EXPECT_TRUE(IsWithin("/a/b", "/a"));
  EXPECT_TRUE(IsWithin("/a", "/a"));
  EXPECT_TRUE(IsWithin("/a", "/"));
  EXPECT_FALSE(IsWithin("/ab", "/a"));
  EXPECT_FALSE(IsWithin("/", "/a"));
}

}  // namespace
}  // namespace pando::model
