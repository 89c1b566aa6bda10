#include "codec/formation.h"

#include "base/wire.h"
#include "codec/membership.h"

namespace pando::codec {

std::string EncodeFormation(const model::Formation& formation) {
  std::string bytes;
  base::Writer writer(&bytes);
  writer.Bool(formation.complete);
  writer.Raw(EncodeMembership(formation.members));
  return bytes;
}

bool DecodeFormation(std::string_view bytes, model::Formation* formation) {
  base::Reader reader(bytes);
  formation->complete = reader.Bool();
  return reader.ok() && DecodeMembership(reader.Rest(), &formation->members);
}

}  // namespace pando::codec
