// StateWriter: builds the state of a data dir from its records, beside the one in force.
// Owned by one thread, which waits for the disk.
#ifndef PANDO_STORE_STATE_WRITER_H_
#define PANDO_STORE_STATE_WRITER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "io/disk.h"
#include "io/store.h"
#include "model/ids.h"
#include "model/record.h"
#include "store/state.h"

namespace pando::store {

class StateWriter {
 public:
  // Makes the new folder `dir` for a state at `mark`; its change log begins after that.
  static absl::StatusOr<std::unique_ptr<StateWriter>> Create(io::Disk* disk, const std::string& dir,
                                                             const io::StateMark& mark,
                                                             const StateOptions& options);
  // DATA_LOSS: keys do not strictly increase. Any other error is the disk's. After an error it can
  // only be dropped, and the folder deleted.
  [[nodiscard]] absl::Status Add(std::string_view key, std::string_view value);
  // The state at its mark, synced but for the folder's own name. Nothing can be added any more.
  absl::StatusOr<State> Finish();

 private:
  StateWriter(const io::StateMark& mark, State state) : mark_(mark), state_(std::move(state)) {}

  const io::StateMark mark_;
  State state_;
  std::vector<model::RecordWrite> batch_;
  size_t bytes_ = 0;  // of `batch_`
  std::string last_key_;
};

}  // namespace pando::store

#endif  // PANDO_STORE_STATE_WRITER_H_
