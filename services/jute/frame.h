// Frames: how requests and replies follow one another on a connection.
#ifndef PANDO_JUTE_FRAME_H_
#define PANDO_JUTE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pando::jute {

// In front of each frame's payload.
inline constexpr size_t kLengthBytes = 4;

// Of the payload of the frame with which `bytes` begins, which may not be there yet; none: nor is
// its length. Whoever reads bounds it.
inline std::optional<uint32_t> LengthOfFrame(std::string_view bytes) {
  if (bytes.size() < kLengthBytes) return std::nullopt;
  uint32_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

}  // namespace pando::jute

#endif  // PANDO_JUTE_FRAME_H_
