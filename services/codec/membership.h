// The bytes of a membership: payload of a log entry, and the value of a record.
#ifndef PANDO_CODEC_MEMBERSHIP_H_
#define PANDO_CODEC_MEMBERSHIP_H_

#include <string>
#include <string_view>

#include "model/membership.h"

namespace pando::codec {

std::string EncodeMembership(const model::Membership& membership);
// False also for members out of order or repeated.
bool DecodeMembership(std::string_view bytes, model::Membership* membership);

}  // namespace pando::codec

#endif  // PANDO_CODEC_MEMBERSHIP_H_
