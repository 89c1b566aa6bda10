#include "store/change_block.h"

#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"
#include "codec/change.h"

namespace pando::store {
namespace {

constexpr uint64_t kSegmentMagic = 0x3130474843444e50;  // "PNDCHG01"
constexpr uint32_t kFormat = 1;
constexpr uint32_t kBlockMagic = 0x314b4c42;  // "BLK1"

// Closes a header with a checksum of what is in it so far.
void Seal(uint64_t sequence, std::string* bytes) {
  base::Writer(bytes).Fixed64(base::Hash64(*bytes, sequence));
}

bool Sealed(std::string_view bytes, uint64_t sequence) {
  const size_t body = bytes.size() - sizeof(uint64_t);
  base::Reader reader(bytes.substr(body));
  return reader.Fixed64() == base::Hash64(bytes.substr(0, body), sequence);
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string bytes;
  base::Writer writer(&bytes);
  writer.Fixed64(kSegmentMagic);
  writer.Fixed32(kFormat);
  writer.Fixed32(0);
  writer.Fixed64(header.sequence);
  writer.Fixed64(header.after.value());
  writer.Fixed64(static_cast<uint64_t>(header.created.ms));
  Seal(header.sequence, &bytes);
  CHECK(bytes.size() == kSegmentHeaderBytes);
  return bytes;
}

bool DecodeSegmentHeader(std::string_view bytes, uint64_t sequence, SegmentHeader* header) {
  if (bytes.size() != kSegmentHeaderBytes || !Sealed(bytes, sequence)) return false;
  base::Reader reader(bytes);
  const uint64_t magic = reader.Fixed64();
  const uint32_t format = reader.Fixed32();
  const uint32_t zero = reader.Fixed32();
  header->sequence = reader.Fixed64();
  header->after = model::Revision(reader.Fixed64());
  header->created = {static_cast<int64_t>(reader.Fixed64())};
  return magic == kSegmentMagic && format == kFormat && zero == 0 && header->sequence == sequence;
}

std::string EncodeBlock(uint64_t sequence, model::Revision after, model::Revision last,
                        const ChangeBatches& batches) {
  CHECK(after < last);
  // The body is written behind room for its header, so that nothing is copied.
  std::string block(kBlockHeaderBytes, '\0');
  codec::EncodeChangeBatches(batches, &block);
  const std::string_view body = std::string_view(block).substr(kBlockHeaderBytes);
  std::string header;
  base::Writer writer(&header);
  writer.Fixed32(kBlockMagic);
  writer.Fixed32(static_cast<uint32_t>(body.size()));
  writer.Fixed64(after.value());
  writer.Fixed64(last.value());
  writer.Fixed64(base::Hash64(body, sequence));
  Seal(sequence, &header);
  CHECK(header.size() == kBlockHeaderBytes);
  block.replace(0, kBlockHeaderBytes, header);
  return block;
}

bool DecodeBlockHeader(std::string_view bytes, uint64_t sequence, BlockHeader* header) {
  if (bytes.size() != kBlockHeaderBytes || !Sealed(bytes, sequence)) return false;
  base::Reader reader(bytes);
  const uint32_t magic = reader.Fixed32();
  header->body_bytes = reader.Fixed32();
  header->after = model::Revision(reader.Fixed64());
  header->last = model::Revision(reader.Fixed64());
  header->body_checksum = reader.Fixed64();
  return magic == kBlockMagic && header->after < header->last;
}

bool DecodeBlockBody(std::string_view body, uint64_t sequence, const BlockHeader& header,
                     model::Revision from, ChangeBatches* batches) {
  if (body.size() != header.body_bytes) return false;
  if (base::Hash64(body, sequence) != header.body_checksum) return false;
  ChangeBatches block;
  if (!codec::DecodeChangeBatches(body, &block)) return false;
  model::Revision before = header.after;
  for (const auto& batch : block) {
    if (batch->revision <= before || batch->revision > header.last) return false;
    before = batch->revision;
  }
  for (auto& batch : block) {
    if (batch->revision >= from) batches->push_back(std::move(batch));
  }
  return true;
}

}  // namespace pando::store
