// Decode: bytes of ZooKeeper's clients to records. Total: any bytes give a record or an error.
#ifndef PANDO_JUTE_DECODE_H_
#define PANDO_JUTE_DECODE_H_

#include <string_view>

#include "jute/records.h"

namespace pando::jute {

enum class Decoded : uint8_t {
  kOk,
  kUnknownOpcode,  // of the header; kUnimplemented, and the connection ends
  kMalformed,      // the header is good, its record is not; kMarshallingError
  kNoHeader,       // not even that; the connection ends
};

// A frame's payload, without its length. The first frame of a connection; false: it is none.
// Bytes after the record are ignored, as ZooKeeper does: later versions may add fields.
[[nodiscard]] bool DecodeConnectRequest(std::string_view payload, ConnectRequest* out);

// Any other frame. kCreateSession, kDeleteContainer, kNotification and kError count as unknown:
// they are not a client's to send.
[[nodiscard]] Decoded DecodeRequest(std::string_view payload, RequestHeader* header, Request* out);

}  // namespace pando::jute

#endif  // PANDO_JUTE_DECODE_H_
