#include "jute/reader.h"

#include <utility>

namespace pando::jute {
namespace {

constexpr size_t kIntBytes = 4;
constexpr size_t kLongBytes = 8;
// Permissions, and two strings of nothing.
constexpr size_t kAclEntryBytesMin = 3 * kIntBytes;
constexpr size_t kIdentityBytesMin = 2 * kIntBytes;

}  // namespace

void Reader::Fail() {
  ok_ = false;
  rest_ = {};
}

std::string_view Reader::Take(size_t bytes) {
  if (bytes > rest_.size()) {
    Fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

uint8_t Reader::Byte() {
  const std::string_view byte = Take(1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte.front());
}

int32_t Reader::Int() {
  uint32_t value = 0;
  for (const char byte : Take(kIntBytes)) value = value << 8 | static_cast<uint8_t>(byte);
  return static_cast<int32_t>(value);
}

int64_t Reader::Long() {
  uint64_t value = 0;
  for (const char byte : Take(kLongBytes)) value = value << 8 | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(value);
}

std::optional<size_t> Reader::Length(size_t each) {
  const int32_t length = Int();
  if (!ok_ || length == -1) return std::nullopt;
  if (length < 0 || static_cast<size_t>(length) > rest_.size() / each) {
    Fail();
    return std::nullopt;
  }
  return static_cast<size_t>(length);
}

std::string Reader::String() { return Buffer().value_or(std::string()); }

std::string Reader::NonNull() {
  model::NodeBytes bytes = Buffer();
  if (!bytes) Fail();
  return std::move(bytes).value_or(std::string());
}

model::NodeBytes Reader::Buffer() {
  const std::optional<size_t> length = Length(1);
  if (!length) return std::nullopt;
  return std::string(Take(*length));
}

std::vector<std::string> Reader::Strings() {
  std::vector<std::string> strings(Length(kIntBytes).value_or(0));
  for (std::string& string : strings) string = String();
  return strings;
}

model::Acl Reader::Acl() { return AclOf(Length(kAclEntryBytesMin).value_or(0)); }

model::Acl Reader::NonNullAcl() {
  const std::optional<size_t> length = Length(kAclEntryBytesMin);
  if (!length) Fail();
  return AclOf(length.value_or(0));
}

model::Acl Reader::AclOf(size_t entries) {
  model::Acl acl(entries);
  for (model::AclEntry& entry : acl) {
    entry.permissions = static_cast<uint32_t>(Int());
    entry.identity.scheme = String();
    entry.identity.id = String();
  }
  return acl;
}

std::vector<model::Identity> Reader::Identities() {
  std::vector<model::Identity> identities(Length(kIdentityBytesMin).value_or(0));
  for (model::Identity& identity : identities) {
    identity.scheme = String();
    identity.id = String();
  }
  return identities;
}

model::Stat Reader::Stat() {
  model::Stat stat;
  stat.create_revision = model::Revision(static_cast<uint64_t>(Long()));
  stat.modify_revision = model::Revision(static_cast<uint64_t>(Long()));
  stat.ctime.ms = Long();
  stat.mtime.ms = Long();
  stat.version = Int();
  stat.children_version = Int();
  stat.acl_version = Int();
  stat.ephemeral_owner = model::SessionId(static_cast<uint64_t>(Long()));
  stat.data_length = Int();
  stat.children_count = Int();
  stat.children_revision = model::Revision(static_cast<uint64_t>(Long()));
  return stat;
}

PartHeader Reader::Part() {
  PartHeader header;
  header.type = static_cast<Opcode>(Int());
  header.done = Bool();
  header.error = static_cast<ErrorCode>(Int());
  return header;
}

}  // namespace pando::jute
