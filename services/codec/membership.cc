#include "codec/membership.h"

#include "base/wire.h"
#include "codec/parts.h"

namespace pando::codec {

std::string EncodeMembership(const model::Membership& membership) {
  std::string bytes;
  base::Writer writer(&bytes);
  writer.Varint(membership.members.size());
  for (const model::Member& member : membership.members) {
    Write(&writer, member.id);
    Write(&writer, member.storage);
    WriteEnum(&writer, member.role);
    writer.Bytes(member.peer_address);
    writer.Bytes(member.client_address);
    writer.Bytes(member.http_address);
    writer.Bytes(member.zookeeper_address);
    writer.Varint(member.version_min);
    writer.Varint(member.version_max);
  }
  return bytes;
}

bool DecodeMembership(std::string_view bytes, model::Membership* membership) {
  using Role = model::Member::Role;
  base::Reader reader(bytes);
  membership->members.resize(reader.Count(9));
  model::ServerId before;
  for (model::Member& member : membership->members) {
    Read(&reader, &member.id);
    if (member.id <= before) reader.Fail();
    before = member.id;
    Read(&reader, &member.storage);
    member.role = ReadEnum(&reader, Role::kVoter, Role::kLearner);
    member.peer_address = ReadString(&reader);
    member.client_address = ReadString(&reader);
    member.http_address = ReadString(&reader);
    member.zookeeper_address = ReadString(&reader);
    const uint64_t version_min = reader.Varint();
    const uint64_t version_max = reader.Varint();
    if (version_min > version_max || version_max > ~uint32_t{0}) reader.Fail();
    member.version_min = static_cast<uint32_t>(version_min);
    member.version_max = static_cast<uint32_t>(version_max);
  }
  return reader.done();
}

}  // namespace pando::codec
