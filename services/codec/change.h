// The bytes of changes: the body of a change log's block (docs/formats/change-log.md).
//
//   batches   count, then each: revision, changes
//   acls      the ACLs that the changes refer to by number, each once; they come last, because
//             they are known only then
#ifndef PANDO_CODEC_CHANGE_H_
#define PANDO_CODEC_CHANGE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/change.h"

namespace pando::codec {

// Appends to `*out`.
void EncodeChangeBatches(const std::vector<std::shared_ptr<const model::ChangeBatch>>& batches,
                         std::string* out);
// False for anything else; then `*batches` is unspecified.
bool DecodeChangeBatches(std::string_view bytes,
                         std::vector<std::shared_ptr<const model::ChangeBatch>>* batches);

}  // namespace pando::codec

#endif  // PANDO_CODEC_CHANGE_H_
