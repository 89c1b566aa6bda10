#include "jute/encode.h"

#include "base/check.h"
#include "jute/frame.h"

namespace pando::jute {
namespace {

// ZooKeeper's versions are 32 bits; -1 would mean "any".
int32_t Version(int64_t version) {
  const auto low = static_cast<int32_t>(static_cast<uint32_t>(version));
  return low == -1 ? 0 : low;
}

void PutInt(uint32_t value, char* at) {
  for (size_t i = 0; i < kLengthBytes; ++i) {
    at[i] = static_cast<char>(value >> (8 * (kLengthBytes - 1 - i)));
  }
}

}  // namespace

FrameWriter::FrameWriter(std::string* out) : out_(out), begin_(out->size()) {
  out_->append(kLengthBytes, '\0');
}

FrameWriter::FrameWriter(std::string* out, const ReplyHeader& header) : FrameWriter(out) {
  Int(header.xid);
  Long(header.zxid);
  Int(static_cast<int32_t>(header.error));
}

FrameWriter::~FrameWriter() {
  PutInt(static_cast<uint32_t>(out_->size() - begin_ - kLengthBytes), out_->data() + begin_);
}

void FrameWriter::Byte(uint8_t value) { out_->push_back(static_cast<char>(value)); }

void FrameWriter::Int(int32_t value) {
  char bytes[4];
  PutInt(static_cast<uint32_t>(value), bytes);
  out_->append(bytes, sizeof bytes);
}

void FrameWriter::Long(int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  char bytes[8];
  PutInt(static_cast<uint32_t>(bits >> 32), bytes);
  PutInt(static_cast<uint32_t>(bits), bytes + 4);
  out_->append(bytes, sizeof bytes);
}

void FrameWriter::String(std::string_view value) {
  Int(static_cast<int32_t>(value.size()));
  out_->append(value);
}

void FrameWriter::Buffer(std::optional<std::string_view> value) {
  if (value) return String(*value);
  Int(-1);
}

void FrameWriter::Strings(const std::vector<std::string>& values) {
  Int(static_cast<int32_t>(values.size()));
  for (const std::string& value : values) String(value);
}

void FrameWriter::Stat(const model::Stat& stat) {
  Long(static_cast<int64_t>(stat.create_revision.value()));
  Long(static_cast<int64_t>(stat.modify_revision.value()));
  Long(stat.ctime.ms);
  Long(stat.mtime.ms);
  Int(Version(stat.version));
  Int(Version(stat.children_version));
  Int(Version(stat.acl_version));
  Long(static_cast<int64_t>(stat.ephemeral_owner.value()));
  Int(static_cast<int32_t>(stat.data_length));
  Int(static_cast<int32_t>(stat.children_count));
  Long(static_cast<int64_t>(stat.children_revision.value()));
}

void FrameWriter::Acl(const model::Acl& acl) {
  Int(static_cast<int32_t>(acl.size()));
  for (const model::AclEntry& entry : acl) {
    Int(static_cast<int32_t>(entry.permissions));
    String(entry.identity.scheme);
    String(entry.identity.id);
  }
}

void FrameWriter::MultiHeader(Opcode type, bool done, ErrorCode error) {
  Int(static_cast<int32_t>(type));
  Bool(done);
  Int(static_cast<int32_t>(error));
}

void AppendConnectResponse(const ConnectResponse& response, std::string* out) {
  CHECK(response.password.size() == kPasswordBytes);
  FrameWriter frame(out);
  frame.Int(0);  // the protocol's version
  frame.Int(response.timeout_ms);
  frame.Long(response.session_id);
  frame.String(response.password);
  if (response.read_only) frame.Bool(*response.read_only);
}

void AppendReply(const ReplyHeader& header, std::string* out) { FrameWriter(out, header); }

void AppendEvent(EventType type, std::string_view path, int64_t zxid, std::string* out) {
  constexpr int32_t kSyncConnected = 3;
  FrameWriter frame(out, {kNotificationXid, zxid});
  frame.Int(static_cast<int32_t>(type));
  frame.Int(kSyncConnected);
  frame.String(path);
}

}  // namespace pando::jute
