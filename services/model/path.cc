#include "model/path.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/limits.h"

namespace pando::model {
namespace {

constexpr uint32_t kNotUtf8 = ~uint32_t{0};

// Takes one code point off the front of `*rest`; kNotUtf8 for overlong, cut or stray bytes.
uint32_t TakeCodePoint(std::string_view* rest) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>((*rest)[i]); };
  const uint8_t first = byte(0);
  size_t size = 1;
  uint32_t code = first;
  if (first >= 0xf0) {
    size = 4;
    code = first & 0x07;
  } else if (first >= 0xe0) {
    size = 3;
    code = first & 0x0f;
  } else if (first >= 0xc0) {
    size = 2;
    code = first & 0x1f;
  } else if (first >= 0x80) {
    return kNotUtf8;
  }
  if (first >= 0xf8 || rest->size() < size) return kNotUtf8;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kNotUtf8;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[size]) return kNotUtf8;
  rest->remove_prefix(size);
  return code;
}

bool IsForbidden(uint32_t code) {
  return code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xf8ff) ||
         code >= 0xfff0;
}

}  // namespace

absl::Status ValidateName(std::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("a path has an empty component");
  if (name == "." || name == "..") {
    return absl::InvalidArgumentError("a path may not have a '.' or '..' component");
  }
  while (!name.empty()) {
    const char c = name[0];
    if (c > 0x1f && c < 0x7f) [[likely]] {  // printable ASCII
      if (c == '/') return absl::InvalidArgumentError("a name may not have a '/'");
      name.remove_prefix(1);
      continue;
    }
    const uint32_t code = TakeCodePoint(&name);
    if (code == kNotUtf8) return absl::InvalidArgumentError("a path must be UTF-8");
    if (IsForbidden(code)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a path may not have the character U+", absl::Hex(code, absl::kZeroPad4)));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidatePath(std::string_view path) {
  if (path.empty() || path[0] != '/') {
    return absl::InvalidArgumentError("a path must start with '/'");
  }
  if (path.size() > kPathBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a path may have at most ", kPathBytesMax, " bytes"));
  }
  if (path == "/") return absl::OkStatus();
  if (path.back() == '/') return absl::InvalidArgumentError("a path may not end with '/'");
  size_t depth = 0;
  std::string_view rest = path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const size_t end = rest.find('/');
    PANDO_RETURN_IF_ERROR(ValidateName(rest.substr(0, end)));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    if (++depth > kPathDepthMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("a path may have at most ", kPathDepthMax, " components"));
    }
  }
  return absl::OkStatus();
}

std::string_view ParentPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  CHECK(slash != std::string_view::npos);
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view LastName(std::string_view path) {
  CHECK(!path.empty() && path[0] == '/');
  return path.substr(path.rfind('/') + 1);
}

std::string JoinPath(std::string_view parent, std::string_view name) {
  std::string path;
  path.reserve(parent.size() + 1 + name.size());
  if (parent != "/") path.append(parent);
  path.push_back('/');
  path.append(name);
  return path;
}

bool IsWithin(std::string_view path, std::string_view ancestor) {
  if (ancestor == "/") return true;
  return path.substr(0, ancestor.size()) == ancestor &&
         (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

}  // namespace pando::model
