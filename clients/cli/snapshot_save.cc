#include "cli/snapshot_save.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/status.h"
#include "cli/files.h"
#include "cli/new_file.h"
#include "cli/signals.h"

namespace pando::cli {
namespace {

// One try: the parts of one stream.
class Incoming {
 public:
  explicit Incoming(const std::string& from) : check_(from) {}

  absl::Status Take(const v1::SnapshotResponse& part) {
    if (part.offset() != static_cast<int64_t>(bytes_)) {
      return absl::DataLossError("a part of the backup is missing: run it again");
    }
    bytes_ += part.chunk().size();
    hasher_.Add(part.chunk());
    if (part.size_bytes() != 0) {
      whole_ =
          part.size_bytes() == static_cast<int64_t>(bytes_) && part.checksum() == hasher_.value();
    }
    return check_.Feed(part.chunk());
  }

  absl::StatusOr<SnapshotFacts> Finish() {
    if (!whole_) {
      return absl::DataLossError(
          "the backup came without its end, or changed on its way: run it "
          "again");
    }
    return check_.Finish();
  }

  bool began() const { return bytes_ > 0; }

 private:
  SnapshotCheck check_;
  base::Hasher hasher_;
  uint64_t bytes_ = 0;
  bool whole_ = false;
};

class Saver {
 public:
  Saver(Connection* connection, SaveFrom from, std::unique_ptr<NewFile> file, Progress* progress)
      : connection_(*connection), from_(from), file_(std::move(file)), progress_(*progress) {}

  absl::StatusOr<SnapshotFacts> Run() {
    PANDO_RETURN_IF_ERROR(connection_.Call(
        CallKind::kStream, [this](const Server& server, grpc::ClientContext* context) {
          return RunStream(server, context);
        }));
    PANDO_RETURN_IF_ERROR(outcome_);
    // Nothing gets the name that was not verified.
    if (file_ != nullptr) PANDO_RETURN_IF_ERROR(file_->Finish());
    return facts_;
  }

 private:
  // OK: it is at its end, `outcome_` says which. Otherwise why the stream is no good: the next try
  // starts from the beginning, at another revision.
  grpc::Status RunStream(const Server& server, grpc::ClientContext* context) {
    if (file_ != nullptr) outcome_ = file_->StartAgain();
    Incoming incoming("what the server sent");
    v1::SnapshotRequest request;
    connection_.PrepareRead(request.mutable_header());
    if (from_ == SaveFrom::kEnsemble) {
      request.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
    }
    const auto rpc = server.cluster->Snapshot(context, request);
    v1::SnapshotResponse part;
    while (outcome_.ok() && rpc->Read(&part)) {
      connection_.Alive();
      connection_.Heard(part.header());
      outcome_ = Take(part, &incoming);
    }
    if (!outcome_.ok()) context->TryCancel();
    const grpc::Status status = rpc->Finish();
    if (!outcome_.ok()) return grpc::Status::OK;
    if (!status.ok()) {
      // What was printed cannot be taken back.
      if (file_ != nullptr || !incoming.began()) return status;
      outcome_ = absl::UnavailableError("the connection broke in the middle: run it again");
      return grpc::Status::OK;
    }
    absl::StatusOr<SnapshotFacts> facts = incoming.Finish();
    if (facts.ok()) facts_ = *std::move(facts);
    outcome_ = facts.status();
    return grpc::Status::OK;
  }

  absl::Status Take(const v1::SnapshotResponse& part, Incoming* incoming) {
    if (signals_.Stopped()) return absl::CancelledError("interrupted: there is no backup");
    PANDO_RETURN_IF_ERROR(incoming->Take(part));
    progress_.Step(part.chunk().size());
    return file_ != nullptr ? file_->Write(part.chunk())
                            : WriteAll(STDOUT_FILENO, "the standard output", part.chunk());
  }

  Signals signals_;
  Connection& connection_;
  const SaveFrom from_;
  const std::unique_ptr<NewFile> file_;  // null: the standard output
  Progress& progress_;
  absl::Status outcome_;
  SnapshotFacts facts_;
};

}  // namespace

absl::StatusOr<SnapshotFacts> SaveSnapshot(Connection* connection, SaveFrom from,
                                           const std::string& path, Progress* progress) {
  std::unique_ptr<NewFile> file;
  if (path != "-") {
    absl::StatusOr<std::unique_ptr<NewFile>> created = NewFile::Create(path);
    if (!created.ok()) return created.status();
    file = *std::move(created);
  }
  return Saver(connection, from, std::move(file), progress).Run();
}

}  // namespace pando::cli
