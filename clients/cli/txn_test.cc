#include "cli/txn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pando::cli {
namespace {

using ::testing::HasSubstr;

v1::TransactRequest Parsed(std::string_view text) {
  const auto request = ParseTransaction(text);
  EXPECT_TRUE(request.ok()) << request.status();
  return request.ok() ? *request : v1::TransactRequest();
}

std::string Refusal(std::string_view text) {
  const auto request = ParseTransaction(text);
  EXPECT_TRUE(absl::IsInvalidArgument(request.status())) << text;
  return std::string(request.status().message());
}

// The text form of the only operation of `line`.
std::string Operation(std::string_view line) {
  const v1::TransactRequest request = Parsed(line);
  EXPECT_EQ(request.then_operations_size(), 1) << line;
  return request.then_operations_size() == 1 ? request.then_operations(0).ShortDebugString() : "";
}

std::string Compare(std::string_view line) {
  const v1::TransactRequest request = Parsed(line);
  EXPECT_EQ(request.compares_size(), 1) << line;
  return request.compares_size() == 1 ? request.compares(0).ShortDebugString() : "";
}

TEST(Txn, LinesGoToTheirBranchInOrder) {
  const v1::TransactRequest request = Parsed(
      "# change it if it is there\n"
      "compare exists /a = true\n"
      "\n"
      "then set /a 1\r\n"
      "  set /b 2\n"
      "else create /a 1");
  EXPECT_EQ(request.compares_size(), 1);
  ASSERT_EQ(request.then_operations_size(), 2);
  EXPECT_EQ(request.then_operations(0).set().path(), "/a");
  EXPECT_EQ(request.then_operations(0).set().data(), "1");
  EXPECT_EQ(request.then_operations(1).set().path(), "/b");
  ASSERT_EQ(request.else_operations_size(), 1);
  EXPECT_EQ(request.else_operations(0).create().path(), "/a");
}

TEST(Txn, NothingIsAnEmptyTransaction) {
  EXPECT_EQ(Parsed("").ByteSizeLong(), 0u);
  EXPECT_EQ(Parsed("\n# only a comment\n \t\n").ByteSizeLong(), 0u);
}

TEST(Txn, EachSubjectTakesItsKindOfValue) {
  EXPECT_EQ(Compare("compare exists /a != false"),
            R"(path: "/a" subject: COMPARE_SUBJECT_EXISTS relation: COMPARE_RELATION_NOT_EQUAL)");
  EXPECT_EQ(
      Compare("compare exists /a = true"),
      R"(path: "/a" subject: COMPARE_SUBJECT_EXISTS relation: COMPARE_RELATION_EQUAL number: 1)");
  EXPECT_EQ(
      Compare("compare version /a < 3"),
      R"(path: "/a" subject: COMPARE_SUBJECT_VERSION relation: COMPARE_RELATION_LESS number: 3)");
  EXPECT_EQ(Compare("compare create-revision /a > 3"),
            R"(path: "/a" subject: COMPARE_SUBJECT_CREATE_REVISION )"
            R"(relation: COMPARE_RELATION_GREATER number: 3)");
  EXPECT_EQ(Compare("compare modify-revision /a = 3"),
            R"(path: "/a" subject: COMPARE_SUBJECT_MODIFY_REVISION )"
            R"(relation: COMPARE_RELATION_EQUAL number: 3)");
  EXPECT_EQ(Compare("compare children /a = 3"),
            R"(path: "/a" subject: COMPARE_SUBJECT_CHILDREN_COUNT )"
            R"(relation: COMPARE_RELATION_EQUAL number: 3)");
  EXPECT_EQ(Compare("compare owner /a = 3"),
            R"(path: "/a" subject: COMPARE_SUBJECT_EPHEMERAL_OWNER )"
            R"(relation: COMPARE_RELATION_EQUAL number: 3)");
  EXPECT_EQ(
      Compare("compare data /a = 3"),
      R"(path: "/a" subject: COMPARE_SUBJECT_DATA relation: COMPARE_RELATION_EQUAL data: "3")");
}

TEST(Txn, NullIsNotTheWordNullInQuotes) {
  EXPECT_EQ(Compare("compare data /a = null"),
            R"(path: "/a" subject: COMPARE_SUBJECT_DATA relation: COMPARE_RELATION_EQUAL)");
  EXPECT_EQ(
      Compare("compare data /a = \"null\""),
      R"(path: "/a" subject: COMPARE_SUBJECT_DATA relation: COMPARE_RELATION_EQUAL data: "null")");
  EXPECT_EQ(Operation("set /a null"), R"(set { path: "/a" })");
  EXPECT_EQ(Operation("set /a \"null\""), R"(set { path: "/a" data: "null" })");
  EXPECT_EQ(Operation("set /a \"\""), R"(set { path: "/a" data: "" })");
  EXPECT_EQ(Operation("create /a null"), R"(create { path: "/a" kind: NODE_KIND_PERSISTENT })");
  EXPECT_EQ(Operation("create /a"), R"(create { path: "/a" kind: NODE_KIND_PERSISTENT })");
}

TEST(Txn, OperationsTakeTheirOptions) {
  EXPECT_EQ(Operation("create /a x -s -p"),
            R"(create { path: "/a" data: "x" kind: NODE_KIND_PERSISTENT sequential: true )"
            R"(create_parents: true })");
  EXPECT_EQ(Operation("create -c /a"), R"(create { path: "/a" kind: NODE_KIND_CONTAINER })");
  EXPECT_EQ(Operation("create /a --ttl 5m"),
            R"(create { path: "/a" kind: NODE_KIND_TTL ttl_ms: 300000 })");
  EXPECT_EQ(Operation("set /a x --if-version 3"),
            R"(set { path: "/a" data: "x" expected_version: 3 })");
  EXPECT_EQ(Operation("rm /a -r --if-version 0"),
            R"(delete { path: "/a" expected_version: 0 recursive: true })");
  EXPECT_EQ(Operation("check /a"), R"(check { path: "/a" })");
  EXPECT_EQ(Operation("check /a --if-version 3"), R"(check { path: "/a" expected_version: 3 })");
  EXPECT_EQ(Operation("get /a"), R"(get { path: "/a" })");
}

TEST(Txn, QuotesHoldBlanksAndEveryByte) {
  const auto data = [](std::string_view word) {
    return Parsed("set /a " + std::string(word)).then_operations(0).set().data();
  };
  EXPECT_EQ(data(R"("two  words # no comment")"), "two  words # no comment");
  EXPECT_EQ(data(R"("\"\\\n\r\t")"), "\"\\\n\r\t");
  EXPECT_EQ(data(R"("\x00\xff\x0A")"), std::string("\0\xff\n", 3));
  EXPECT_EQ(data(R"("-s")"), "-s");
  EXPECT_EQ(data("-"), "-");
  EXPECT_EQ(data(R"(a"b)"), "a\"b");
  EXPECT_EQ(Parsed(R"(set "/a b" x)").then_operations(0).set().path(), "/a b");
}

TEST(Txn, ARefusalNamesTheLineAndTheTrouble) {
  EXPECT_THAT(Refusal("set /a 1\n\n# x\nset /b"), HasSubstr("line 4: data is missing"));
  const struct {
    const char* line;
    const char* trouble;
  } kCases[] = {
      {"put /a x", "'put' is none of"},
      {"then", "an operation is missing"},
      {"else", "an operation is missing"},
      {"then compare exists /a = true", "'compare' is none of"},
      {"create", "a path is missing"},
      {"create /a b c", "'c' is too much"},
      {"create /a -r", "'-r' is no option here"},
      {"create /a --sequential", "'--sequential' is no option here"},
      {"create /a --ttl", "--ttl needs a value"},
      {"create /a --ttl soon", "'soon' is not a time"},
      {"create /a -c --ttl 1s", "exclude each other"},
      {"set /a x --if-version 1x", "'1x' is not a whole number"},
      {"set /a x --if-version 99999999999999999999", "is not a whole number"},
      {"get /a /b", "'/b' is too much"},
      {"compare exists /a =", "write: compare"},
      {"compare exists /a = 1", "true or false"},
      {"compare exists /a = \"true\"", "true or false"},
      {"compare size /a = 1", "'size' is nothing to compare"},
      {"compare version /a == 1", "'==' is none of"},
      {"compare version /a = one", "'one' is not a whole number"},
      {"set /a \"x", "a closing quote is missing"},
      {"set /a \"x\"y", "a blank must follow"},
      {"set /a \"\\q\"", "unknown escape \\q"},
      {"set /a \"\\x1\"", "\\x needs two hexadecimal digits"},
      {"set /a \"\\xg0\"", "\\x needs two hexadecimal digits"},
      {"set /a \"\\", "a backslash ends the line"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Refusal(c.line), HasSubstr(std::string("line 1: "))) << c.line;
    EXPECT_THAT(Refusal(c.line), HasSubstr(c.trouble)) << c.line;
  }
}

}  // namespace
}  // namespace pando::cli
