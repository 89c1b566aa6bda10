#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "base/host_port.h"
#include "base/rng.h"
#include "base/status.h"
#include "base/strong.h"
#include "base/wire.h"
#include "gtest/gtest.h"

namespace pando::base {
namespace {

TEST(Wire, NumbersComeBackAsWritten) {
  const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, uint64_t{1} << 63, ~uint64_t{0}};
  for (const uint64_t number : numbers) {
    std::string bytes;
    Writer writer(&bytes);
    writer.Varint(number);
    writer.Signed(static_cast<int64_t>(number));
    writer.Fixed32(static_cast<uint32_t>(number));
    writer.Fixed64(number);
    Reader reader(bytes);
    EXPECT_EQ(reader.Varint(), number);
    EXPECT_EQ(reader.Signed(), static_cast<int64_t>(number));
    EXPECT_EQ(reader.Fixed32(), static_cast<uint32_t>(number));
    EXPECT_EQ(reader.Fixed64(), number);
    EXPECT_TRUE(reader.done());
  }
}

TEST(Wire, EveryTruncationFails) {
  std::string bytes;
  Writer writer(&bytes);
  writer.Varint(300);
  writer.Bytes("trunk");
  writer.Fixed64(7);
  for (size_t size = 0; size < bytes.size(); ++size) {
    Reader reader(std::string_view(bytes).substr(0, size));
    reader.Varint();
    reader.Bytes();
    reader.Fixed64();
    EXPECT_FALSE(reader.ok()) << size;
  }
}

TEST(Wire, OnlyTheShortestVarintIsAccepted) {
  for (const std::string& bytes :
       {std::string("\x80\x00", 2), std::string(10, '\xff'), std::string(9, '\xff') + '\x02'}) {
    Reader reader(bytes);
    reader.Varint();
    EXPECT_FALSE(reader.ok());
  }
}

TEST(Wire, ACountThatCannotFitFails) {
  std::string bytes;
  Writer writer(&bytes);
  writer.Varint(3);
  writer.Raw("12345678");
  Reader fits(bytes);
  EXPECT_EQ(fits.Count(2), 3u);
  Reader too_many(bytes);
  EXPECT_EQ(too_many.Count(3), 0u);
  EXPECT_FALSE(too_many.ok());
}

TEST(Rng, TheSameSeedGivesTheSameNumbers) {
  Rng a(7), b(7), c(8);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
  for (int i = 0; i < 1000; ++i) {
    const uint64_t n = a.Between(3, 5);
    EXPECT_GE(n, 3u);
    EXPECT_LE(n, 5u);
  }
}

TEST(Hash, IsPartOfTheDiskFormat) {
  EXPECT_EQ(Hash64(""), 0x2d06800538d394c2u);
  EXPECT_NE(Hash64("a"), Hash64("a", 1));
}

TEST(Status, AnnotateKeepsTheCode) {
  EXPECT_TRUE(Annotate(absl::OkStatus(), "read").ok());
  const absl::Status status = Annotate(absl::NotFoundError("gone"), "read segment 7");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "read segment 7: gone");
}

TEST(CheckDeathTest, StopsTheProcessInEveryBuild) {
  EXPECT_DEATH(CHECK(1 + 1 == 3), "1 \\+ 1 == 3");
  EXPECT_EXIT(Fatal("wal/7: sync failed"), testing::ExitedWithCode(70), "wal/7");
}

TEST(Hash, PartsHashAsTheWhole) {
  std::string bytes;
  for (int i = 0; i < 3000; ++i) bytes.push_back(static_cast<char>(i * 31));
  for (const size_t part : {size_t{1}, size_t{7}, size_t{255}, size_t{3000}}) {
    Hasher hasher;
    EXPECT_EQ(hasher.value(), Hash64(""));
    for (size_t at = 0; at < bytes.size(); at += part) {
      hasher.Add(std::string_view(bytes).substr(at, part));
    }
    EXPECT_EQ(hasher.value(), Hash64(bytes)) << part;
  }
}

TEST(HostPort, TheLastColonDivides) {
  const auto parts = [](const char* address) {
    const HostPort split = SplitHostPort(address);
    return split.host + "|" + split.port;
  };
  EXPECT_EQ(parts("pando-0.pando:7401"), "pando-0.pando|7401");
  EXPECT_EQ(parts("127.0.0.1:0"), "127.0.0.1|0");
  EXPECT_EQ(parts("[::1]:7400"), "::1|7400");
  EXPECT_EQ(parts("host"), "host|");
}

}  // namespace
}  // namespace pando::base
