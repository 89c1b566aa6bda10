// The bytes of replies to commands: what a session keeps of them for a retry
// (docs/formats/records.md).
#ifndef PANDO_CODEC_REPLY_H_
#define PANDO_CODEC_REPLY_H_

#include <string>
#include <string_view>

#include "model/reply.h"

namespace pando::codec {

// Node data that a transaction read is left out, and the reply then says so (data_omitted).
// REQUIRES: the reply of a command, not of a query.
std::string EncodeReply(const model::Reply& reply);
bool DecodeReply(std::string_view bytes, model::Reply* reply);

}  // namespace pando::codec

#endif  // PANDO_CODEC_REPLY_H_
