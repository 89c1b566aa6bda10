#include "model/watch.h"

namespace pando::model {

size_t StreamBatch::bytes() const {
  size_t sum = sizeof(StreamBatch);
  for (const Selected& s : selected) {
    const Change& change = batch->changes[s.change];
    sum += sizeof(Stat) + change.path.size();
    if (s.with_data && change.data) sum += change.data->size();
  }
  return sum;
}

}  // namespace pando::model
