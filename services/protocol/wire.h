// The bytes of what servers say to one another (io/peers.h). Decoders are total: whatever comes is
// read, or refused, and never costs much more memory than it has bytes. Every value has one form.
//
//   hello     protocol (varint), the called server's id, then a PeerHello
//   frame     messages one after the other, each: the number of its alternative, its fields
//
// The numbers are the alternatives' places in io::PeerMessage and raft::Message: whoever changes
// these lists, or a struct in them, counts kProtocol up.
#ifndef PANDO_PROTOCOL_WIRE_H_
#define PANDO_PROTOCOL_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/peers.h"
#include "model/ids.h"

namespace pando::protocol {

inline constexpr uint64_t kProtocol = 3;

// Initial metadata of the called server: it has read the Hello, and listens.
inline constexpr char kListens[] = "pando-listens";

// The first frame of a channel.
struct Greeting {
  uint64_t protocol = kProtocol;
  model::ServerId to;  // whom the caller means: addresses come to belong to others
  io::PeerHello hello;
};
std::string EncodeGreeting(const Greeting& greeting);
// True also for another protocol; then nothing but that is read.
bool DecodeGreeting(std::string_view bytes, Greeting* greeting);

// Appends to `*frame`; returns the number of its parts: the message, and each entry and command in
// it. REQUIRES: entries of an AppendRequest are numbered from `previous` on.
size_t EncodeMessage(const io::PeerMessage& message, std::string* frame);
// False for anything else than messages of at most kPeerFramePartsMax parts together.
bool DecodeFrame(std::string_view frame, std::vector<io::PeerMessage>* messages);

}  // namespace pando::protocol

#endif  // PANDO_PROTOCOL_WIRE_H_
