#include "server/quantity.h"

#include <string>

#include "gtest/gtest.h"

namespace pando::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(ParseBytes, TakesTheUnitsThatPeopleWrite) {
  const struct {
    const char* text;
    uint64_t bytes;
  } cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"1B", 1},
      {"64KiB", 65'536},
      {"64KB", 64'000},
      {"1MiB", 1 << 20},
      {"2GiB", 2u << 30},
      {"3GB", 3'000'000'000},
      {"1TiB", uint64_t{1} << 40},
      {"18446744073709551615", UINT64_MAX},
      {"16777215TiB", uint64_t{16'777'215} << 40},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<uint64_t> bytes = ParseBytes(c.text);
    ASSERT_TRUE(bytes.ok()) << c.text << ": " << bytes.status();
    EXPECT_EQ(*bytes, c.bytes) << c.text;
  }
}

TEST(ParseBytes, RefusesTheRestAndSaysWhatItWants) {
  for (const char* text : {"", "MiB", "-1", "1.5MiB", "64 MiB", "64mib", "64M", "0x10",
                           "18446744073709551616", "16777216TiB"}) {
    const absl::StatusOr<uint64_t> bytes = ParseBytes(text);
    ASSERT_FALSE(bytes.ok()) << text;
    EXPECT_NE(bytes.status().message().find("64MiB"), absl::string_view::npos);
  }
}

TEST(ParseDuration, TakesTheUnitsThatPeopleWrite) {
  const struct {
    const char* text;
    base::Duration duration;
  } cases[] = {
      {"0s", milliseconds(0)},
      {"500ms", milliseconds(500)},
      {"30s", milliseconds(30'000)},
      {"5m", milliseconds(300'000)},
      {"1h", hours(1)},
      {"7d", hours(168)},
      {"106751d", hours(24 * 106'751)},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<base::Duration> duration = ParseDuration(c.text);
    ASSERT_TRUE(duration.ok()) << c.text << ": " << duration.status();
    EXPECT_EQ(*duration, c.duration) << c.text;
  }
}

TEST(ParseDuration, RefusesTheRestAndSaysWhatItWants) {
  for (const char* text : {"", "0", "10", "s", "-1s", "1.5h", "1 h", "1sec", "106752d"}) {
    const absl::StatusOr<base::Duration> duration = ParseDuration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_NE(duration.status().message().find("500ms"), absl::string_view::npos);
  }
}

TEST(Format, ReadsBackAsTheSame) {
  for (const char* text : {"0B", "1B", "512KiB", "64MiB", "1GiB", "3TB", "1001B"}) {
    EXPECT_EQ(FormatBytes(*ParseBytes(text)), text);
  }
  for (const char* text : {"0ms", "500ms", "30s", "5m", "1h", "7d", "1001ms"}) {
    EXPECT_EQ(FormatDuration(*ParseDuration(text)), text);
  }
}

TEST(ParseAddress, TakesNamesAndBothKindsOfNumbers) {
  for (const char* text : {"127.0.0.1:7400", "localhost:1", "pando-0.pando:65535", "[::1]:7400",
                           "[fe80::1]:7401", "0.0.0.0:7400"}) {
    const absl::StatusOr<Address> address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << text << ": " << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ParseAddress("[::1]:7400")->host, "::1");
  EXPECT_TRUE(ParseAddress("[::]:7400")->is_wildcard());
  EXPECT_TRUE(ParseAddress("0.0.0.0:7400")->is_wildcard());
  EXPECT_FALSE(ParseAddress("127.0.0.1:7400")->is_wildcard());
}

TEST(ParseAddress, RefusesTheRest) {
  for (const char* text :
       {"", "7400", ":7400", "localhost", "localhost:", "localhost:0", "localhost:65536",
        "localhost:-1", "localhost:7400x", "::1:7400", "[::1]", "[]:7400", "[localhost]:7400",
        "a b:7400", "http://localhost:7400", "1=localhost:7400"}) {
    EXPECT_FALSE(ParseAddress(text).ok()) << text;
  }
}

}  // namespace
}  // namespace pando::server
