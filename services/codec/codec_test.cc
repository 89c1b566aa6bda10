// Every encoding: what goes in comes out; what is cut off or changed is refused or decodes to
// something that encodes back to the same bytes; nothing crashes.
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "codec/testing/samples.h"
#include "gtest/gtest.h"

namespace pando::codec {
namespace {

TEST(Codec, WhatGoesInComesOut) {
  for (const auto& [name, format] : Formats()) {
    for (const std::string& sample : format.samples) {
      EXPECT_EQ(format.recode(sample), sample) << name;
    }
  }
  EXPECT_FALSE(Formats()["command"].samples.empty());
}

// Kept replies, node data and the like end with raw bytes: cut, they are other values.
TEST(Codec, NothingThatIsCutOffOrTooLongIsRead) {
  for (const std::string name : {"command", "reply", "changes", "directory", "acl", "session",
                                 "source", "membership", "formation"}) {
    const Format format = Formats()[name];
    for (const std::string& sample : format.samples) {
      for (size_t size = 0; size < sample.size(); ++size) {
        EXPECT_EQ(format.recode(std::string_view(sample).substr(0, size)), std::nullopt) << name;
      }
      EXPECT_EQ(format.recode(sample + '\0'), std::nullopt) << name;
    }
  }
}

// ACLs of a change log's block are numbered in the order of use; others may be read.
TEST(Codec, EveryValueHasOneForm) {
  base::Rng rng(20261125);
  for (const auto& [name, format] : Formats()) {
    if (name == "changes") continue;
    for (const std::string& sample : format.samples) {
      for (int round = 0; round < 2'000; ++round) {
        std::string bytes = sample;
        for (uint64_t i = rng.Between(1, 3); i > 0; --i) {
          bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
        }
        const std::optional<std::string> again = format.recode(bytes);
        if (again) {
          EXPECT_EQ(*again, bytes) << name;
        }
      }
    }
  }
}

TEST(Codec, DamagedChangesAreRefusedOrReadWhole) {
  base::Rng rng(7);
  const Format format = Formats()["changes"];
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = format.samples[0];
    bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
    std::vector<std::shared_ptr<const model::ChangeBatch>> batches;
    if (!DecodeChangeBatches(bytes, &batches)) continue;
    for (const auto& batch : batches) {
      for (const model::Change& change : batch->changes) {
        ASSERT_NE(change.acl, nullptr);
        ASSERT_NE(change.parent_acl, nullptr);
      }
    }
  }
}

TEST(Codec, KeptRepliesLeaveOutWhatWasRead) {
  model::OperationResult read{.path = "/a", .data = "large"};
  model::Reply reply{.revision = model::Revision(3),
                     .result = model::TransactionResult{.compared_true = true, .results = {read}}};
  model::Reply kept;
  ASSERT_TRUE(DecodeReply(EncodeReply(reply), &kept));
  const auto& result = std::get<model::TransactionResult>(kept.result);
  EXPECT_TRUE(result.data_omitted);
  EXPECT_EQ(result.results[0].data, std::nullopt);
}

// A log that its own server cannot read stops that server for good, so what a command may say is
// decided where it is applied.
TEST(Codec, ACommandIsReadHoweverSenselessItIs) {
  const model::Acl acl = {{0, {}}, {model::kAllPermissions + 1, {}}, {~0u, {"", "anyone"}}};
  model::Transaction transaction;
  transaction.compares = {{.number = -1}};
  transaction.then_operations = {model::Create{.ttl_ms = -1, .acl = acl}, model::Get{}};
  transaction.else_operations = {model::Check{.expected_version = -1}};
  for (const model::CommandBody& body :
       {model::CommandBody(model::Create{.path = "no path", .acl = acl}),
        model::CommandBody(model::SetAcl{.acl = acl, .expected_acl_version = -1}),
        model::CommandBody(transaction), model::CommandBody(model::OpenSession{-1, "short"})}) {
    const std::string bytes = EncodeCommand(SampleCommand(body));
    model::Command command;
    ASSERT_TRUE(DecodeCommand(bytes, &command)) << body.index();
    EXPECT_EQ(EncodeCommand(command), bytes) << body.index();
  }
}

TEST(Codec, AHashOfARequestIsOfItsBodyOnly) {
  const std::vector<model::CommandBody> bodies = SampleBodies();
  EXPECT_EQ(HashBody(bodies[4]), HashBody(bodies[4]));
  EXPECT_NE(HashBody(bodies[4]), HashBody(bodies[5]));
}

TEST(RecordKeys, ParentsComeBeforeChildrenAndChildrenAreContiguous) {
  const std::vector<std::string> in_order = {
      NodeKey("/"),      DirectoryKey("/"), NodeKey("/a"),    DirectoryKey("/a"),
      NodeKey("/a-"),    NodeKey("/b"),     NodeKey("/a/x"),  DirectoryKey("/a/x"),
      NodeKey("/a/x.y"), NodeKey("/a/z"),   NodeKey("/a-/c"), NodeKey("/a/x/deep")};
  // "/a-" sorts before "/a/": its children stand between those of "/a" and what is deeper there.
  for (size_t i = 1; i < in_order.size(); ++i) EXPECT_LT(in_order[i - 1], in_order[i]) << i;
}

TEST(RecordKeys, RangesHoldTheSubtreeAndNothingElse) {
  const std::vector<std::string> paths = {"/", "/a", "/a-", "/a0", "/a/x", "/a/x/y", "/a-/x", "/b"};
  const auto in = [](const std::vector<KeyRange>& ranges, const std::string& key) {
    int times = 0;
    for (const KeyRange& range : ranges) times += range.begin <= key && key < range.end;
    return times;
  };
  for (const std::string& root : paths) {
    for (const std::string& path : paths) {
      const bool within = root == "/" || path == root || path.rfind(root + "/", 0) == 0;
      EXPECT_EQ(in(SubtreeRanges(root), NodeKey(path)), within) << root << " " << path;
      EXPECT_EQ(in(SubtreeRanges(root), DirectoryKey(path)), within) << root << " " << path;
      EXPECT_EQ(in({NodeRange(root)}, NodeKey(path)), path == root) << root << " " << path;
    }
  }
  EXPECT_EQ(in({ChildrenRange("/")}, NodeKey("/a")), 1);
  EXPECT_EQ(in({ChildrenRange("/")}, NodeKey("/")), 0);
  EXPECT_EQ(in({ChildrenRange("/")}, NodeKey("/a/x")), 0);
  EXPECT_EQ(in({ChildrenRange("/a")}, NodeKey("/a/x")), 1);
  EXPECT_EQ(in({ChildrenRange("/a")}, NodeKey("/a-/x")), 0);
}

TEST(RecordKeys, NamesComeBackFromKeys) {
  for (const std::string path : {"/", "/a", "/a/b", "/a/b/c d"}) {
    EXPECT_EQ(ParseNodeKey(NodeKey(path))->path(), path);
    EXPECT_FALSE(ParseNodeKey(NodeKey(path))->directory);
    EXPECT_EQ(ParseNodeKey(DirectoryKey(path))->path(), path);
    EXPECT_TRUE(ParseNodeKey(DirectoryKey(path))->directory);
  }
  for (const std::string_view bad :
       {std::string_view("n"), std::string_view("na"), std::string_view("n/\0a", 4),
        std::string_view("n/a\0", 4), std::string_view("n\0a/b", 5), std::string_view("x\0a", 3),
        std::string_view("na\0b", 4)}) {
    EXPECT_EQ(ParseNodeKey(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(ParseAclKey(AclKey(5)), 5u);
  EXPECT_EQ(ParseSessionKey(SessionKey(model::SessionId(1u << 30))), model::SessionId(1u << 30));
  EXPECT_EQ(ParseSourceKey(SourceKey(model::StorageId(9))), model::StorageId(9));
  EXPECT_EQ(ParseSessionKey(SourceKey(model::StorageId(9))), std::nullopt);
  const auto kept = ParseKeptReplyKey(KeptReplyKey(model::SessionId(1), model::RequestId(2)));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->session, model::SessionId(1));
  EXPECT_EQ(kept->request, model::RequestId(2));
}

}  // namespace
}  // namespace pando::codec
