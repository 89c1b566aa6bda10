#include "codec/membership.h"
#include "fuzz.h"

FUZZ(bytes) {
  pando::fuzz::ComesBack<pando::model::Membership>(bytes, pando::codec::DecodeMembership,
                                                   pando::codec::EncodeMembership);
}
