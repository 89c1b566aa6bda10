#include "wal/format.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/hash.h"
#include "base/rng.h"
#include "gtest/gtest.h"
#include "wal/testing/entries.h"

namespace pando::wal {
namespace {

std::string SomeBody() {
  const HardState state{
      .start = model::StartCount(300), .term = model::Term(9), .vote = model::ServerId(2)};
  const Position last{model::Revision(41), model::Term(8)};
  std::string body;
  AppendRecord(Head{.state = state, .last = last}, &body);
  AppendRecord(state, &body);
  const std::vector<raft::EntryRef> entries = {MakeRef(42, 9, "payload"), MakeRef(43, 9, "")};
  AppendRecord(last, entries, &body);
  AppendRecord(ResetTo{.last = last, .keeps_suffix = true}, &body);
  AppendRecord(*MakeFormation(5, true).formation, &body);
  return body;
}

TEST(SegmentName, ParsesOnlyWhatItPrints) {
  const SegmentName name{.first = BatchNumber(0x1a), .id = SegmentId(~uint64_t{0})};
  EXPECT_EQ(name.ToString(), "000000000000001a-ffffffffffffffff.wal");
  EXPECT_EQ(SegmentName::Parse(name.ToString()), name);
  for (const char* bad :
       {"", "spare", "spare.new", "000000000000001a-ffffffffffffffff", "1a-ff.wal",
        "000000000000001A-ffffffffffffffff.wal", "000000000000001a_ffffffffffffffff.wal",
        "000000000000001a-ffffffffffffffff.new", "000000000000001g-ffffffffffffffff.wal",
        "0000000000000000-ffffffffffffffff.wal", "000000000000001a-0000000000000000.wal",
        "000000000000001a-ffffffffffffffff.wal.old"}) {
    EXPECT_FALSE(SegmentName::Parse(bad).has_value()) << bad;
  }
}

TEST(BatchHeader, ComesBackAndEveryFlippedBitIsSeen) {
  const BatchHeader header{.segment = SegmentId(7),
                           .number = BatchNumber(1 << 20),
                           .body_bytes = 12345,
                           .body_checksum = ~uint64_t{5}};
  std::string bytes = EncodeHeader(header);
  ASSERT_EQ(bytes.size(), kHeaderBytes);
  EXPECT_EQ(DecodeHeader(bytes + "rest"), header);
  EXPECT_FALSE(DecodeHeader(bytes.substr(1)).has_value());
  for (size_t bit = 0; bit < 8 * kHeaderBytes; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeHeader(bytes).has_value()) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST(BatchBytes, AreWholeBlocks) {
  EXPECT_EQ(BatchBytes(1), 4096u);
  EXPECT_EQ(BatchBytes(4096 - kHeaderBytes), 4096u);
  EXPECT_EQ(BatchBytes(4096 - kHeaderBytes + 1), 8192u);
}

TEST(Body, RecordsComeBackAsWritten) {
  const std::string body = SomeBody();
  const auto records = DecodeBody(body);
  ASSERT_TRUE(records.has_value());
  ASSERT_EQ(records->size(), 5u);
  const Head& head = std::get<Head>((*records)[0]);
  EXPECT_EQ(head.state.start, model::StartCount(300));
  EXPECT_EQ(head.last, (Position{model::Revision(41), model::Term(8)}));
  EXPECT_EQ(std::get<HardState>((*records)[1]), head.state);
  const EntriesView& entries = std::get<EntriesView>((*records)[2]);
  EXPECT_EQ(entries.previous, head.last);
  ASSERT_EQ(entries.items.size(), 2u);
  EXPECT_EQ(entries.items[0].payload, "payload");
  EXPECT_EQ(entries.items[1].term, model::Term(9));
  EXPECT_TRUE(std::get<ResetTo>((*records)[3]).keeps_suffix);
  EXPECT_EQ(std::get<model::Formation>((*records)[4]), *MakeFormation(5, true).formation);
}

// The bytes of format 1, for ever: a change of any of these makes old data dirs unreadable.
TEST(Body, BytesAreThoseOfFormat1) {
  EXPECT_EQ(SomeBody(), std::string("\x01\x01\xac\x02\x09\x02\x29\x08"
                                    "\x02\xac\x02\x09\x02"
                                    "\x03\x29\x08\x02\x09\x01\x07payload\x09\x01\x00"
                                    "\x04\x29\x08\x01"
                                    "\x05\x1a\x01\x02"
                                    "\x01\x00\x01\x03"
                                    "a:1\x00\x00\x00\x00\x00"
                                    "\x02\x05\x01\x03"
                                    "b:1\x00\x00\x00\x00\x00",
                                    62));
  const std::string header =
      EncodeHeader({.segment = SegmentId(1), .number = BatchNumber(2), .body_bytes = 3});
  EXPECT_EQ(absl::BytesToHexString(header),
            "50616e646f57414c0100000000000000020000000000000003000000000000000000000000000000"
            "e2b3df61aa779fa3");
}

TEST(Body, FramesAndEntriesKeepToTheirBounds) {
  const uint64_t most = ~uint64_t{0};
  const HardState state{
      .start = model::StartCount(most), .term = model::Term(most), .vote = model::ServerId(most)};
  const Position last{model::Revision(most >> 1), model::Term(most)};
  std::string body;
  AppendRecord(Head{.state = state, .last = last}, &body);
  EXPECT_LE(body.size(), kRecordBytesMax);
  body.clear();
  const std::vector<raft::EntryRef> one = {MakeRef(1, most, std::string(5'000'000, 'x'))};
  AppendRecord({}, one, &body);
  EXPECT_LE(body.size(), EntryBytesMax(*one[0]) + kRecordBytesMax);
}

TEST(Body, WhatNoEncoderMadeIsRefused) {
  const std::string bad[] = {
      "\x06",                                                  // no such record
      std::string("\x01\x02\0\0\0\0\0", 7),                    // a later format
      std::string("\x03\0\0\0", 4),                            // no entries
      std::string("\x03\0\0\x01\x01\x04\0", 7),                // no such kind
      std::string("\x03\0\0\xff\xff\x03", 6),                  // more entries than bytes
      std::string("\x04\0\0\x02", 4),                          // not a bool
      std::string("\x05\x02\x02\0", 4),                        // not a bool
      std::string("\x05\x03\x01\0\0", 5),                      // more than the formation
      "\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01",  // an index beyond 63 bits
  };
  for (const std::string& body : bad) {
    EXPECT_FALSE(DecodeBody(body).has_value()) << testing::PrintToString(body);
  }
}

TEST(Body, NoBytesAreReadBeyond) {
  const std::string whole = SomeBody();
  size_t decoded = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    // On the heap and of that size, so that a sanitizer sees a byte too far.
    const std::vector<char> bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    if (DecodeBody({bytes.data(), bytes.size()})) ++decoded;
  }
  EXPECT_EQ(decoded, 5u);  // between two records, that is
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    base::Rng rng(seed);
    std::vector<char> bytes(whole.begin(), whole.end());
    for (uint64_t i = rng.Between(1, 4); i-- > 0;) {
      bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
    }
    (void)DecodeBody({bytes.data(), bytes.size()});
  }
}

}  // namespace
}  // namespace pando::wal
