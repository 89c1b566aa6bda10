// base::Reader: whatever it reads, a Writer writes the same bytes again, and it reads no more than
// there are.
#include "fuzz.h"

FUZZ(bytes) {
  using pando::base::Reader;
  using pando::base::Writer;
  // The first half says what to read, the second is read.
  const std::string_view wanted = bytes.substr(0, bytes.size() / 2);
  const std::string_view text = bytes.substr(wanted.size());
  Reader reader(text);
  std::string written;
  Writer writer(&written);
  for (const char want : wanted) {
    const size_t before = written.size();
    switch (static_cast<uint8_t>(want) % 8) {
      case 0:
        writer.Byte(reader.Byte());
        break;
      case 1:
        writer.Bool(reader.Bool());
        break;
      case 2:
        writer.Varint(reader.Varint());
        break;
      case 3:
        writer.Signed(reader.Signed());
        break;
      case 4:
        writer.Fixed32(reader.Fixed32());
        break;
      case 5:
        writer.Fixed64(reader.Fixed64());
        break;
      case 6:
        writer.Bytes(reader.Bytes());
        break;
      case 7: {
        const size_t count = reader.Count(3);
        CHECK(count <= text.size() / 3);
        writer.Varint(count);
        break;
      }
    }
    if (!reader.ok()) {
      CHECK(reader.at_end());
      CHECK(reader.Varint() == 0);
      written.resize(before);
      break;
    }
  }
  CHECK(text.substr(0, written.size()) == written);
  if (reader.ok()) CHECK(text.substr(written.size()) == reader.Rest());
}
