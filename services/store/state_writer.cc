#include "store/state_writer.h"

#include <utility>

namespace pando::store {
namespace {

// A state is built in batches of this size: one sync each, and LevelDB holds one in memory.
constexpr size_t kBatchBytes = size_t{4} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<StateWriter>> StateWriter::Create(io::Disk* disk,
                                                                 const std::string& dir,
                                                                 const io::StateMark& mark,
                                                                 const StateOptions& options) {
  absl::StatusOr<State> state = CreateState(disk, dir, mark.revision, options);
  if (!state.ok()) return state.status();
  return std::unique_ptr<StateWriter>(new StateWriter(mark, *std::move(state)));
}

absl::Status StateWriter::Add(std::string_view key, std::string_view value) {
  // The empty key, which is the mark's, comes before all others.
  if (key <= last_key_) return absl::DataLossError("a record is out of order");
  last_key_ = key;
  batch_.push_back({std::string(key), std::string(value)});
  bytes_ += batch_.back().bytes();
  if (bytes_ < kBatchBytes) return absl::OkStatus();
  PANDO_RETURN_IF_ERROR(state_.tree->Build(batch_, io::StateMark()));
  batch_.clear();
  bytes_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<State> StateWriter::Finish() {
  PANDO_RETURN_IF_ERROR(state_.tree->Build(batch_, mark_));
  batch_.clear();
  return std::move(state_);
}

}  // namespace pando::store
