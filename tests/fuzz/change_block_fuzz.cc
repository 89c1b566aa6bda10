// Headers of the change log's segments and blocks, and a block's body, each with checksums that
// hold.
#include <string>

#include "base/hash.h"
#include "fuzz.h"
#include "store/change_block.h"

namespace pando::store {
namespace {

constexpr uint64_t kSequence = 7;

std::string Sealed(std::string_view bytes, size_t size) {
  std::string sealed(bytes.substr(0, size - sizeof(uint64_t)));
  base::Writer(&sealed).Fixed64(base::Hash64(sealed, kSequence));
  return sealed;
}

}  // namespace
}  // namespace pando::store

FUZZ(bytes) {
  using namespace pando::store;
  SegmentHeader segment;
  const std::string segment_bytes = Sealed(bytes, kSegmentHeaderBytes);
  if (DecodeSegmentHeader(segment_bytes, kSequence, &segment)) {
    CHECK(EncodeSegmentHeader(segment) == segment_bytes);
  }
  BlockHeader header;
  if (DecodeBlockHeader(Sealed(bytes, kBlockHeaderBytes), kSequence, &header)) {
    CHECK(header.after < header.last);
  }

  // A body between the revisions of the first bytes.
  pando::base::Reader reader(bytes);
  header.after = pando::model::Revision(reader.Byte());
  header.last = header.after + 1 + reader.Byte();
  const std::string_view body = reader.Rest();
  header.body_bytes = static_cast<uint32_t>(body.size());
  header.body_checksum = pando::base::Hash64(body, kSequence);
  ChangeBatches batches;
  if (!DecodeBlockBody(body, kSequence, header, header.after, &batches)) return;
  const std::string block = EncodeBlock(kSequence, header.after, header.last, batches);
  ChangeBatches again;
  CHECK(DecodeBlockHeader(block.substr(0, kBlockHeaderBytes), kSequence, &header));
  CHECK(DecodeBlockBody(block.substr(kBlockHeaderBytes), kSequence, header, header.after, &again));
  CHECK(EncodeBlock(kSequence, header.after, header.last, again) == block);
}
