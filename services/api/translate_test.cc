#include "api/translate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/testing/proto_text.h"
#include "codec/page_token.h"
#include "model/limits.h"

namespace pando::api {
namespace {

using model::Reason;
using model::Revision;
using testing::ElementsAre;

constexpr size_t kValueBytesMax = 8;

template <class Message>
Message Proto(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

template <class Message>
std::string Text(const Message& message) {
  std::string text;
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.PrintToString(message, &text);
  return text;
}

template <class Body, class Message>
Reason ReasonOf(const std::string& text) {
  Body body;
  if constexpr (requires { FromProto(Message(), kValueBytesMax, &body); }) {
    return FromProto(Proto<Message>(text), kValueBytesMax, &body).reason;
  } else {
    return FromProto(Proto<Message>(text), &body).reason;
  }
}

template <class Body, class Message>
Body Parsed(const std::string& text) {
  Body body;
  if constexpr (requires { FromProto(Message(), kValueBytesMax, &body); }) {
    EXPECT_TRUE(FromProto(Proto<Message>(text), kValueBytesMax, &body).ok()) << text;
  } else {
    EXPECT_TRUE(FromProto(Proto<Message>(text), &body).ok()) << text;
  }
  return body;
}

// --- Headers ----------------------------------------------------------------------------------

Reason HeaderReason(const std::string& text) {
  Header header;
  return FromProto(Proto<v1::RequestHeader>(text), model::ClusterId(5), &header).reason;
}

TEST(Translate, HeaderKeepsEveryField) {
  Header header;
  ASSERT_TRUE(FromProto(Proto<v1::RequestHeader>("cluster_id: 5 session_id: 6 request_id: 7 "
                                                 "first_outstanding_request_id: 8 min_revision: 9 "
                                                 "consistency: CONSISTENCY_LINEARIZABLE"),
                        model::ClusterId(5), &header)
                  .ok());
  EXPECT_EQ(header.session, model::SessionId(6));
  EXPECT_EQ(header.request, model::RequestId(7));
  EXPECT_EQ(header.first_outstanding, model::RequestId(8));
  EXPECT_EQ(header.min_revision, Revision(9));
  EXPECT_EQ(header.consistency, io::Consistency::kLinearizable);
  ASSERT_TRUE(FromProto(v1::RequestHeader(), model::ClusterId(5), &header).ok());
  EXPECT_EQ(header.consistency, io::Consistency::kLocal);
}

TEST(Translate, HeaderIsChecked) {
  EXPECT_EQ(HeaderReason("cluster_id: 6"), Reason::kWrongCluster);
  for (const char* text : {"session_id: -1", "request_id: -1", "first_outstanding_request_id: -1",
                           "min_revision: -1"}) {
    EXPECT_EQ(HeaderReason(text), Reason::kInvalidArgument) << text;
  }
  v1::RequestHeader proto;
  proto.set_consistency(static_cast<v1::Consistency>(3));
  Header header;
  EXPECT_EQ(FromProto(proto, model::ClusterId(5), &header).reason, Reason::kInvalidArgument);
}

// --- Commands ---------------------------------------------------------------------------------

TEST(Translate, CreateKeepsEveryField) {
  const auto create = Parsed<model::Create, v1::CreateRequest>(
      "path: '/a' data: 'x' kind: NODE_KIND_TTL sequential: true ttl_ms: 5 "
      "acl { permissions: 3 identity { scheme: 'digest' id: 'u:h' } } create_parents: true "
      "if_not_exists: true");
  EXPECT_EQ(create.path, "/a");
  EXPECT_EQ(create.data, "x");
  EXPECT_EQ(create.kind, model::NodeKind::kTtl);
  EXPECT_TRUE(create.sequential);
  EXPECT_EQ(create.ttl_ms, 5);
  EXPECT_THAT(create.acl, ElementsAre(model::AclEntry{3, {"digest", "u:h"}}));
  EXPECT_TRUE(create.create_parents);
  EXPECT_TRUE(create.if_not_exists);
}

TEST(Translate, AbsentDataIsNullAndNotEmpty) {
  EXPECT_EQ((Parsed<model::Create, v1::CreateRequest>("path: '/a'")).data, std::nullopt);
  EXPECT_EQ((Parsed<model::Create, v1::CreateRequest>("path: '/a' data: ''")).data, "");
  EXPECT_EQ((Parsed<model::Set, v1::SetRequest>("path: '/a'")).data, std::nullopt);
  EXPECT_EQ((Parsed<model::Set, v1::SetRequest>("path: '/a' data: ''")).data, "");
}

TEST(Translate, EveryNodeKindIsKnown) {
  using model::NodeKind;
  const std::vector<std::pair<v1::NodeKind, NodeKind>> kKinds = {
      {v1::NODE_KIND_UNSPECIFIED, NodeKind::kPersistent},
      {v1::NODE_KIND_PERSISTENT, NodeKind::kPersistent},
      {v1::NODE_KIND_EPHEMERAL, NodeKind::kEphemeral},
      {v1::NODE_KIND_CONTAINER, NodeKind::kContainer},
      {v1::NODE_KIND_TTL, NodeKind::kTtl}};
  ASSERT_EQ(kKinds.size(), static_cast<size_t>(v1::NodeKind_ARRAYSIZE));
  for (const auto& [proto, kind] : kKinds) {
    const auto create =
        Parsed<model::Create, v1::CreateRequest>("path: '/a' kind: " + v1::NodeKind_Name(proto));
    EXPECT_EQ(create.kind, kind);
  }
  v1::CreateRequest unknown;
  unknown.set_path("/a");
  unknown.set_kind(static_cast<v1::NodeKind>(5));
  model::Create create;
  EXPECT_EQ(FromProto(unknown, kValueBytesMax, &create).reason, Reason::kInvalidArgument);
}

TEST(Translate, CreateIsChecked) {
  const auto reason = ReasonOf<model::Create, v1::CreateRequest>;
  EXPECT_EQ(reason("path: 'a'"), Reason::kInvalidPath);
  EXPECT_EQ(reason("path: '/a/'"), Reason::kInvalidPath);
  EXPECT_EQ(reason("path: '/a/' sequential: true"), Reason::kOk);
  EXPECT_EQ(reason("path: '/a' data: '12345678'"), Reason::kOk);
  EXPECT_EQ(reason("path: '/a' data: '123456789'"), Reason::kTooLarge);
  EXPECT_EQ(reason("path: '/a' kind: NODE_KIND_TTL ttl_ms: -1"), Reason::kInvalidArgument);
  EXPECT_EQ(reason("path: '/a' kind: NODE_KIND_CONTAINER sequential: true"),
            Reason::kInvalidArgument);
}

TEST(Translate, SetKeepsEveryFieldAndIsChecked) {
  const auto set = Parsed<model::Set, v1::SetRequest>("path: '/a' data: 'x' expected_version: 0");
  EXPECT_EQ(set.path, "/a");
  EXPECT_EQ(set.data, "x");
  EXPECT_EQ(set.expected_version, 0);
  EXPECT_EQ((Parsed<model::Set, v1::SetRequest>("path: '/a'")).expected_version, std::nullopt);
  const auto reason = ReasonOf<model::Set, v1::SetRequest>;
  EXPECT_EQ(reason("path: ''"), Reason::kInvalidPath);
  EXPECT_EQ(reason("path: '/a' expected_version: -1"), Reason::kInvalidArgument);
  EXPECT_EQ(reason("path: '/a' data: '123456789'"), Reason::kTooLarge);
}

TEST(Translate, DeleteKeepsEveryFieldAndIsChecked) {
  const auto del =
      Parsed<model::Delete, v1::DeleteRequest>("path: '/a' expected_version: 4 recursive: true");
  EXPECT_EQ(del.path, "/a");
  EXPECT_EQ(del.expected_version, 4);
  EXPECT_TRUE(del.recursive);
  const auto reason = ReasonOf<model::Delete, v1::DeleteRequest>;
  EXPECT_EQ(reason("path: '/a/..'"), Reason::kInvalidPath);
  EXPECT_EQ(reason("path: '/a' expected_version: -1"), Reason::kInvalidArgument);
}

TEST(Translate, SetAclKeepsEveryFieldAndIsChecked) {
  const auto set = Parsed<model::SetAcl, v1::SetAclRequest>(
      "path: '/a' acl { permissions: 31 identity { scheme: 'world' id: 'anyone' } } "
      "expected_acl_version: 2 recursive: true");
  EXPECT_EQ(set.path, "/a");
  EXPECT_EQ(set.acl, model::OpenAcl());
  EXPECT_EQ(set.expected_acl_version, 2);
  EXPECT_TRUE(set.recursive);
  const auto reason = ReasonOf<model::SetAcl, v1::SetAclRequest>;
  EXPECT_EQ(reason("path: 'a'"), Reason::kInvalidPath);
  EXPECT_EQ(reason("path: '/a' expected_acl_version: -1"), Reason::kInvalidArgument);
}

TEST(Translate, TransactKeepsEveryField) {
  const auto transaction = Parsed<model::Transaction, v1::TransactRequest>(
      "compares { path: '/c' subject: COMPARE_SUBJECT_DATA relation: COMPARE_RELATION_LESS "
      "data: 'd' } "
      "compares { path: '/d' subject: COMPARE_SUBJECT_VERSION relation: COMPARE_RELATION_GREATER "
      "number: 3 } "
      "then_operations { create { path: '/1' } } then_operations { set { path: '/2' } } "
      "then_operations { delete { path: '/3' } } then_operations { set_acl { path: '/4' } } "
      "then_operations { check { path: '/5' expected_version: 6 } } "
      "then_operations { get { path: '/6' without_data: true } } "
      "else_operations { check { path: '/7' } }");
  ASSERT_EQ(transaction.compares.size(), 2u);
  EXPECT_EQ(transaction.compares[0].path, "/c");
  EXPECT_EQ(transaction.compares[0].subject, model::Compare::Subject::kData);
  EXPECT_EQ(transaction.compares[0].relation, model::Compare::Relation::kLess);
  EXPECT_EQ(transaction.compares[0].bytes, "d");
  EXPECT_EQ(transaction.compares[1].subject, model::Compare::Subject::kVersion);
  EXPECT_EQ(transaction.compares[1].relation, model::Compare::Relation::kGreater);
  EXPECT_EQ(transaction.compares[1].number, 3);
  ASSERT_EQ(transaction.then_operations.size(), 6u);
  EXPECT_EQ(std::get<model::Create>(transaction.then_operations[0]).path, "/1");
  EXPECT_EQ(std::get<model::Set>(transaction.then_operations[1]).path, "/2");
  EXPECT_EQ(std::get<model::Delete>(transaction.then_operations[2]).path, "/3");
  EXPECT_EQ(std::get<model::SetAcl>(transaction.then_operations[3]).path, "/4");
  EXPECT_EQ(std::get<model::Check>(transaction.then_operations[4]).path, "/5");
  EXPECT_EQ(std::get<model::Check>(transaction.then_operations[4]).expected_version, 6);
  EXPECT_EQ(std::get<model::Get>(transaction.then_operations[5]).path, "/6");
  EXPECT_TRUE(std::get<model::Get>(transaction.then_operations[5]).without_data);
  ASSERT_EQ(transaction.else_operations.size(), 1u);
  EXPECT_EQ(std::get<model::Check>(transaction.else_operations[0]).expected_version, std::nullopt);
}

TEST(Translate, TransactIsChecked) {
  const auto reason = ReasonOf<model::Transaction, v1::TransactRequest>;
  const std::string compare = "subject: COMPARE_SUBJECT_EXISTS relation: COMPARE_RELATION_EQUAL";
  EXPECT_EQ(reason("compares { path: '/a' " + compare + " }"), Reason::kOk);
  EXPECT_EQ(reason("compares { path: 'a' " + compare + " }"), Reason::kInvalidPath);
  EXPECT_EQ(reason("compares { path: '/a' " + compare + " number: -1 }"), Reason::kInvalidArgument);
  EXPECT_EQ(reason("compares { path: '/a' relation: COMPARE_RELATION_EQUAL }"),
            Reason::kInvalidArgument);
  EXPECT_EQ(reason("compares { path: '/a' subject: COMPARE_SUBJECT_EXISTS }"),
            Reason::kInvalidArgument);
  EXPECT_EQ(reason("then_operations { }"), Reason::kInvalidArgument);
  EXPECT_EQ(reason("else_operations { }"), Reason::kInvalidArgument);
  EXPECT_EQ(reason("then_operations { create { header { } path: '/a' } }"),
            Reason::kInvalidArgument);
  EXPECT_EQ(reason("then_operations { get { header { } path: '/a' } }"), Reason::kInvalidArgument);
  EXPECT_EQ(reason("then_operations { check { path: '/a' expected_version: -1 } }"),
            Reason::kInvalidArgument);
  EXPECT_EQ(reason("then_operations { set { path: '/a' data: '123456789' } }"), Reason::kTooLarge);

  v1::TransactRequest request = Proto<v1::TransactRequest>("compares { path: '/a' }");
  request.mutable_compares(0)->set_relation(v1::COMPARE_RELATION_EQUAL);
  request.mutable_compares(0)->set_subject(static_cast<v1::CompareSubject>(8));
  model::Transaction transaction;
  EXPECT_EQ(FromProto(request, kValueBytesMax, &transaction).reason, Reason::kInvalidArgument);
  request.mutable_compares(0)->set_subject(v1::COMPARE_SUBJECT_EXISTS);
  request.mutable_compares(0)->set_relation(static_cast<v1::CompareRelation>(5));
  EXPECT_EQ(FromProto(request, kValueBytesMax, &transaction).reason, Reason::kInvalidArgument);
}

TEST(Translate, TransactIsBounded) {
  v1::TransactRequest request;
  const auto check = Proto<v1::TransactOperation>("check { path: '/a' }");
  for (size_t i = 0; i < model::kTransactOperationsMax; ++i) {
    *(i % 2 ? request.add_then_operations() : request.add_else_operations()) = check;
  }
  model::Transaction transaction;
  EXPECT_TRUE(FromProto(request, kValueBytesMax, &transaction).ok());
  *request.add_then_operations() = check;
  EXPECT_EQ(FromProto(request, kValueBytesMax, &transaction).reason, Reason::kTooLarge);

  request.Clear();
  const auto compare = Proto<v1::Compare>(
      "path: '/a' subject: COMPARE_SUBJECT_EXISTS relation: COMPARE_RELATION_EQUAL");
  for (size_t i = 0; i < model::kTransactComparesMax; ++i) *request.add_compares() = compare;
  transaction = {};
  EXPECT_TRUE(FromProto(request, kValueBytesMax, &transaction).ok());
  *request.add_compares() = compare;
  EXPECT_EQ(FromProto(request, kValueBytesMax, &transaction).reason, Reason::kTooLarge);
}

// --- Queries ----------------------------------------------------------------------------------

TEST(Translate, ReadsKeepEveryFieldAndAreChecked) {
  EXPECT_EQ((Parsed<model::Get, v1::GetRequest>("path: '/a' without_data: true")).path, "/a");
  EXPECT_TRUE((Parsed<model::Get, v1::GetRequest>("path: '/a' without_data: true")).without_data);
  EXPECT_EQ((ReasonOf<model::Get, v1::GetRequest>("path: 'a'")), Reason::kInvalidPath);
  EXPECT_EQ((Parsed<model::GetAcl, v1::GetAclRequest>("path: '/a'")).path, "/a");
  EXPECT_EQ((ReasonOf<model::GetAcl, v1::GetAclRequest>("path: 'a'")), Reason::kInvalidPath);

  const auto walk =
      Parsed<model::Walk, v1::WalkRequest>("path: '/a' max_depth: 3 without_data: true");
  EXPECT_EQ(walk.path, "/a");
  EXPECT_EQ(walk.max_depth, 3u);
  EXPECT_TRUE(walk.without_data);
  EXPECT_EQ((ReasonOf<model::Walk, v1::WalkRequest>("path: '/a' max_depth: -1")),
            Reason::kInvalidArgument);
  EXPECT_EQ((ReasonOf<model::Walk, v1::WalkRequest>("path: 'a'")), Reason::kInvalidPath);

  const auto list = Parsed<model::List, v1::ListRequest>(
      "path: '/a' page_size: 7 prefix: 'p' with_stat: true with_data: true");
  EXPECT_EQ(list.path, "/a");
  EXPECT_EQ(list.page_size, 7u);
  EXPECT_EQ(list.prefix, "p");
  EXPECT_EQ(list.after, "");
  EXPECT_TRUE(list.with_stat);
  EXPECT_TRUE(list.with_data);
  EXPECT_EQ((ReasonOf<model::List, v1::ListRequest>("path: '/a' page_size: -1")),
            Reason::kInvalidArgument);
  EXPECT_EQ((ReasonOf<model::List, v1::ListRequest>("path: 'a'")), Reason::kInvalidPath);
}

TEST(Translate, PageTokenGoesOnWithItsOwnListOnly) {
  model::Reply reply;
  model::ListResult result;
  result.next_after = "x";
  reply.result = result;
  v1::ListResponse response;
  ToProto(reply, codec::ListOf("/a", "p"), &response);
  ASSERT_FALSE(response.next_page_token().empty());

  v1::ListRequest request = Proto<v1::ListRequest>("path: '/a' prefix: 'p'");
  request.set_page_token(response.next_page_token());
  model::List list;
  ASSERT_TRUE(FromProto(request, &list).ok());
  EXPECT_EQ(list.after, "x");

  request.set_prefix("q");
  EXPECT_EQ(FromProto(request, &list).reason, Reason::kInvalidArgument);
  request.set_prefix("p");
  request.set_path("/b");
  EXPECT_EQ(FromProto(request, &list).reason, Reason::kInvalidArgument);
  request.set_path("/a");
  for (const std::string token : {"x", "12345678", "123456789"}) {
    request.set_page_token(token);
    EXPECT_EQ(FromProto(request, &list).reason, Reason::kInvalidArgument) << token;
  }
  request.set_page_token(response.next_page_token().substr(0, 8));
  EXPECT_EQ(FromProto(request, &list).reason, Reason::kInvalidArgument);

  // Where the path ends and the prefix begins is part of it.
  EXPECT_NE(codec::ListOf("/a", "b"), codec::ListOf("/ab", ""));
}

TEST(Translate, LastPageHasNoToken) {
  model::Reply reply;
  reply.result = model::ListResult();
  v1::ListResponse response;
  ToProto(reply, codec::ListOf("/a", ""), &response);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST(Translate, WatchKeepsEveryField) {
  const auto open = Parsed<io::WatchOpen, v1::WatchRequest>(
      "targets { path: '/a' kind: WATCH_KIND_NODE with_data: true } "
      "targets { path: '/b' kind: WATCH_KIND_CHILDREN once: true } "
      "targets { path: '/c' kind: WATCH_KIND_SUBTREE } start_revision: 9");
  ASSERT_EQ(open.targets.size(), 3u);
  EXPECT_EQ(open.targets[0].path, "/a");
  EXPECT_EQ(open.targets[0].kind, model::WatchTarget::Kind::kNode);
  EXPECT_TRUE(open.targets[0].with_data);
  EXPECT_FALSE(open.targets[0].once);
  EXPECT_EQ(open.targets[1].kind, model::WatchTarget::Kind::kChildren);
  EXPECT_FALSE(open.targets[1].with_data);
  EXPECT_TRUE(open.targets[1].once);
  EXPECT_EQ(open.targets[2].kind, model::WatchTarget::Kind::kSubtree);
  EXPECT_EQ(open.start_revision, Revision(9));
  EXPECT_FALSE(open.send_initial);
  EXPECT_TRUE((Parsed<io::WatchOpen, v1::WatchRequest>(
                   "targets { path: '/a' kind: WATCH_KIND_NODE } send_initial: true"))
                  .send_initial);
}

TEST(Translate, WatchIsChecked) {
  const auto reason = ReasonOf<io::WatchOpen, v1::WatchRequest>;
  const std::string target = "targets { path: '/a' kind: WATCH_KIND_NODE } ";
  EXPECT_EQ(reason(""), Reason::kInvalidArgument);
  EXPECT_EQ(reason("targets { path: '/a' }"), Reason::kInvalidArgument);
  EXPECT_EQ(reason("targets { path: 'a' kind: WATCH_KIND_NODE }"), Reason::kInvalidPath);
  EXPECT_EQ(reason(target + "start_revision: -1"), Reason::kInvalidArgument);
  EXPECT_EQ(reason(target + "start_revision: 1 send_initial: true"), Reason::kInvalidArgument);
  v1::WatchRequest request = Proto<v1::WatchRequest>(target);
  io::WatchOpen open;
  request.mutable_targets(0)->set_kind(static_cast<v1::WatchKind>(4));
  EXPECT_EQ(FromProto(request, &open).reason, Reason::kInvalidArgument);

  request = Proto<v1::WatchRequest>(target);
  while (request.targets_size() < static_cast<int>(model::kTargetsPerStreamMax)) {
    *request.add_targets() = request.targets(0);
  }
  EXPECT_TRUE(FromProto(request, &open).ok());
  *request.add_targets() = request.targets(0);
  EXPECT_EQ(FromProto(request, &open).reason, Reason::kInvalidArgument);
}

TEST(Translate, EveryPipelineOperationIsKnown) {
  std::vector<size_t> commands;
  std::vector<size_t> queries;
  for (const char* text : {"create { path: '/a' }", "get { path: '/a' }", "set { path: '/a' }",
                           "delete { path: '/a' }", "list { path: '/a' }", "get_acl { path: '/a' }",
                           "set_acl { path: '/a' }", "transact { }", "sync { }"}) {
    std::variant<model::CommandBody, model::QueryBody> body;
    ASSERT_TRUE(FromProto(Proto<v1::PipelineOperation>(text), kValueBytesMax, &body).ok()) << text;
    if (const auto* command = std::get_if<model::CommandBody>(&body)) {
      commands.push_back(command->index());
    } else {
      queries.push_back(std::get<model::QueryBody>(body).index());
    }
  }
  const auto index = [](model::CommandBody body) { return body.index(); };
  const auto query = [](model::QueryBody body) { return body.index(); };
  EXPECT_THAT(commands,
              ElementsAre(index(model::Create()), index(model::Set()), index(model::Delete()),
                          index(model::SetAcl()), index(model::Transaction())));
  EXPECT_THAT(queries, ElementsAre(query(model::Get()), query(model::List()),
                                   query(model::GetAcl()), query(model::Touch())));
}

TEST(Translate, PipelineOperationIsChecked) {
  std::variant<model::CommandBody, model::QueryBody> body;
  for (const char* text : {"", "request_id: -1 sync { }", "get { header { } path: '/a' }",
                           "create { header { } path: '/a' }", "sync { header { } }"}) {
    EXPECT_EQ(FromProto(Proto<v1::PipelineOperation>(text), kValueBytesMax, &body).reason,
              Reason::kInvalidArgument)
        << text;
  }
}

// --- Responses --------------------------------------------------------------------------------

model::Stat SomeStat() {
  return {.create_revision = Revision(1),
          .modify_revision = Revision(2),
          .children_revision = Revision(3),
          .ctime = {4},
          .mtime = {5},
          .version = 6,
          .children_version = 7,
          .acl_version = 8,
          .ephemeral_owner = model::SessionId(9),
          .data_length = 10,
          .children_count = 11};
}
constexpr char kSomeStat[] =
    "stat { create_revision: 1 modify_revision: 2 children_revision: 3 ctime_ms: 4 mtime_ms: 5 "
    "version: 6 children_version: 7 acl_version: 8 ephemeral_owner: 9 data_length: 10 "
    "children_count: 11 }";

TEST(Translate, RepliesKeepEveryField) {
  const std::string stat = kSomeStat;
  const model::Reply reply = ReplyOf(model::OperationResult{
      .path = "/p", .stat = SomeStat(), .data = "d", .touched = 12, .existed = true});
  EXPECT_EQ(Shown<v1::CreateResponse>(reply),
            Expected<v1::CreateResponse>("path: '/p' existed: true " + stat));
  EXPECT_EQ(Shown<v1::GetResponse>(reply), Expected<v1::GetResponse>("data: 'd' " + stat));
  EXPECT_EQ(Shown<v1::SetResponse>(reply), Expected<v1::SetResponse>(stat));
  EXPECT_EQ(Shown<v1::DeleteResponse>(reply), Expected<v1::DeleteResponse>("removed_count: 12"));
  EXPECT_EQ(Shown<v1::SetAclResponse>(reply),
            Expected<v1::SetAclResponse>("changed_count: 12 " + stat));
  EXPECT_EQ(Shown<v1::GetAclResponse>(ReplyOf(model::AclResult{model::OpenAcl(), SomeStat()})),
            Expected<v1::GetAclResponse>(
                "acl { permissions: 31 identity { scheme: 'world' id: 'anyone' } } " + stat));
}

TEST(Translate, NullAndEmptyDataDiffer) {
  v1::GetResponse response;
  ToProto(ReplyOf(model::OperationResult{.data = ""}), &response);
  EXPECT_TRUE(response.has_data());
  response.Clear();
  ToProto(ReplyOf(model::OperationResult{}), &response);
  EXPECT_FALSE(response.has_data());
}

TEST(Translate, ListKeepsEveryField) {
  model::ListResult result;
  result.children.push_back({.name = "a", .stat = SomeStat(), .data = "d"});
  result.children.push_back({.name = "b"});
  result.parent = SomeStat();
  v1::ListResponse response;
  ToProto(ReplyOf(result), "", &response);
  EXPECT_EQ(Text(response),
            Expected<v1::ListResponse>(std::string("entries { name: 'a' data: 'd' ") + kSomeStat +
                                       " } entries { name: 'b' } " + kSomeStat));
}

TEST(Translate, TransactionShowsTheBranchThatRan) {
  const auto request = Proto<v1::TransactRequest>(
      "then_operations { create { } } then_operations { set { } } then_operations { delete { } } "
      "then_operations { set_acl { } } then_operations { check { } } then_operations { get { } } "
      "else_operations { get { } }");
  model::TransactionResult result;
  result.compared_true = true;
  result.data_omitted = true;
  result.results.resize(6);
  result.results[0].path = "/p";
  result.results[2].touched = 3;
  result.results[3].touched = 4;
  result.results[5].data = "d";
  v1::TransactResponse response;
  ToProto(ReplyOf(result), ShapeOf(request), &response);
  EXPECT_EQ(Text(response),
            Expected<v1::TransactResponse>(
                "compared_true: true data_omitted: true results { create { path: '/p' stat { } } } "
                "results { set { stat { } } } results { delete { removed_count: 3 } } "
                "results { set_acl { stat { } changed_count: 4 } } results { check { } } "
                "results { get { data: 'd' stat { } } }"));

  response.Clear();
  result = {};
  result.results.resize(1);
  ToProto(ReplyOf(result), ShapeOf(request), &response);
  EXPECT_EQ(Text(response), Expected<v1::TransactResponse>("results { get { stat { } } }"));
}

TEST(Translate, PipelineResultIsOfItsOperation) {
  using Case = v1::PipelineOperation;
  for (const auto operation : {Case::kCreate, Case::kGet, Case::kSet, Case::kDelete, Case::kList,
                               Case::kGetAcl, Case::kSetAcl, Case::kTransact, Case::kSync}) {
    v1::PipelineResult result;
    ToProto(ReplyOf(std::monostate()), {.request_id = 5, .operation = operation}, &result);
    EXPECT_EQ(result.request_id(), 5);
    EXPECT_EQ(result.revision(), 42);
    // The fields of the two oneofs have the same names in the same order.
    EXPECT_EQ(result.GetDescriptor()->FindFieldByNumber(result.result_case())->name(),
              v1::PipelineOperation::descriptor()->FindFieldByNumber(operation)->name());
  }
  v1::PipelineResult result;
  model::Reply failure = model::Reply::Failure({.reason = Reason::kNoNode, .path = "/a"});
  failure.revision = Revision(7);
  ToProto(failure, {.request_id = 5, .operation = Case::kGet}, &result);
  EXPECT_EQ(result.error().reason(), v1::REASON_NO_NODE);
  EXPECT_EQ(result.revision(), 7);
}

TEST(Translate, EventsKeepEveryField) {
  model::Change change;
  change.revision = Revision(42);
  change.path = "/p";
  change.stat = SomeStat();
  change.data = "d";
  for (const auto& [kind, name] : std::vector<std::pair<model::ChangeKind, std::string>>{
           {model::ChangeKind::kCreated, "EVENT_KIND_CREATED"},
           {model::ChangeKind::kDeleted, "EVENT_KIND_DELETED"},
           {model::ChangeKind::kDataChanged, "EVENT_KIND_DATA_CHANGED"},
           {model::ChangeKind::kAclChanged, "EVENT_KIND_ACL_CHANGED"}}) {
    change.kind = kind;
    v1::WatchEvent event;
    ToProto(change, true, &event);
    EXPECT_EQ(Text(event), Expected<v1::WatchEvent>("revision: 42 path: '/p' data: 'd' kind: " +
                                                    name + " " + kSomeStat));
  }
  v1::WatchEvent event;
  ToProto(change, false, &event);
  EXPECT_FALSE(event.has_data());
}

}  // namespace
}  // namespace pando::api
