// Pieces that several encodings share. Private to codec.
#ifndef PANDO_CODEC_PARTS_H_
#define PANDO_CODEC_PARTS_H_

#include <optional>
#include <string>
#include <vector>

#include "base/strong.h"
#include "base/wire.h"
#include "model/acl.h"
#include "model/node.h"

namespace pando::codec {

template <class Tag>
void Write(base::Writer* writer, base::Strong<Tag> id) {
  writer->Varint(id.value());
}
template <class Tag>
void Read(base::Reader* reader, base::Strong<Tag>* id) {
  *id = base::Strong<Tag>(reader->Varint());
}

// Absent is 0; n bytes are n + 1.
void Write(base::Writer* writer, const model::NodeBytes& data);
void Read(base::Reader* reader, model::NodeBytes* data);

void Write(base::Writer* writer, const std::optional<int64_t>& number);
void Read(base::Reader* reader, std::optional<int64_t>* number);

void Write(base::Writer* writer, const model::Identity& identity);
void Read(base::Reader* reader, model::Identity* identity);
void Write(base::Writer* writer, const model::Acl& acl);
void Read(base::Reader* reader, model::Acl* acl);
void Write(base::Writer* writer, const model::Stat& stat);
void Read(base::Reader* reader, model::Stat* stat);

inline std::string ReadString(base::Reader* reader) { return std::string(reader->Bytes()); }

// A value of an enumeration that runs from `low` to `high`; anything else fails.
template <class Enum>
Enum ReadEnum(base::Reader* reader, Enum low, Enum high) {
  const uint8_t value = reader->Byte();
  if (value < static_cast<uint8_t>(low) || value > static_cast<uint8_t>(high)) {
    reader->Fail();
    return low;
  }
  return static_cast<Enum>(value);
}
template <class Enum>
void WriteEnum(base::Writer* writer, Enum value) {
  writer->Byte(static_cast<uint8_t>(value));
}

}  // namespace pando::codec

#endif  // PANDO_CODEC_PARTS_H_
