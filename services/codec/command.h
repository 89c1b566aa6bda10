// The bytes of commands: payloads of log entries (docs/formats/commands.md).
#ifndef PANDO_CODEC_COMMAND_H_
#define PANDO_CODEC_COMMAND_H_

#include <string>
#include <string_view>

#include "model/command.h"

namespace pando::codec {

std::string EncodeCommand(const model::Command& command);
// False for anything that EncodeCommand does not make.
bool DecodeCommand(std::string_view bytes, model::Command* command);

// Of what a client asked for, for telling a repeated request from another one under its id: the
// body alone, so that it does not depend on when and through which server it came.
uint64_t HashBody(const model::CommandBody& body);

}  // namespace pando::codec

#endif  // PANDO_CODEC_COMMAND_H_
