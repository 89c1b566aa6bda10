// The numbers of sequential nodes, beyond those that ZooKeeper's clients can read.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <utility>

#include "codec/record.h"
#include "machine/machine.h"

namespace pando::machine {
namespace {

using model::Reason;
using Records = std::map<std::string, std::string>;

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();

class SequenceTest : public testing::Test {
 protected:
  // A machine whose node /q has had so many children.
  SequenceTest() {
    Machine young;
    Records records;
    uint64_t revision = 0;
    for (model::CommandBody body : {model::CommandBody(model::Found{model::ClusterId(1)}),
                                    model::CommandBody(model::Create{.path = "/q"}),
                                    model::CommandBody(model::Create{.path = "/q/n"})}) {
      const Applied applied = young.Apply(model::Revision(++revision), CommandOf(std::move(body)));
      for (const model::RecordWrite& write : applied.delta.writes) {
        if (write.value) records[write.key] = *write.value;
      }
    }
    codec::DirectoryRecord directory;
    EXPECT_TRUE(codec::DecodeDirectory(records[codec::DirectoryKey("/q")], &directory));
    directory.creates = kInt32Max;
    records[codec::DirectoryKey("/q")] = codec::EncodeDirectory(directory);
    uint64_t digest = 0;
    for (const auto& [key, value] : records) {
      EXPECT_EQ(old_.Load(key, value), absl::OkStatus());
      digest += codec::RecordDigest(key, value);
    }
    revision_ = revision;
    EXPECT_EQ(old_.FinishLoad(model::Revision(revision), digest), absl::OkStatus());
  }

  static model::Command CommandOf(model::CommandBody body) {
    return {.identities = {{"super", ""}}, .body = std::move(body)};
  }
  // The path that it got, or why not.
  std::string Create(bool is_int32) {
    const model::Reply reply =
        old_.Apply(model::Revision(++revision_),
                   CommandOf(model::Create{
                       .path = "/q/s", .sequential = true, .sequence_is_int32 = is_int32}))
            .reply;
    return reply.ok() ? std::get<model::OperationResult>(reply.result).path
                      : model::ReasonName(reply.error.reason);
  }

 private:
  Machine old_;
  uint64_t revision_ = 0;
};

TEST_F(SequenceTest, TheLastOf31BitsIsTheLastForWhoReadsNoLarger) {
  EXPECT_EQ(Create(true), "/q/s2147483647");
  EXPECT_EQ(Create(true), "QUOTA_EXCEEDED");
  EXPECT_EQ(Create(false), "/q/s2147483648");
  EXPECT_EQ(Create(true), "QUOTA_EXCEEDED");
}

}  // namespace
}  // namespace pando::machine
