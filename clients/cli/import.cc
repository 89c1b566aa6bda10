#include "cli/import.h"

#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/pipeline.h"
#include "cli/server_error.h"
#include "model/limits.h"

namespace pando::cli {
namespace {

// Each entry is a Create first, which is all that a first import needs. Where something is there
// already, a second operation follows: Set for a file, and for a folder a transaction that sets
// null data unless it has it. Every operation bears being applied twice.
class Importer {
 public:
  Importer(const std::vector<ImportEntry>& entries, Progress* progress, SkippedPaths* skipped)
      : entries_(entries), progress_(*progress), skipped_(*skipped) {}

  absl::StatusOr<TransferSummary> Run(Connection* connection) {
    PipelineTraffic traffic;
    traffic.next = [this] { return Next(); };
    traffic.on_result = [this](const v1::PipelineOperation& operation,
                               const v1::PipelineResult& result) {
      return OnResult(operation, result);
    };
    const absl::Status status = RunPipeline(connection, traffic);
    if (!status.ok()) return status;
    return summary_;
  }

 private:
  std::optional<v1::PipelineOperation> Next() {
    if (!follow_ups_.empty()) {
      v1::PipelineOperation operation = std::move(follow_ups_.front());
      follow_ups_.pop_front();
      return operation;
    }
    while (next_ < entries_.size()) {
      const ImportEntry& entry = entries_[next_++];
      // The root is there always, and its data is not the import's to change.
      if (entry.node == "/") {
        progress_.Step(0);
        continue;
      }
      std::optional<v1::PipelineOperation> operation = CreateFor(entry);
      if (operation) return operation;
    }
    return std::nullopt;
  }

  // nullopt: the file was skipped.
  std::optional<v1::PipelineOperation> CreateFor(const ImportEntry& entry) {
    v1::PipelineOperation operation;
    v1::CreateRequest& create = *operation.mutable_create();
    create.set_path(entry.node);
    if (entry.is_folder) {
      create.set_if_not_exists(true);
      create.set_create_parents(true);
      return operation;
    }
    absl::StatusOr<std::string> bytes = ReadRegularFile(entry.file, model::kValueBytesHardMax);
    if (!bytes.ok()) {
      skipped_.Add(entry.relative,
                   absl::IsOutOfRange(bytes.status())
                       ? absl::StrCat("more than the ", BytesText(model::kValueBytesHardMax),
                                      " that a node can hold")
                       : std::string(bytes.status().message()));
      progress_.Step(0);
      return std::nullopt;
    }
    create.set_data(*std::move(bytes));
    return operation;
  }

  absl::Status OnResult(const v1::PipelineOperation& operation, const v1::PipelineResult& result) {
    if (result.has_error()) return OnError(operation, result.error());
    const bool was_there = operation.has_create() && result.create().existed();
    if (was_there) {
      follow_ups_.push_back(ClearOperation(operation.create().path()));
      return absl::OkStatus();
    }
    if (operation.has_set() || operation.create().has_data()) {
      const std::string& data =
          operation.has_set() ? operation.set().data() : operation.create().data();
      ++summary_.files;
      summary_.bytes += data.size();
      progress_.Step(data.size());
    } else {
      ++summary_.folders;
      progress_.Step(0);
    }
    return absl::OkStatus();
  }

  absl::Status OnError(const v1::PipelineOperation& operation, const v1::OperationError& error) {
    const bool is_file = operation.has_set() || operation.create().has_data();
    if (error.reason() == v1::REASON_NODE_EXISTS && operation.has_create() && is_file) {
      v1::PipelineOperation set;
      set.mutable_set()->set_path(operation.create().path());
      set.mutable_set()->set_data(operation.create().data());
      follow_ups_.push_back(std::move(set));
      return absl::OkStatus();
    }
    const std::string& node =
        operation.has_set() ? operation.set().path() : operation.create().path();
    if (is_file && error.reason() == v1::REASON_TOO_LARGE) {
      skipped_.Add(RelativeOf(node), "more than --max-value-bytes of the server");
      progress_.Step(0);
      return absl::OkStatus();
    }
    return base::Annotate(FinalStatus(ErrorOf(error), /*is_write=*/true), "import stopped");
  }

  // Gives a node that took a folder's place null data; a change only if it had some.
  static v1::PipelineOperation ClearOperation(const std::string& path) {
    v1::PipelineOperation operation;
    v1::TransactRequest& transact = *operation.mutable_transact();
    v1::Compare& compare = *transact.add_compares();
    compare.set_path(path);
    compare.set_subject(v1::COMPARE_SUBJECT_DATA);
    compare.set_relation(v1::COMPARE_RELATION_NOT_EQUAL);
    transact.add_then_operations()->mutable_set()->set_path(path);
    return operation;
  }

  std::string RelativeOf(const std::string& node) const {
    const std::string& top = entries_.front().node;
    return node.substr(top == "/" ? 1 : top.size() + 1);
  }

  const std::vector<ImportEntry>& entries_;
  Progress& progress_;
  SkippedPaths& skipped_;
  size_t next_ = 0;
  std::deque<v1::PipelineOperation> follow_ups_;
  TransferSummary summary_;
};

}  // namespace

absl::StatusOr<TransferSummary> ImportEntries(Connection* connection,
                                              const std::vector<ImportEntry>& entries,
                                              Progress* progress, SkippedPaths* skipped) {
  return Importer(entries, progress, skipped).Run(connection);
}

}  // namespace pando::cli
