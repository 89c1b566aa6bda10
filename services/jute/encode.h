// Encode: replies and events to ZooKeeper's clients, as frames with their length.
#ifndef PANDO_JUTE_ENCODE_H_
#define PANDO_JUTE_ENCODE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jute/records.h"
#include "model/acl.h"
#include "model/node.h"

namespace pando::jute {

// Appends one frame to a string: its length is put in when the writer goes.
class FrameWriter {
 public:
  // `out` outlives the writer.
  explicit FrameWriter(std::string* out);
  FrameWriter(std::string* out, const ReplyHeader& header);
  ~FrameWriter();

  void Byte(uint8_t value);
  void Bool(bool value) { Byte(value ? 1 : 0); }
  void Int(int32_t value);
  void Long(int64_t value);
  void String(std::string_view value);
  void Buffer(std::optional<std::string_view> value);  // none: null
  void Strings(const std::vector<std::string>& values);
  // ZooKeeper's 68 bytes. Versions lose their upper half; none is -1, which would mean "any".
  void Stat(const model::Stat& stat);
  void Acl(const model::Acl& acl);
  // Of one result of a multi; `done` ends them.
  void MultiHeader(Opcode type, bool done, ErrorCode error);

 private:
  std::string* const out_;
  const size_t begin_;
};

void AppendConnectResponse(const ConnectResponse& response, std::string* out);
// A reply without a record.
void AppendReply(const ReplyHeader& header, std::string* out);
// `zxid` of the change; -1: of an event that a client missed.
void AppendEvent(EventType type, std::string_view path, int64_t zxid, std::string* out);

}  // namespace pando::jute

#endif  // PANDO_JUTE_ENCODE_H_
