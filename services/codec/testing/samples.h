// One sample at least of every encoding, with every field in use: what the tests of codec feed on,
// and what testdata/format1.txt keeps the bytes of.
#ifndef PANDO_CODEC_TESTING_SAMPLES_H_
#define PANDO_CODEC_TESTING_SAMPLES_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/change.h"
#include "codec/command.h"
#include "codec/formation.h"
#include "codec/membership.h"
#include "codec/record.h"
#include "codec/reply.h"

namespace pando::codec {

inline const model::Acl kAcl = {{model::kRead, {"digest", "ann:hash"}},
                                {model::kAllPermissions, {"ip", "10.0.0.1"}}};

inline model::Command SampleCommand(model::CommandBody body) {
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

inline std::vector<model::CommandBody> SampleBodies() {
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
          model::Refuse{model::Reason::kNoSpace},
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
          model::Reap{{{"/r", model::Revision(8), {9}}}},
          model::Transaction{
              .then_operations = {model::CheckAbsent{"/e", 3},
                                  model::Delete{
                                      .path = "/f", .recursive = true, .nodes_max = ~uint32_t{0}}}},
          model::ReattachSession{model::SessionId(4), 30'000},
          model::Create{.path = "/q", .sequential = true, .sequence_is_int32 = true}};
}

inline model::Stat SampleStat() {
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

inline std::vector<model::Reply> SampleReplies() {
  model::Reply failed = model::Reply::Failure({.reason = model::Reason::kBadVersion,
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

inline std::vector<std::shared_ptr<const model::ChangeBatch>> SampleChanges() {
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

inline std::string EncodeBatches(
    const std::vector<std::shared_ptr<const model::ChangeBatch>>& batches) {
  std::string bytes;
  EncodeChangeBatches(batches, &bytes);
  return bytes;
}

inline std::map<std::string, Format> Formats() {
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
  NodeRecord container = plain;
  container.kind = model::NodeKind::kContainer;
  formats["node"] = {{EncodeNode(plain), EncodeNode(full), EncodeNode(ttl), EncodeNode(container)},
                     Recode<NodeRecord>(DecodeNode, EncodeNode)};
  formats["directory"] = {{EncodeDirectory({model::Revision(4), 9, 2})},
                          Recode<DirectoryRecord>(DecodeDirectory, EncodeDirectory)};
  formats["acl"] = {{EncodeAcl(kAcl), EncodeAcl({})}, Recode<model::Acl>(DecodeAcl, EncodeAcl)};
  formats["session"] = {
      {EncodeSession({5'000, std::string(32, 't'), model::Attachment(4), model::RequestId(2)})},
      Recode<SessionRecord>(DecodeSession, EncodeSession)};
  formats["kept-reply"] = {{EncodeKeptReply({42, "reply"})},
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

}  // namespace pando::codec

#endif  // PANDO_CODEC_TESTING_SAMPLES_H_
