// The body of a change log's block. ACLs are numbered in the order of use by the encoder, and may
// be in any by the decoder: so it is what was encoded again that comes back byte by byte.
#include <memory>
#include <string>
#include <vector>

#include "codec/change.h"
#include "fuzz.h"

FUZZ(bytes) {
  using Batches = std::vector<std::shared_ptr<const pando::model::ChangeBatch>>;
  Batches batches;
  if (!pando::codec::DecodeChangeBatches(bytes, &batches)) return;
  std::string once;
  pando::codec::EncodeChangeBatches(batches, &once);
  Batches again;
  CHECK(pando::codec::DecodeChangeBatches(once, &again));
  std::string twice;
  pando::codec::EncodeChangeBatches(again, &twice);
  CHECK(once == twice);
}
