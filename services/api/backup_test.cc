#include "api/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/testing/loopback.h"
#include "api/testing/proto_text.h"

namespace pando::api {
namespace {

using testing::ElementsAre;

constexpr io::StateMark kMark{model::Revision(70), model::Term(7), 0xfedcba9876543210};

// The test is the core and the scan thread.
class Backup : public Loopback {
 protected:
  Backup() : cluster_(v1::ClusterService::NewStub(channel_)) {}

  void Ask(const v1::SnapshotRequest& request = {}) {
    reader_ = cluster_->Snapshot(&context_, request);
  }
  // As the core answers it: a scan begins.
  std::shared_ptr<io::ScanSink> BeginScan() {
    const io::RequestBatch batch = NextRequests();
    Answer(batch, {Ok(69)});
    auto sink = std::get<io::TakeBackup>(batch.requests.at(0).body).sink;
    sink->Begin(kMark);
    return sink;
  }
  static std::vector<model::RecordWrite> Chunk(int number) {
    return {{absl::StrCat("key", 1000 + number, "a"), std::string(100'000, 'x')},
            {absl::StrCat("key", 1000 + number, "b"), std::string()}};
  }
  // Reads all that comes and gives its bytes.
  std::string ReadAll() {
    std::string bytes;
    v1::SnapshotResponse part;
    while (reader_->Read(&part)) {
      EXPECT_EQ(part.header().revision(), 70);
      EXPECT_EQ(part.revision(), 70);
      EXPECT_EQ(part.offset(), static_cast<int64_t>(bytes.size()));
      EXPECT_LE(part.chunk().size(), model::kScanChunkBytesMax);
      EXPECT_EQ(last_.size_bytes(), 0) << "only the last part knows it";
      bytes += part.chunk();
      last_ = part;
    }
    return bytes;
  }

  std::unique_ptr<v1::ClusterService::Stub> cluster_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::SnapshotResponse>> reader_;
  v1::SnapshotResponse last_;
};

TEST_F(Backup, IsASnapshotOfWhatTheScanGave) {
  Ask();
  const auto sink = BeginScan();
  std::vector<model::RecordWrite> records;
  auto scan = std::async(std::launch::async, [&] {
    for (int i = 0; i < 60; ++i) {
      const auto chunk = Chunk(i);
      while (sink->Take(kMark.revision, chunk) != io::Taken::kTaken) std::this_thread::yield();
      records.insert(records.end(), chunk.begin(), chunk.end());
    }
    sink->Finish(kMark.revision, absl::OkStatus());
  });
  const std::string bytes = ReadAll();
  scan.get();
  EXPECT_TRUE(reader_->Finish().ok());
  EXPECT_EQ(last_.size_bytes(), static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(last_.checksum(), base::Hash64(bytes));

  std::vector<model::RecordWrite> decoded;
  codec::SnapshotDecoder decoder([&](std::string_view key, std::string_view value) {
    decoded.push_back({std::string(key), std::string(value)});
    return absl::OkStatus();
  });
  ASSERT_TRUE(decoder.Feed(bytes).ok());
  ASSERT_TRUE(decoder.Finish().ok());
  EXPECT_EQ(decoder.header(), (codec::SnapshotHeader{kCluster, kMark}));
  EXPECT_EQ(decoded, records);
  EXPECT_THAT(counted(), ElementsAre("ClusterService/Snapshot OK"));
}

TEST_F(Backup, OfAnEmptyStateHasAnEndToo) {
  Ask();
  BeginScan()->Finish(kMark.revision, absl::OkStatus());
  const std::string bytes = ReadAll();
  EXPECT_TRUE(reader_->Finish().ok());
  EXPECT_EQ(last_.size_bytes(), static_cast<int64_t>(bytes.size()));
}

TEST_F(Backup, IsReadAsTheHeaderWants) {
  Ask(Proto<v1::SnapshotRequest>(
      "header { min_revision: 9 consistency: CONSISTENCY_LINEARIZABLE }"));
  const io::RequestBatch batch = NextRequests();
  EXPECT_EQ(batch.requests[0].min_revision, model::Revision(9));
  EXPECT_EQ(batch.requests[0].consistency, io::Consistency::kLinearizable);
  Answer(batch, {Refusal(model::Reason::kBehind)});
  EXPECT_EQ(ReadAll(), "");
  EXPECT_EQ(ReasonIn(reader_->Finish()), "BEHIND");
}

TEST_F(Backup, ScanThatBreaksOffGivesNoWholeOne) {
  Ask();
  const auto sink = BeginScan();
  ASSERT_EQ(sink->Take(kMark.revision, Chunk(1)), io::Taken::kTaken);
  sink->Finish(kMark.revision, absl::UnavailableError("the store has to be reopened"));
  ReadAll();
  EXPECT_EQ(ReasonIn(reader_->Finish()), "OVERLOADED");
  EXPECT_EQ(last_.size_bytes(), 0);
}

TEST_F(Backup, ScanThatNeverBeganIsTold) {
  Ask();
  const io::RequestBatch batch = NextRequests();
  std::get<io::TakeBackup>(batch.requests.at(0).body)
      .sink->Finish({}, absl::ResourceExhaustedError("too many scans wait"));
  Answer(batch, {Ok(69)});
  EXPECT_EQ(ReadAll(), "");
  EXPECT_EQ(ReasonIn(reader_->Finish()), "OVERLOADED");
}

TEST_F(Backup, WhoDoesNotReadHoldsTheScanBack) {
  Ask();
  const auto sink = BeginScan();
  // What fits into the two sides' windows and ours; far more than that is offered.
  int taken = 0;
  for (int i = 0; i < 100'000 && taken < 1'000; ++i) {
    if (sink->Take(kMark.revision, Chunk(taken)) == io::Taken::kTaken) ++taken;
  }
  EXPECT_LT(taken, 1'000) << "100 MB";
  context_.TryCancel();
}

TEST_F(Backup, ScanEndsWhenNobodyReadsAnyMore) {
  Ask();
  const auto sink = BeginScan();
  context_.TryCancel();
  ReadAll();
  EXPECT_EQ(reader_->Finish().error_code(), grpc::CANCELLED);
  io::Taken taken = io::Taken::kTaken;
  for (int i = 0; i < 1'000'000 && taken != io::Taken::kCancelled; ++i) {
    taken = sink->Take(kMark.revision, Chunk(i));
  }
  EXPECT_EQ(taken, io::Taken::kCancelled);
  sink->Finish(kMark.revision, absl::CancelledError(""));
  server_->Shutdown(std::chrono::seconds(0));  // until the call is through on its side too
  server_.reset();
  EXPECT_THAT(counted(), ElementsAre("ClusterService/Snapshot CANCELLED"));
}

TEST_F(Backup, OfAnotherEnsembleIsRefused) {
  Ask(Proto<v1::SnapshotRequest>("header { cluster_id: 1 }"));
  EXPECT_EQ(ReadAll(), "");
  EXPECT_EQ(ReasonIn(reader_->Finish()), "WRONG_CLUSTER");
  EXPECT_TRUE(NothingCame());
}

}  // namespace
}  // namespace pando::api
