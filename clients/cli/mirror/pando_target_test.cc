#include "cli/mirror/pando_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "model/limits.h"

namespace pando::cli {
namespace {

using ::testing::HasSubstr;

Write PutOf(const std::string& path) {
  Write write;
  write.path = path;
  write.data = "data";
  write.acl = model::OpenAcl();
  write.is_new = write.sets_data = write.sets_acl = true;
  return write;
}

TEST(PandoTarget, APutMakesWhatIsNotThereAndSetsWhatHasChanged) {
  Write write = PutOf("/a");
  write.is_new = write.sets_acl = false;
  const v1::PipelineOperation operation = OperationOf(write);
  const v1::TransactRequest& transact = operation.transact();
  ASSERT_EQ(transact.compares_size(), 1);
  EXPECT_EQ(transact.compares(0).subject(), v1::COMPARE_SUBJECT_EXISTS);
  EXPECT_EQ(transact.compares(0).number(), 0);
  ASSERT_EQ(transact.then_operations_size(), 1);
  EXPECT_EQ(transact.then_operations(0).create().data(), "data");
  EXPECT_EQ(transact.then_operations(0).create().acl_size(), 1);
  ASSERT_EQ(transact.else_operations_size(), 1);
  EXPECT_EQ(transact.else_operations(0).set().data(), "data");
}

TEST(PandoTarget, NullDataStaysNull) {
  Write write = PutOf("/a");
  write.data.reset();
  const v1::PipelineOperation operation = OperationOf(write);
  EXPECT_FALSE(operation.transact().then_operations(0).create().has_data());
  EXPECT_FALSE(operation.transact().else_operations(0).set().has_data());
}

TEST(PandoTarget, WhatNoMessageCarriesIsNotSent) {
  EXPECT_EQ(ObjectionTo(PutOf("/a")), "");
  EXPECT_NE(ObjectionTo(PutOf("/a/\xff")), "");
  EXPECT_NE(ObjectionTo(PutOf("/" + std::string(model::kPathBytesMax, 'n'))), "");

  Write big = PutOf("/a");
  big.data = std::string(model::kValueBytesHardMax, 'x');
  EXPECT_EQ(ObjectionTo(big), "");
  big.data->push_back('x');
  EXPECT_THAT(ObjectionTo(big), HasSubstr("2.0 MiB"));

  Write acl = PutOf("/a");
  acl.acl.assign(model::kAclEntriesMax, {1, {"ip", "10.0.0.1"}});
  EXPECT_EQ(ObjectionTo(acl), "");
  acl.acl.push_back(acl.acl.front());
  EXPECT_THAT(ObjectionTo(acl), HasSubstr("128 entries"));
  acl.acl = {{1, {"digest", "\xff"}}};
  EXPECT_THAT(ObjectionTo(acl), HasSubstr("no text"));
}

}  // namespace
}  // namespace pando::cli
