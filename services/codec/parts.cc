#include "codec/parts.h"

namespace pando::codec {

using base::Reader;
using base::Writer;

void Write(Writer* writer, const model::NodeBytes& data) {
  writer->Varint(data ? data->size() + 1 : 0);
  if (data) writer->Raw(*data);
}

void Read(Reader* reader, model::NodeBytes* data) {
  const uint64_t size = reader->Varint();
  data->reset();
  if (size > 0) *data = std::string(reader->Raw(static_cast<size_t>(size - 1)));
}

void Write(Writer* writer, const std::optional<int64_t>& number) {
  writer->Bool(number.has_value());
  if (number) writer->Signed(*number);
}

void Read(Reader* reader, std::optional<int64_t>* number) {
  number->reset();
  if (reader->Bool()) *number = reader->Signed();
}

void Write(Writer* writer, const model::Identity& identity) {
  writer->Bytes(identity.scheme);
  writer->Bytes(identity.id);
}

void Read(Reader* reader, model::Identity* identity) {
  identity->scheme = ReadString(reader);
  identity->id = ReadString(reader);
}

void Write(Writer* writer, const model::Acl& acl) {
  writer->Varint(acl.size());
  for (const model::AclEntry& entry : acl) {
    writer->Varint(entry.permissions);
    Write(writer, entry.identity);
  }
}

void Read(Reader* reader, model::Acl* acl) {
  acl->resize(reader->Count(3));
  for (model::AclEntry& entry : *acl) {
    // Any number: which ones mean something is for the machine to say, not for a reader of the log.
    const uint64_t permissions = reader->Varint();
    if (permissions > ~uint32_t{0}) reader->Fail();
    entry.permissions = static_cast<uint32_t>(permissions);
    Read(reader, &entry.identity);
  }
}

void Write(Writer* writer, const model::Stat& stat) {
  Write(writer, stat.create_revision);
  Write(writer, stat.modify_revision);
  Write(writer, stat.children_revision);
  writer->Signed(stat.ctime.ms);
  writer->Signed(stat.mtime.ms);
  writer->Signed(stat.version);
  writer->Signed(stat.children_version);
  writer->Signed(stat.acl_version);
  Write(writer, stat.ephemeral_owner);
  writer->Signed(stat.data_length);
  writer->Signed(stat.children_count);
}

void Read(Reader* reader, model::Stat* stat) {
  Read(reader, &stat->create_revision);
  Read(reader, &stat->modify_revision);
  Read(reader, &stat->children_revision);
  stat->ctime.ms = reader->Signed();
  stat->mtime.ms = reader->Signed();
  stat->version = reader->Signed();
  stat->children_version = reader->Signed();
  stat->acl_version = reader->Signed();
  Read(reader, &stat->ephemeral_owner);
  stat->data_length = reader->Signed();
  stat->children_count = reader->Signed();
}

}  // namespace pando::codec
