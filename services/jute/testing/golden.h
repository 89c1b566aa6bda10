// Golden bytes: what ZooKeeper's clients and servers send, laid out by hand after its
// zookeeper.jute, so that no encoder of ours vouches for a decoder of ours.
#ifndef PANDO_JUTE_TESTING_GOLDEN_H_
#define PANDO_JUTE_TESTING_GOLDEN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/node.h"

namespace pando::jute {

// Bytes one after the other, numbers big endian.
class Bytes {
 public:
  Bytes& Int(int64_t value) { return Number(static_cast<uint64_t>(value), 4); }
  Bytes& Long(int64_t value) { return Number(static_cast<uint64_t>(value), 8); }
  Bytes& Byte(int value) { return Number(static_cast<uint64_t>(value), 1); }
  Bytes& Text(std::string_view text) {
    Int(static_cast<int64_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  const std::string& str() const { return bytes_; }

 private:
  Bytes& Number(uint64_t value, int size) {
    while (size-- > 0) bytes_.push_back(static_cast<char>(value >> (8 * size)));
    return *this;
  }
  std::string bytes_;
};

inline Bytes Header(int32_t xid, int32_t type) { return Bytes().Int(xid).Int(type); }

inline Bytes OpenAcl(Bytes bytes) { return bytes.Int(1).Int(31).Text("world").Text("anyone"); }

// Of a multi's requests: the header of one, and the end of all.
inline Bytes Part(Bytes bytes, int32_t type) { return bytes.Int(type).Byte(0).Int(-1); }
inline Bytes LastPart(Bytes bytes) { return bytes.Int(-1).Byte(1).Int(-1); }

// Czxid 1, mzxid 2, ctime 4, mtime 5, version 6, cversion 7, aversion 8, ephemeralOwner 9,
// dataLength 10, numChildren 11, pzxid 3.
model::Stat ElevenNumbers();
inline Bytes StatOfElevenNumbers(Bytes bytes) {
  bytes.Long(1).Long(2).Long(4).Long(5).Int(6).Int(7).Int(8);
  return bytes.Long(9).Int(10).Int(11).Long(3);
}

// A payload of every request that a client may send, no two of its fields alike.
std::vector<Bytes> EveryRequest();

}  // namespace pando::jute

#endif  // PANDO_JUTE_TESTING_GOLDEN_H_
