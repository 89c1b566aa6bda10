#include "cli/output.h"

#include <gtest/gtest.h>

#include <string>

namespace pando::cli {
namespace {

using std::string_literals::operator""s;

std::string JsonOf(const Data& data) {
  Json json = Json::object();
  PutData(&json, data);
  return Line(json);
}

TEST(Output, TextIsWhatPeopleCanRead) {
  for (const std::string& text : {""s, "plain"s, "tab\tline\nreturn\r\n"s, "Grüße"s, "日本語"s,
                                  "\U0001F333"s, "\u00a0"s, "\uffff"s, "\U0010ffff"s}) {
    EXPECT_TRUE(IsText(text)) << text;
  }
}

TEST(Output, ControlsAndWhatIsNotUtf8AreNoText) {
  for (const std::string& bytes : {
           "\0"s, "a\0b"s, "\x1b[31m"s, "\x7f"s, "\xc2\x80"s, "\xc2\x9f"s,  // controls
           "\xff"s, "\x80"s, "a\xc3"s, "\xe2\x82"s,                         // broken off
           "\xc0\xaf"s, "\xe0\x80\xaf"s, "\xf0\x80\x80\xaf"s,               // overlong
           "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s,       // no code points
       }) {
    EXPECT_FALSE(IsText(bytes)) << Preview(bytes, 100);
  }
}

TEST(Output, DataIsTextWhereItIsTextAndBase64OnlyWhereItIsNot) {
  EXPECT_EQ(JsonOf(std::nullopt), R"({"data":null})");
  EXPECT_EQ(JsonOf(""), R"({"data":""})");
  EXPECT_EQ(JsonOf("Grüße\n"), R"({"data":"Grüße\n"})");
  EXPECT_EQ(JsonOf("\x00\xff"s), R"({"data_base64":"AP8="})");
}

TEST(Output, APreviewIsOneLineAndTellsNullEmptyAndCutApart) {
  EXPECT_EQ(Preview(std::nullopt, 10), "null");
  EXPECT_EQ(Preview("", 10), R"("")");
  EXPECT_EQ(Preview("null", 10), R"("null")");
  EXPECT_EQ(Preview("a\n\"b\\\t\r", 10), R"("a\n\"b\\\t\r")");
  EXPECT_EQ(Preview("1234567890", 10), R"("1234567890")");
  EXPECT_EQ(Preview("12345678901", 10), R"("1234567890…")");
  EXPECT_EQ(Preview("üüü", 2), R"("üü…")");
  EXPECT_EQ(Preview("\xff\xff\xff", 4), "base64:////");
  EXPECT_EQ(Preview("\xff\xff\xff\xff", 4), "base64:////…");
}

TEST(Output, BytesTakeTheUnitThatFits) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1024), "1.0 KiB");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
  EXPECT_EQ(BytesText((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(BytesText(3ull << 30), "3.0 GiB");
}

TEST(Output, TimesAreUtc) {
  EXPECT_EQ(TimeText(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(TimeText(1'769'851'800'999), "2026-01-31T09:30:00Z");
}

TEST(Output, AClusterIdHasSixteenDigits) {
  EXPECT_EQ(ClusterIdText(0xab), "00000000000000ab");
  EXPECT_EQ(ClusterIdText(~uint64_t{0}), "ffffffffffffffff");
}

TEST(Output, ATableIsAlignedAndRawIsNot) {
  Table table({{"N", true}, {"NAME"}, {"X"}});
  EXPECT_TRUE(table.empty());
  table.Add({"1", "ü", "a"});
  table.Add({"12", "longer", "b"});
  EXPECT_EQ(table.Render(Format::kTable),
            " N  NAME    X\n"
            " 1  ü       a\n"
            "12  longer  b\n");
  EXPECT_EQ(table.Render(Format::kRaw), "1\tü\ta\n12\tlonger\tb\n");
}

TEST(Output, ARowEndsWithItsLastLetter) {
  Table table({{"A"}, {"B"}, {"C"}});
  table.Add({"1", "", ""});
  EXPECT_EQ(table.Render(Format::kTable), "A  B  C\n1\n");
  EXPECT_EQ(table.Render(Format::kRaw), "1\t\t\n");
}

TEST(Output, JsonIsOneLineAlsoOfBytesThatAreNoText) {
  EXPECT_EQ(Line({{"path", "/a\n\xff"}}), "{\"path\":\"/a\\n\ufffd\"}");
}

}  // namespace
}  // namespace pando::cli
