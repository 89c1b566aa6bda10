// Writer and Reader: the one way that bytes are laid out in Pando's own formats.
//
//   varint   7 bits a byte, low first, at most 10 bytes; only the shortest form is accepted
//   fixed    little endian, 4 or 8 bytes
//   bytes    varint length, then the bytes
//
// A Reader takes bytes from anywhere (a disk, a peer): it never reads beyond them, and after the
// first failure every further read returns zero or empty, so a decoder checks `ok()` once.
#ifndef PANDO_BASE_WIRE_H_
#define PANDO_BASE_WIRE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace pando::base {

class Writer {
 public:
  // Appends to `*out`, which must outlive the writer.
  explicit Writer(std::string* out) : out_(out) {}

  void Byte(uint8_t value) { out_->push_back(static_cast<char>(value)); }
  void Bool(bool value) { Byte(value ? 1 : 0); }
  void Varint(uint64_t value);
  // Signed numbers as zigzag varints: small either way is short.
  void Signed(int64_t value);
  void Fixed32(uint32_t value);
  void Fixed64(uint64_t value);
  void Bytes(std::string_view value);
  // No length before it: the rest of the record.
  void Raw(std::string_view value) { out_->append(value); }

 private:
  std::string* out_;
};

class Reader {
 public:
  // Reads from `bytes`, which must outlive the reader and the views it gives.
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  uint8_t Byte();
  bool Bool();
  uint64_t Varint();
  int64_t Signed();
  uint32_t Fixed32();
  uint64_t Fixed64();
  std::string_view Bytes();
  std::string_view Raw(size_t size);
  // All that is left.
  std::string_view Rest();

  // A count of things of at least `bytes_each` bytes that are still to come: a length from outside
  // that the rest cannot hold fails here, before anybody reserves memory for it.
  size_t Count(size_t bytes_each = 1);

  void Fail() {
    ok_ = false;
    rest_ = {};
  }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  // Nothing failed and nothing is left over.
  bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pando::base

#endif  // PANDO_BASE_WIRE_H_
