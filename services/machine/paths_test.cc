// What becomes of writes to paths that no node can have.
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "machine/machine.h"
#include "model/limits.h"

namespace pando::machine {
namespace {

using model::Reason;
using model::Reply;

class PathsTest : public testing::Test {
 protected:
  PathsTest() { Do(model::Found{model::ClusterId(5)}); }

  Reply Do(model::CommandBody body) {
    model::Command command;
    command.body = std::move(body);
    return machine_.Apply(model::Revision(++revision_), command).reply;
  }
  Reason Create(const std::string& path, model::Create with = {}) {
    with.path = path;
    return Do(std::move(with)).error.reason;
  }
  Reason Delete(const std::string& path) { return Do(model::Delete{.path = path}).error.reason; }
  int64_t Children(const std::string& path) {
    const Reply reply = machine_.Query({.identities = {}, .body = model::Get{.path = path}});
    return std::get<model::OperationResult>(reply.result).stat.children_count;
  }

  Machine machine_;
  uint64_t revision_ = 0;
};

// ZooKeeper looks for the parent first, under whatever name.
TEST_F(PathsTest, ABadPathIsBadOnlyWhereItsParentIs) {
  Create("/a");
  using std::string_literals::operator""s;
  for (const std::string& path : {"/a/."s, "/a/.."s, "/a/\x01"s, "//"s, "/a/"s}) {
    EXPECT_EQ(Create(path), Reason::kInvalidPath) << path;
    EXPECT_EQ(Delete(path), Reason::kNoNode) << path;
  }
  for (const std::string& path : {"/b/."s, "/a/./b"s, "/a//b"s, "a/b"s, "/b/"s}) {
    EXPECT_EQ(Create(path), Reason::kNoParent) << path;
    EXPECT_EQ(Create(path, {.sequential = true}), Reason::kNoParent) << path;
    EXPECT_EQ(Delete(path), Reason::kNoNode) << path;
    // Nothing bad is made on the way to one.
    EXPECT_EQ(Create(path, {.create_parents = true}), Reason::kInvalidPath) << path;
  }
  for (const std::string& path : {""s, "a"s, "/b/\0"s, "/a\0/b"s}) {
    EXPECT_EQ(Create(path), Reason::kInvalidPath) << path;
    EXPECT_EQ(Delete(path), Reason::kInvalidPath) << path;
  }
  EXPECT_EQ(Children("/"), 1);
  EXPECT_EQ(Children("/a"), 0);
}

TEST_F(PathsTest, WhatIsToldOfABadPathIsBounded) {
  const std::string path(100 * model::kPathBytesMax, '/');
  for (const Reply& reply : {Do(model::Create{.path = path}), Do(model::Delete{.path = path}),
                             Do(model::Create{.path = path, .create_parents = true})}) {
    EXPECT_FALSE(reply.ok());
    EXPECT_LE(reply.error.path.size(), model::kPathBytesMax);
  }
}

}  // namespace
}  // namespace pando::machine
