#include "cli/skipped.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/files.h"
#include "cli/output.h"

namespace pando::cli {
namespace {

constexpr size_t kToldAtMost = 10;

std::string Escaped(std::string_view path) {
  // A path that is not text as a whole has all its bytes above ASCII escaped: easy to undo.
  const bool is_text = IsText(path);
  std::string escaped;
  for (const char c : path) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '\\') {
      escaped.append("\\\\");
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_text)) {
      absl::StrAppend(&escaped, "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

}  // namespace

void SkippedPaths::Add(std::string path, std::string reason) {
  all_.push_back({std::move(path), std::move(reason)});
}

std::string SkippedPaths::Report() const {
  std::string text;
  for (const Skipped& skipped : all_) {
    absl::StrAppend(&text, Escaped(skipped.path), "\t", skipped.reason, "\n");
  }
  return text;
}

absl::Status SkippedPaths::Tell(const std::string& file) const {
  if (!file.empty()) return WriteRegularFile(file, Report());
  for (size_t i = 0; i < all_.size() && i < kToldAtMost; ++i) {
    Note(absl::StrCat("skipped ", Escaped(all_[i].path), ": ", all_[i].reason));
  }
  if (all_.size() > kToldAtMost) {
    Note(absl::StrCat("and ", all_.size() - kToldAtMost, " more; --report FILE lists them all"));
  }
  return absl::OkStatus();
}

}  // namespace pando::cli
