// What ZooKeeper's clients and servers send one another, decoded on either side. A form of a value
// is not the only one (null strings count as empty, and bytes may follow a record), so what was
// read is written, and from then on nothing changes any more.
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.h"
#include "jute/decode.h"
#include "jute/decode_reply.h"
#include "jute/encode.h"
#include "jute/encode_request.h"

namespace {

using namespace pando::jute;

constexpr size_t kLengthBytes = 4;

// The payload of the one frame in `frame`.
std::string_view PayloadOf(std::string_view frame) { return frame.substr(kLengthBytes); }

void TryConnectRequest(std::string_view bytes) {
  ConnectRequest request;
  if (!DecodeConnectRequest(bytes, &request)) return;
  std::string frame;
  AppendConnectRequest(request, &frame);
  CHECK(PayloadOf(frame).size() <= bytes.size());
  ConnectRequest again;
  CHECK(DecodeConnectRequest(PayloadOf(frame), &again));
  std::string same;
  AppendConnectRequest(again, &same);
  CHECK(same == frame);
}

void TryRequest(std::string_view bytes, size_t choice) {
  RequestHeader header;
  Request request;
  if (DecodeRequest(bytes, &header, &request) != Decoded::kOk) return;
  std::string frame;
  AppendRequest(header.xid, request, &frame);
  const std::string_view payload = PayloadOf(frame);
  CHECK(payload.size() <= bytes.size());
  RequestHeader header_again;
  Request again;
  CHECK(DecodeRequest(payload, &header_again, &again) == Decoded::kOk);
  CHECK(header_again.xid == header.xid);
  CHECK(again.index() == request.index());
  std::string same;
  AppendRequest(header_again.xid, again, &same);
  CHECK(same == frame);
  // Nothing in it can be left out.
  const std::string_view cut = payload.substr(0, choice % payload.size());
  CHECK(DecodeRequest(cut, &header_again, &again) != Decoded::kOk);
}

void TryConnectResponse(std::string_view bytes) {
  ConnectResponse response;
  if (!DecodeConnectResponse(bytes, &response)) return;
  if (response.password.size() != kPasswordBytes) return;
  std::string frame;
  AppendConnectResponse(response, &frame);
  ConnectResponse again;
  CHECK(DecodeConnectResponse(PayloadOf(frame), &again));
  CHECK(again.session_id == response.session_id);
  CHECK(again.read_only == response.read_only);
}

void TryReply(std::string_view bytes) {
  ReplyHeader header;
  std::string_view record;
  if (!DecodeReplyHeader(bytes, &header, &record)) return;
  Record read;
  for (int type = -11; type <= static_cast<int>(Opcode::kWhoAmI); ++type) {
    (void)DecodeRecord(static_cast<Opcode>(type), record, &read);
  }
  if (DecodeRecord(Opcode::kExists, record, &read)) {
    const pando::model::Stat& stat = std::get<StatRecord>(read).stat;
    std::string frame;
    FrameWriter(&frame).Stat(stat);
    // A version of -1 is not one that is written.
    const bool any = stat.version == -1 || stat.children_version == -1 || stat.acl_version == -1;
    CHECK(any || record.substr(0, frame.size() - kLengthBytes) == PayloadOf(frame));
  }
  std::vector<PartResult> results;
  if (DecodeResults(record, &results)) CHECK(results.size() < record.size());
  Event event;
  if (DecodeEvent(record, &event)) {
    std::string frame;
    AppendEvent(event.type, event.path, header.zxid, &frame);
    CHECK(DecodeReplyHeader(PayloadOf(frame), &header, &record));
    Event again;
    CHECK(DecodeEvent(record, &again));
    CHECK(again.type == event.type);
    CHECK(again.path == event.path);
  }
}

}  // namespace

FUZZ(bytes) {
  if (bytes.empty()) return;
  const auto choice = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  TryConnectRequest(bytes);
  TryRequest(bytes, choice);
  TryConnectResponse(bytes);
  TryReply(bytes);
}
