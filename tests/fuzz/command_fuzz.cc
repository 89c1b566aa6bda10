#include "codec/command.h"
#include "fuzz.h"

FUZZ(bytes) {
  pando::fuzz::ComesBack<pando::model::Command>(bytes, pando::codec::DecodeCommand,
                                                pando::codec::EncodeCommand);
}
