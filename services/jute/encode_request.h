// EncodeRequest: what a client of ZooKeeper's protocol sends, as frames with their length. The
// other direction of jute/decode.h.
#ifndef PANDO_JUTE_ENCODE_REQUEST_H_
#define PANDO_JUTE_ENCODE_REQUEST_H_

#include <cstdint>
#include <string>

#include "jute/records.h"

namespace pando::jute {

// Without its last byte if `read_only` is absent, as clients before 3.4 do.
void AppendConnectRequest(const ConnectRequest& request, std::string* out);

// The opcode under which a request goes; that of SetWatches is the old one while that says it all.
Opcode TypeOf(const Request& request);

// `xid` as jute/records.h has them for ping, auth and setWatches, and the client's count for
// others.
void AppendRequest(int32_t xid, const Request& request, std::string* out);

}  // namespace pando::jute

#endif  // PANDO_JUTE_ENCODE_REQUEST_H_
