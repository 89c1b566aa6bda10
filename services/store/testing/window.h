// A small vocabulary for tests of the store: windows of writes, and what they leave.
#ifndef PANDO_STORE_TESTING_WINDOW_H_
#define PANDO_STORE_TESTING_WINDOW_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "io/install.h"
#include "io/store.h"
#include "model/change.h"
#include "model/record.h"

namespace pando::store {

using Records = std::map<std::string, std::string>;

inline uint64_t DigestOf(std::string_view key, std::string_view value) {
  return base::Hash64(value, base::Hash64(key));
}
inline uint64_t DigestOf(const Records& records) {
  uint64_t sum = 0;
  for (const auto& [key, value] : records) sum += DigestOf(key, value);
  return sum;
}

inline void Apply(const model::Delta& delta, Records* records) {
  for (const model::RecordWrite& write : delta.writes) {
    if (write.value) {
      (*records)[write.key] = *write.value;
    } else {
      records->erase(write.key);
    }
  }
}

// One change, of a node named after its revision.
inline std::shared_ptr<const model::ChangeBatch> BatchOf(uint64_t revision,
                                                         size_t data_bytes = 10) {
  static const auto acl = std::make_shared<const model::Acl>(model::OpenAcl());
  auto batch = std::make_shared<model::ChangeBatch>();
  batch->revision = model::Revision(revision);
  model::Change change;
  change.revision = batch->revision;
  change.path = "/node-" + std::to_string(revision);
  change.stat.create_revision = change.revision;
  change.data = std::string(data_bytes, static_cast<char>('a' + revision % 26));
  change.acl = acl;
  change.parent_acl = acl;
  batch->changes.push_back(std::move(change));
  return batch;
}

// A write with one change; `digest` is left to the caller.
inline io::StoreWrite WriteOf(uint64_t revision, std::vector<model::RecordWrite> writes,
                              size_t data_bytes = 10) {
  return {.revision = model::Revision(revision),
          .term = model::Term(1),
          .delta = {std::move(writes)},
          .changes = BatchOf(revision, data_bytes)};
}

// Decodes a state that is received: into records, of which it knows the digest.
class RecordsBuilder final : public io::StateBuilder {
 public:
  absl::Status Load(std::string_view key, std::string_view value) override {
    if (value == "no record") return absl::DataLossError("no record of this program");
    records_.emplace(key, value);
    return absl::OkStatus();
  }
  absl::Status Finish(model::Revision, uint64_t digest) override {
    if (digest != DigestOf(records_)) return absl::DataLossError("another digest");
    return absl::OkStatus();
  }
  const Records& records() const { return records_; }

 private:
  Records records_;
};

}  // namespace pando::store

#endif  // PANDO_STORE_TESTING_WINDOW_H_
