// What a peer port reads: the first frame of a channel, and those that follow.
#include <vector>

#include "fuzz.h"
#include "protocol/wire.h"

namespace {

using pando::io::PeerMessage;
using pando::protocol::DecodeFrame;

std::string Encode(const std::vector<PeerMessage>& messages, size_t from, size_t to) {
  std::string frame;
  for (size_t i = from; i < to; ++i) pando::protocol::EncodeMessage(messages[i], &frame);
  return frame;
}

void TryGreeting(std::string_view bytes) {
  pando::protocol::Greeting greeting;
  if (!pando::protocol::DecodeGreeting(bytes, &greeting)) return;
  if (greeting.protocol != pando::protocol::kProtocol) return;
  CHECK(pando::protocol::EncodeGreeting(greeting) == bytes);
}

// A frame is its messages one after the other: any split between two of them gives two frames, and
// none anywhere else does.
void TryFrame(std::string_view bytes, size_t choice) {
  std::vector<PeerMessage> messages;
  if (!DecodeFrame(bytes, &messages)) return;
  CHECK(Encode(messages, 0, messages.size()) == bytes);
  if (messages.empty()) return;

  const size_t middle = choice % messages.size();
  const std::string head = Encode(messages, 0, middle);
  const std::string tail = Encode(messages, middle, messages.size());
  std::vector<PeerMessage> part;
  CHECK(DecodeFrame(head, &part));
  CHECK(part.size() == middle);
  CHECK(DecodeFrame(tail, &part));
  CHECK(part.size() == messages.size() - middle);

  const std::string one = Encode(messages, middle, middle + 1);
  const size_t cut = 1 + choice % one.size();
  if (cut < one.size()) CHECK(!DecodeFrame(std::string_view(one).substr(0, cut), &part));
}

}  // namespace

FUZZ(bytes) {
  if (bytes.empty()) return;
  const auto choice = static_cast<uint8_t>(bytes[0]);
  TryGreeting(bytes.substr(1));
  TryFrame(bytes.substr(1), choice);
}
