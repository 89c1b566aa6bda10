// Every encoding: what goes in comes out; what is cut off or changed is refused or decodes to
// something that encodes back to the same bytes; nothing crashes.
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "codec/change.h"
#include "codec/command.h"
#include "codec/formation.h"
#include "codec/membership.h"
#include "codec/record.h"
#include "codec/reply.h"
#include "gtest/gtest.h"

namespace pando::codec {
namespace {

using model::Reason;

const model::Acl kAcl = {{model::kRead, {"digest", "ann:hash"}},
                         {model::kAllPermissions, {"ip", "10.0.0.1"}}};

model::Command SampleCommand(model::CommandBody body) {
  model::Command command;
  command.source = {model::StorageId(0xfedcba9876543210), model::StartCount(3)};
  command.number = model::SourceNumber(77);
  command.stamp = {1'700'000'000'000};
  command.identities = {{"world", "anyone"}, {"digest", "ann:hash"}};
  command.session = model::SessionId(12);
  command.attachment = model::Attachment(13);
  command.request = model::RequestId(5);
  command.first_outstanding = model::RequestId(4);
  command.request_hash = 0x0123456789abcdef;
  command.body = std::move(body);
  return command;
}

std::vector<model::CommandBody> SampleBodies() {
  const model::Create create{.path = "/a/b",
                             .data = "x",
                             .kind = model::NodeKind::kTtl,
                             .sequential = true,
                             .ttl_ms = 5,
                             .acl = kAcl,
                             .create_parents = true,
                             .if_not_exists = true};
  const model::Set set{.path = "/a", .data = "", .expected_version = 3};
  const model::Delete del{.path = "/a", .expected_version = 0, .recursive = true};
  const model::SetAcl set_acl{
      .path = "/a", .acl = kAcl, .expected_acl_version = 1, .recursive = true};
  model::Transaction transaction;
  transaction.compares = {{.path = "/a",
                           .subject = model::Compare::Subject::kData,
                           .relation = model::Compare::Relation::kLess,
                           .number = -4,
                           .bytes = "q"}};
  transaction.then_operations = {
      create, set, del, set_acl, model::Check{"/c", 2}, model::Get{"/d", true}};
  transaction.else_operations = {model::Set{.path = "/n", .data = std::nullopt}};
  return {model::Nothing{},
          model::Refuse{Reason::kNoSpace},
          model::Found{model::ClusterId(9)},
          model::SetMachineVersion{2},
          create,
          set,
          del,
          set_acl,
          transaction,
          model::OpenSession{10'000, std::string(32, 'h')},
          model::AttachSession{model::SessionId(4)},
          model::CloseSession{model::SessionId(5)},
          model::ExpireSessions{{model::SessionId(6), model::SessionId(7)}},
          model::Reap{{{"/r", model::Revision(8), {9}}}}};
}

model::Stat SampleStat() {
  model::Stat stat;
  stat.create_revision = model::Revision(5);
  stat.modify_revision = model::Revision(700);
  stat.children_revision = model::Revision(6);
  stat.ctime = {1};
  stat.mtime = {-2};
  stat.version = 3;
  stat.children_version = 4;
  stat.acl_version = 5;
  stat.ephemeral_owner = model::SessionId(1);
  stat.data_length = 8;
  stat.children_count = 2;
  return stat;
}

std::vector<model::Reply> SampleReplies() {
  model::Reply failed = model::Reply::Failure({.reason = Reason::kBadVersion,
                                               .path = "/a",
                                               .detail = "no",
                                               .expected = 1,
                                               .actual = 2,
                                               .oldest = model::Revision(3),
                                               .maybe_applied = true});
  model::OperationResult operation{
      .path = "/a", .stat = SampleStat(), .touched = 3, .existed = true};
  model::TransactionResult transaction{.compared_true = true,
                                       .results = {operation, operation},
                                       .failed_operation = 1,
                                       .data_omitted = true};
  return {failed,
          {.revision = model::Revision(5), .result = operation},
          {.revision = model::Revision(6), .result = transaction},
          {.revision = model::Revision(7),
           .result = model::SessionResult{model::SessionId(1), model::Attachment(2), 3, 4}},
          {.revision = model::Revision(8)}};
}

std::vector<std::shared_ptr<const model::ChangeBatch>> SampleChanges() {
  const auto open = std::make_shared<const model::Acl>(model::OpenAcl());
  const auto closed = std::make_shared<const model::Acl>(kAcl);
  auto batch = std::make_shared<model::ChangeBatch>();
  batch->revision = model::Revision(9);
  batch->changes.push_back({batch->revision, model::ChangeKind::kCreated, "/a", SampleStat(),
                            std::string("data"), open, closed});
  batch->changes.push_back({batch->revision, model::ChangeKind::kDeleted, "/b", SampleStat(),
                            std::nullopt, closed, open});
  auto next = std::make_shared<model::ChangeBatch>();
  next->revision = model::Revision(11);
  next->changes.push_back(
      {next->revision, model::ChangeKind::kDataChanged, "/a", SampleStat(), "", open, open});
  return {batch, next};
}

// One way of encoding: bytes of good samples, and decode-then-encode.
struct Format {
  std::vector<std::string> samples;
  // The bytes of what was decoded; nothing if `bytes` are refused.
  std::function<std::optional<std::string>(std::string_view bytes)> recode;
};

template <class T>
std::function<std::optional<std::string>(std::string_view)> Recode(
    bool (*decode)(std::string_view, T*), std::string (*encode)(const T&)) {
  return [=](std::string_view bytes) -> std::optional<std::string> {
    T value;
    if (!decode(bytes, &value)) return std::nullopt;
    return encode(value);
  };
}

std::string EncodeBatches(const std::vector<std::shared_ptr<const model::ChangeBatch>>& batches) {
  std::string bytes;
  EncodeChangeBatches(batches, &bytes);
  return bytes;
}

std::map<std::string, Format> Formats() {
  std::map<std::string, Format> formats;
  Format& commands = formats["command"];
  for (const model::CommandBody& body : SampleBodies()) {
    commands.samples.push_back(EncodeCommand(SampleCommand(body)));
  }
  commands.recode = Recode<model::Command>(DecodeCommand, EncodeCommand);

  Format& replies = formats["reply"];
  for (const model::Reply& reply : SampleReplies()) replies.samples.push_back(EncodeReply(reply));
  replies.recode = Recode<model::Reply>(DecodeReply, EncodeReply);

  formats["changes"] = {{EncodeBatches(SampleChanges())},
                        Recode<std::vector<std::shared_ptr<const model::ChangeBatch>>>(
                            DecodeChangeBatches, EncodeBatches)};

  NodeRecord plain{.create_revision = model::Revision(5), .modify_revision = model::Revision(5)};
  NodeRecord full{.kind = model::NodeKind::kEphemeral,
                  .create_revision = model::Revision(5),
                  .modify_revision = model::Revision(9),
                  .ctime = {100},
                  .mtime = {90},
                  .version = 2,
                  .acl_version = 1,
                  .owner = model::SessionId(3),
                  .acl = 7,
                  .data = "bytes"};
  NodeRecord ttl{.kind = model::NodeKind::kTtl,
                 .create_revision = model::Revision(5),
                 .modify_revision = model::Revision(5),
                 .version = 1,
                 .ttl_ms = 60'000,
                 .data = ""};
  formats["node"] = {{EncodeNode(plain), EncodeNode(full), EncodeNode(ttl)},
                     Recode<NodeRecord>(DecodeNode, EncodeNode)};
  formats["directory"] = {{EncodeDirectory({model::Revision(4), 9, 2})},
                          Recode<DirectoryRecord>(DecodeDirectory, EncodeDirectory)};
  formats["acl"] = {{EncodeAcl(kAcl), EncodeAcl({})}, Recode<model::Acl>(DecodeAcl, EncodeAcl)};
  formats["session"] = {
      {EncodeSession({5'000, std::string(32, 't'), model::Attachment(4), model::RequestId(2)})},
      Recode<SessionRecord>(DecodeSession, EncodeSession)};
  formats["kept reply"] = {{EncodeKeptReply({42, "reply"})},
                           Recode<KeptReplyRecord>(DecodeKeptReply, EncodeKeptReply)};
  formats["source"] = {{EncodeSource({model::StartCount(1), model::SourceNumber(300)})},
                       Recode<SourceRecord>(DecodeSource, EncodeSource)};
  model::Membership membership;
  membership.members = {{.id = model::ServerId(1), .peer_address = "a:1", .version_max = 1},
                        {.id = model::ServerId(3), .role = model::Member::Role::kLearner}};
  formats["membership"] = {{EncodeMembership(membership)},
                           Recode<model::Membership>(DecodeMembership, EncodeMembership)};
  formats["formation"] = {{EncodeFormation({membership, false}), EncodeFormation({{}, true})},
                          Recode<model::Formation>(DecodeFormation, EncodeFormation)};
  return formats;
}

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
