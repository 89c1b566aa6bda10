// Keys and values of records. The first byte of the input says which.
#include "codec/record.h"
#include "fuzz.h"

namespace pando::codec {
namespace {

using fuzz::ComesBack;

void FuzzKey(std::string_view key) {
  if (const auto node = ParseNodeKey(key)) {
    CHECK((node->directory ? DirectoryKey(node->path()) : NodeKey(node->path())) == key);
  }
  if (const auto acl = ParseAclKey(key)) CHECK(AclKey(*acl) == key);
  if (const auto session = ParseSessionKey(key)) CHECK(SessionKey(*session) == key);
  if (const auto source = ParseSourceKey(key)) CHECK(SourceKey(*source) == key);
  if (const auto kept = ParseKeptReplyKey(key)) {
    CHECK(KeptReplyKey(kept->session, kept->request) == key);
  }
}

}  // namespace
}  // namespace pando::codec

FUZZ(bytes) {
  using namespace pando::codec;
  if (bytes.empty()) return;
  const std::string_view rest = bytes.substr(1);
  switch (static_cast<uint8_t>(bytes[0]) % 7) {
    case 0:
      return FuzzKey(rest);
    case 1:
      ComesBack<NodeRecord>(rest, DecodeNode, EncodeNode);
      return;
    case 2:
      ComesBack<DirectoryRecord>(rest, DecodeDirectory, EncodeDirectory);
      return;
    case 3:
      ComesBack<pando::model::Acl>(rest, DecodeAcl, EncodeAcl);
      return;
    case 4:
      ComesBack<SessionRecord>(rest, DecodeSession, EncodeSession);
      return;
    case 5:
      ComesBack<KeptReplyRecord>(rest, DecodeKeptReply, EncodeKeptReply);
      return;
    case 6:
      ComesBack<SourceRecord>(rest, DecodeSource, EncodeSource);
      return;
  }
}
