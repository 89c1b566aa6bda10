#include "store/state_receiver.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace pando::store {

void DeleteState(io::Disk* disk, State state, uint64_t number) {
  state = State();
  const absl::Status deleted = disk->DeleteTree(Current{.state = number}.state_dir());
  if (deleted.ok()) return;
  base::Log(base::Severity::kWarning, "a state that is not needed stays until the next start",
            {{"error", deleted.ToString()}});
}

absl::StatusOr<std::unique_ptr<StateReceiver>> StateReceiver::Begin(
    io::Disk* disk, uint64_t number, const io::StateMark& mark, const StateOptions& options,
    std::shared_ptr<io::StateBuilder> builder, OnEnd on_end) {
  const std::string dir = Current{.state = number}.state_dir();
  PANDO_RETURN_IF_ERROR(disk->DeleteTree(dir));
  absl::StatusOr<std::unique_ptr<StateWriter>> writer =
      StateWriter::Create(disk, dir, mark, options);
  if (!writer.ok()) {
    DeleteState(disk, State(), number);
    return writer.status();
  }
  std::unique_ptr<StateReceiver> receiver(new StateReceiver(disk, number, mark));
  receiver->builder_ = std::move(builder);
  receiver->on_end_ = std::move(on_end);
  receiver->writer_ = *std::move(writer);
  return receiver;
}

StateReceiver::StateReceiver(io::Disk* disk, uint64_t number, const io::StateMark& mark)
    : disk_(disk), number_(number), mark_(mark) {}

StateReceiver::~StateReceiver() {
  if (writer_ == nullptr) return;
  writer_.reset();
  DeleteState(disk_, State(), number_);
  on_end_(std::nullopt, nullptr);
}

absl::Status StateReceiver::Take(const std::vector<model::RecordWrite>& records) {
  CHECK(writer_ != nullptr);
  for (const model::RecordWrite& record : records) {
    if (!record.value) return absl::DataLossError("a record has no value");
    PANDO_RETURN_IF_ERROR(writer_->Add(record.key, *record.value));
    PANDO_RETURN_IF_ERROR(builder_->Load(record.key, *record.value));
  }
  return absl::OkStatus();
}

absl::Status StateReceiver::Finish() {
  CHECK(writer_ != nullptr);
  PANDO_RETURN_IF_ERROR(builder_->Finish(mark_.revision, mark_.digest));
  absl::StatusOr<State> state = writer_->Finish();
  if (!state.ok()) return state.status();
  writer_.reset();
  on_end_(ReceivedState{number_, mark_, *std::move(state)}, std::move(builder_));
  return absl::OkStatus();
}

}  // namespace pando::store
