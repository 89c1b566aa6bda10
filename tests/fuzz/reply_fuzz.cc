#include "codec/reply.h"
#include "fuzz.h"

FUZZ(bytes) {
  pando::fuzz::ComesBack<pando::model::Reply>(bytes, pando::codec::DecodeReply,
                                              pando::codec::EncodeReply);
}
