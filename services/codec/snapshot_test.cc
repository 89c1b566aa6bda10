#include "codec/snapshot.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"

namespace pando::codec {
namespace {

using Records = std::map<std::string, std::string>;

constexpr SnapshotHeader kHeader{model::ClusterId(0xc1),
                                 {model::Revision(9), model::Term(3), 0xd1}};

Records Many() {
  Records records;
  for (int i = 0; i < 3000; ++i) {
    records[absl::StrCat("key-", i)] = std::string(200, static_cast<char>('a' + i % 26));
  }
  return records;
}

std::string Encode(const Records& records) {
  SnapshotEncoder encoder(kHeader);
  std::string bytes = encoder.Take();
  for (const auto& [key, value] : records) {
    encoder.Add(key, value);
    bytes += encoder.Take();
  }
  encoder.Finish();
  bytes += encoder.Take();
  EXPECT_EQ(encoder.bytes(), bytes.size());
  return bytes;
}

struct Decoded {
  Records records;
  absl::Status status;
};
Decoded Decode(std::string_view bytes, size_t part) {
  Decoded decoded;
  SnapshotDecoder decoder([&](std::string_view key, std::string_view value) {
    decoded.records.emplace(key, value);
    return absl::OkStatus();
  });
  for (size_t at = 0; at < bytes.size() && decoded.status.ok(); at += part) {
    decoded.status = decoder.Feed(bytes.substr(at, part));
  }
  if (decoded.status.ok()) decoded.status = decoder.Finish();
  if (decoded.status.ok()) {
    EXPECT_EQ(decoder.header(), kHeader);
    EXPECT_EQ(decoder.records(), decoded.records.size());
    EXPECT_EQ(decoder.bytes(), bytes.size());
  }
  return decoded;
}

TEST(Snapshot, PartsOfAnySizeGiveTheRecords) {
  const Records small{{"a", "1"}, {"b", ""}};
  for (const size_t part : {1, 2, 3, 16, 1000}) {
    const Decoded decoded = Decode(Encode(small), part);
    EXPECT_TRUE(decoded.status.ok()) << decoded.status;
    EXPECT_EQ(decoded.records, small);
  }
  for (const Records& records : {Records(), Many(), Records{{"k", std::string(3 << 20, 'x')}}}) {
    for (const size_t part : {size_t{4097}, size_t{256} << 10, size_t{1} << 30}) {
      const Decoded decoded = Decode(Encode(records), part);
      EXPECT_TRUE(decoded.status.ok()) << decoded.status;
      EXPECT_EQ(decoded.records, records);
    }
  }
}

TEST(Snapshot, DamageIsFoundWhereItIs) {
  const std::string good = Encode(Many());
  for (size_t at = 0; at < good.size(); at += at < 100 || at + 100 > good.size() ? 1 : 4099) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    const absl::Status status = Decode(bad, 70'000).status;
    EXPECT_TRUE(absl::IsDataLoss(status)) << at << ": " << status;
  }
  EXPECT_EQ(Decode("PNDSNP02" + good.substr(8), 1000).status.message(),
            "0: no header of a snapshot");
}

TEST(Snapshot, ItEndsWhereItEnds) {
  const std::string good = Encode(Many());
  for (const size_t size : {size_t{0}, size_t{1}, size_t{56}, good.size() / 2, good.size() - 1}) {
    const absl::Status status = Decode(good.substr(0, size), 70'000).status;
    EXPECT_TRUE(absl::IsDataLoss(status)) << size;
    EXPECT_NE(status.message().find("it ends early"), absl::string_view::npos) << status;
  }
  EXPECT_EQ(Decode(good + "x", 70'000).status.message(),
            absl::StrCat(good.size(), ": it goes on after its end"));
}

TEST(Snapshot, WhatTheReaderSaysComesBack) {
  SnapshotDecoder decoder(
      [](std::string_view, std::string_view) { return absl::CancelledError("enough"); });
  EXPECT_TRUE(absl::IsCancelled(decoder.Feed(Encode(Many()))));
}

}  // namespace
}  // namespace pando::codec
