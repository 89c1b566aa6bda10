#include "base/wire.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace pando::base {

// Seven bits each; the last has one.
constexpr size_t kVarintBytesMax = 10;
static_assert(std::endian::native == std::endian::little, "Fixed32 and Fixed64 copy memory");

void Writer::Varint(uint64_t value) {
  char bytes[kVarintBytesMax];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out_->append(bytes, size);
}

void Writer::Signed(int64_t value) {
  Varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void Writer::Fixed32(uint32_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out_->append(bytes, sizeof value);
}

void Writer::Fixed64(uint64_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out_->append(bytes, sizeof value);
}

void Writer::Bytes(std::string_view value) {
  Varint(value.size());
  out_->append(value);
}

uint8_t Reader::Byte() {
  if (rest_.empty()) {
    Fail();
    return 0;
  }
  const uint8_t value = static_cast<uint8_t>(rest_[0]);
  rest_.remove_prefix(1);
  return value;
}

bool Reader::Bool() {
  const uint8_t value = Byte();
  if (value > 1) Fail();
  return ok_ && value == 1;
}

uint64_t Reader::Varint() {
  const size_t size_max = std::min(rest_.size(), kVarintBytesMax);
  uint64_t value = 0;
  for (size_t i = 0; i < size_max; ++i) {
    const uint8_t byte = static_cast<uint8_t>(rest_[i]);
    const bool overflows = i == kVarintBytesMax - 1 && byte > 1;
    const bool too_long = i > 0 && byte == 0;
    if (overflows || too_long) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte >= 0x80) continue;
    rest_.remove_prefix(i + 1);
    return value;
  }
  Fail();
  return 0;
}

int64_t Reader::Signed() {
  const uint64_t value = Varint();
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

uint32_t Reader::Fixed32() {
  const std::string_view bytes = Raw(sizeof(uint32_t));
  uint32_t value = 0;
  if (ok_) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

uint64_t Reader::Fixed64() {
  const std::string_view bytes = Raw(sizeof(uint64_t));
  uint64_t value = 0;
  if (ok_) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::string_view Reader::Bytes() {
  const uint64_t size = Varint();
  if (size > rest_.size()) {
    Fail();
    return {};
  }
  return Raw(static_cast<size_t>(size));
}

std::string_view Reader::Raw(size_t size) {
  if (size > rest_.size()) {
    Fail();
    return {};
  }
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

std::string_view Reader::Rest() { return Raw(rest_.size()); }

size_t Reader::Count(size_t bytes_each) {
  const uint64_t count = Varint();
  if (count > rest_.size() / bytes_each) {
    Fail();
    return 0;
  }
  return static_cast<size_t>(count);
}

}  // namespace pando::base
