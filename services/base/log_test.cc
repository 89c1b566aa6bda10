#include "base/log.h"

#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace pando::base {
namespace {

using Id = Strong<struct IdTag>;

constexpr WallTime kNoon{1'777'636'800'125};  // 2026-05-01T12:00:00.125Z

std::string Text(std::initializer_list<LogField> fields) {
  return FormatLogLine(LogFormat::kText, kNoon, Severity::kInfo, "it happened", fields);
}

std::string Json(std::initializer_list<LogField> fields) {
  return FormatLogLine(LogFormat::kJson, kNoon, Severity::kError, "it happened", fields);
}

TEST(Log, TextIsOneLineOfKeysAndValues) {
  EXPECT_EQ(Text({{"id", Id(7)}, {"lag", -3}, {"ready", true}, {"path", "/a"}, {"share", 0.25}}),
            "2026-05-01T12:00:00.125Z INFO  it happened id=7 lag=-3 ready=true path=/a "
            "share=0.25\n");
}

TEST(Log, JsonIsOneObjectALine) {
  EXPECT_EQ(Json({{"id", Id(7)}, {"lag", -3}, {"ready", false}, {"path", "/a"}}),
            R"({"time":"2026-05-01T12:00:00.125Z","severity":"ERROR","event":"it happened",)"
            R"("id":7,"lag":-3,"ready":false,"path":"/a"})"
            "\n");
}

TEST(Log, TextQuotesWhatWouldNotReadAsOneValue) {
  const struct {
    std::string value, expected;
  } cases[] = {
      {"plain", "plain"},
      {"", "\"\""},
      {"two words", "\"two words\""},
      {"a=b", "\"a=b\""},
      {"say \"hi\"", R"("say \"hi\"")"},
      {"a\nINFO forged", R"("a\nINFO forged")"},
  };
  for (const auto& c : cases) {
    const std::string line = Text({{"k", c.value}});
    EXPECT_EQ(line.substr(line.find("k=") + 2), c.expected + "\n");
  }
}

TEST(Log, BytesThatAreNotTextBecomeReplacementCharacters) {
  const struct {
    std::string value, expected;
  } cases[] = {
      {"t\x01\x7f", R"("t\u0001\u007f")"},
      {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xb3", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xb3\""},
      {"\xff", R"("\ufffd")"},
      {"\xc0\xaf", R"("\ufffd\ufffd")"},            // "/" in two bytes
      {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},  // a surrogate
      {"\xe2\x82", R"("\ufffd\ufffd")"},            // cut short
      {"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
  };
  for (const auto& c : cases) {
    const std::string line = Json({{"k", c.value}});
    EXPECT_NE(line.find("\"k\":" + c.expected + "}"), std::string::npos) << line;
  }
}

TEST(Log, ALongValueIsCutAtACharactersEnd) {
  const std::string longest(kLogValueBytesMax, 'x');
  EXPECT_NE(Json({{"k", longest}}).find("\"" + longest + "\"}"), std::string::npos);
  EXPECT_NE(Json({{"k", longest + "x"}}).find("\"" + longest + "…\"}"), std::string::npos);
  const std::string split = std::string(kLogValueBytesMax - 1, 'x') + "\xc3\xa9";
  EXPECT_NE(Text({{"k", split}}).find("xx…\"\n"), std::string::npos);
}

TEST(Log, NumbersThatJsonLacksAreStrings) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_NE(Json({{"k", infinity}}).find("\"k\":\"not a number\"}"), std::string::npos);
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 100; ++i) Log(Severity::kInfo, "tick", {{"thread", t}, {"tick", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(testing::internal::GetCapturedStderr());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_NE(line.find("Z INFO  tick thread="), std::string::npos) << line;
    EXPECT_EQ(line.find("tick", line.rfind("tick=") + 4), std::string::npos) << line;
  }
  EXPECT_EQ(count, 400);
}

TEST(Log, EventsBelowTheLeastSeverityAreNotWritten) {
  ConfigureLog(LogFormat::kJson, Severity::kWarning);
  testing::internal::CaptureStderr();
  Log(Severity::kInfo, "quiet");
  Log(Severity::kWarning, "loud");
  const std::string written = testing::internal::GetCapturedStderr();
  ConfigureLog(LogFormat::kText, Severity::kInfo);
  EXPECT_EQ(written.find("quiet"), std::string::npos);
  EXPECT_NE(written.find(R"("severity":"WARN","event":"loud"})"), std::string::npos);
}

TEST(LogLimit, LetsOneEventThroughAnInterval) {
  LogLimit limit(std::chrono::seconds(1));
  const Instant start{std::chrono::seconds(10)};
  uint64_t suppressed = 99;
  EXPECT_TRUE(limit.Due(start, &suppressed));
  EXPECT_EQ(suppressed, 0u);
  EXPECT_FALSE(limit.Due(start, &suppressed));
  EXPECT_FALSE(limit.Due(start + std::chrono::milliseconds(999), &suppressed));
  EXPECT_TRUE(limit.Due(start + std::chrono::seconds(1), &suppressed));
  EXPECT_EQ(suppressed, 2u);
}

}  // namespace
}  // namespace pando::base
