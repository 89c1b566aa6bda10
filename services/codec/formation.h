// The bytes of a formation: a record of the WAL.
#ifndef PANDO_CODEC_FORMATION_H_
#define PANDO_CODEC_FORMATION_H_

#include <string>
#include <string_view>

#include "model/formation.h"

namespace pando::codec {

std::string EncodeFormation(const model::Formation& formation);
// False as DecodeMembership.
bool DecodeFormation(std::string_view bytes, model::Formation* formation);

}  // namespace pando::codec

#endif  // PANDO_CODEC_FORMATION_H_
