// The bytes of format 1, for ever: what a data dir of an older program holds must be read by every
// newer one. A change of any of these makes old data dirs unreadable.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "store/change_block.h"
#include "store/data_dir.h"
#include "store/snapshot_file.h"
#include "store/testing/crash_disk.h"

namespace pando::store {
namespace {

TEST(Golden, Identity) {
  const std::string text =
      "pando data dir 1\n"
      "server 1\n"
      "storage feedface12345678\n"
      "cluster 0123456789abcdef\n"
      "checksum b3b866ed1b06ee8b\n";
  const Identity identity{model::ServerId(1), model::StorageId(0xfeedface12345678),
                          model::ClusterId(0x0123456789abcdef)};
  EXPECT_EQ(FormatIdentity(identity), text);
  Identity parsed;
  ASSERT_TRUE(ParseIdentity(text, &parsed));
  EXPECT_EQ(parsed, identity);
}

TEST(Golden, Current) {
  const std::string plain = "state 3\nchecksum 5a2cdc3bf2dfa721\n";
  const std::string with_reset =
      "state 4\n"
      "wal-reset-revision 700\n"
      "wal-reset-term 5\n"
      "checksum 286640a866f84ddf\n";
  EXPECT_EQ(FormatCurrent({.state = 3}), plain);
  EXPECT_EQ(FormatCurrent({4, Current::WalReset{model::Revision(700), model::Term(5)}}),
            with_reset);
  Current parsed;
  ASSERT_TRUE(ParseCurrent(with_reset, &parsed));
  EXPECT_EQ(parsed.wal_reset->revision, model::Revision(700));
}

ChangeBatches SomeBatches() {
  auto batch = std::make_shared<model::ChangeBatch>();
  batch->revision = model::Revision(9);
  const auto acl = std::make_shared<const model::Acl>(model::OpenAcl());
  batch->changes.push_back(
      {batch->revision, model::ChangeKind::kCreated, "/a", {}, "data", acl, acl});
  return {batch};
}

TEST(Golden, ChangeLog) {
  const SegmentHeader segment{7, model::Revision(8), {1'700'000'000'000}};
  const std::string segment_bytes = absl::HexStringToBytes(
      "504e444348473031010000000000000007000000000000000800000000000000"
      "0068e5cf8b010000eb6c0a70b5475108");
  EXPECT_EQ(absl::BytesToHexString(EncodeSegmentHeader(segment)),
            absl::BytesToHexString(segment_bytes));
  SegmentHeader decoded;
  ASSERT_TRUE(DecodeSegmentHeader(segment_bytes, 7, &decoded));
  EXPECT_EQ(decoded, segment);

  const std::string block = absl::HexStringToBytes(
      "424c4b312900000008000000000000000c00000000000000ef9672497d16cafe"
      "48b3354a2ab893ae01090101022f610000000000000000000000056461746100"
      "0001011f05776f726c6406616e796f6e65");
  EXPECT_EQ(absl::BytesToHexString(
                EncodeBlock(7, model::Revision(8), model::Revision(12), SomeBatches())),
            absl::BytesToHexString(block));
  BlockHeader header;
  ASSERT_TRUE(DecodeBlockHeader(block.substr(0, kBlockHeaderBytes), 7, &header));
  EXPECT_EQ(header.last, model::Revision(12));
  ChangeBatches batches;
  ASSERT_TRUE(DecodeBlockBody(block.substr(kBlockHeaderBytes), 7, header, {}, &batches));
  EXPECT_EQ(batches.at(0)->changes.at(0).data, "data");
}

TEST(Golden, Snapshot) {
  const std::string bytes = absl::HexStringToBytes(
      "504e44534e5030310100000000000000c1000000000000000900000000000000"
      "0300000000000000d100000000000000b6ba9cb856eb59071100000002000000"
      "dc2bc7afd6e97432036b65790576616c7565056f746865720018000000000000"
      "005fd87009a519888d02000000000000008100000000000000dc2bc7afd6e974"
      "32");
  CrashDisk disk;
  const SnapshotHeader header{model::ClusterId(0xc1), {model::Revision(9), model::Term(3), 0xd1}};
  auto writer = SnapshotWriter::Create(&disk, SnapshotPath(model::Revision(9)), header);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Add("key", "value").ok());
  ASSERT_TRUE((*writer)->Add("other", "").ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ(absl::BytesToHexString(*io::ReadFile(&disk, "snapshots/00000000000000000009.snapshot")),
            absl::BytesToHexString(bytes));
  ASSERT_TRUE(io::ReplaceFile(&disk, "old", bytes).ok());
  size_t records = 0;
  const absl::StatusOr<SnapshotHeader> read =
      ReadSnapshot(&disk, "old", [&](std::string_view, std::string_view) {
        ++records;
        return absl::OkStatus();
      });
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, header);
  EXPECT_EQ(records, 2u);
}

}  // namespace
}  // namespace pando::store
