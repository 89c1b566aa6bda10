#include "io/client.h"

namespace pando::io {

size_t StreamBatch::bytes() const {
  size_t sum = sizeof(StreamBatch);
  for (const Selected& s : selected) {
    const model::Change& change = batch->changes[s.change];
    sum += sizeof(model::Stat) + change.path.size();
    if (s.with_data && change.data) sum += change.data->size();
  }
  return sum;
}

}  // namespace pando::io
