#include "cli/output.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"

namespace pando::cli {
namespace {

// The length of the well-formed UTF-8 sequence at the front of `bytes`; 0: there is none.
size_t CodePointBytes(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t first = at(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const uint8_t second = at(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second >= 0xa0;
  const bool above = first == 0xf4 && second >= 0x90;
  return overlong || surrogate || above ? 0 : size;
}

// Whether a terminal or an editor would show this code point as something else than text.
bool IsControl(std::string_view code_point) {
  const auto first = static_cast<uint8_t>(code_point[0]);
  if (code_point.size() == 1) {
    return (first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7f;
  }
  return first == 0xc2 && static_cast<uint8_t>(code_point[1]) < 0xa0;  // U+0080..9F
}

std::string Base64(std::string_view bytes) {
  std::string text;
  absl::Base64Escape(base::View(bytes), &text);
  return text;
}

// Columns that `text` takes, with one a code point: good enough for names.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

void AppendEscaped(std::string_view code_point, std::string* out) {
  switch (code_point[0]) {
    case '"':
      out->append("\\\"");
      break;
    case '\\':
      out->append("\\\\");
      break;
    case '\n':
      out->append("\\n");
      break;
    case '\r':
      out->append("\\r");
      break;
    case '\t':
      out->append("\\t");
      break;
    default:
      out->append(code_point);
  }
}

}  // namespace

bool IsText(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t size = CodePointBytes(bytes);
    if (size == 0 || IsControl(bytes.substr(0, size))) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

void PutData(Json* object, const Data& data) {
  if (!data) {
    (*object)["data"] = nullptr;
  } else if (IsText(*data)) {
    (*object)["data"] = *data;
  } else {
    (*object)["data_base64"] = Base64(*data);
  }
}

Json StatJson(const v1::Stat& stat) {
  return {{"create_revision", stat.create_revision()},
          {"modify_revision", stat.modify_revision()},
          {"children_revision", stat.children_revision()},
          {"ctime_ms", stat.ctime_ms()},
          {"mtime_ms", stat.mtime_ms()},
          {"version", stat.version()},
          {"children_version", stat.children_version()},
          {"acl_version", stat.acl_version()},
          {"ephemeral_owner", stat.ephemeral_owner()},
          {"data_length", stat.data_length()},
          {"children_count", stat.children_count()}};
}

std::string Preview(const Data& data, size_t columns_max) {
  if (!data) return "null";
  if (!IsText(*data)) {
    // Three bytes are four characters: no more is encoded than is shown.
    const size_t shown = columns_max / 4 * 3;
    const bool cut = data->size() > shown;
    return absl::StrCat("base64:", Base64(data->substr(0, shown)), cut ? "…" : "");
  }
  std::string text = "\"";
  std::string_view rest = *data;
  for (size_t columns = 0; !rest.empty(); ++columns) {
    if (columns == columns_max) return text + "…\"";
    const size_t size = CodePointBytes(rest);
    AppendEscaped(rest.substr(0, size), &text);
    rest.remove_prefix(size);
  }
  return text + "\"";
}

std::string TimeText(int64_t ms_since_1970) {
  const auto seconds = static_cast<std::time_t>(ms_since_1970 / 1000);
  std::tm utc{};
  if (gmtime_r(&seconds, &utc) == nullptr) return absl::StrCat(ms_since_1970, " ms");
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string BytesText(uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  // Not 1024: a value that would be printed as 1024.0 takes the next unit.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string ClusterIdText(uint64_t cluster_id) {
  return absl::StrCat(absl::Hex(cluster_id, absl::kZeroPad16));
}

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Table::Add(std::vector<std::string> cells) {
  CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::Render(Format format) const {
  CHECK(format != Format::kJson);
  std::string text;
  if (format == Format::kRaw) {
    for (const auto& row : rows_) {
      for (size_t i = 0; i < row.size(); ++i) absl::StrAppend(&text, i > 0 ? "\t" : "", row[i]);
      text.push_back('\n');
    }
    return text;
  }

  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(Width(column.heading));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  const auto append_cell = [&](size_t i, const std::string& cell) {
    const std::string padding(widths[i] - Width(cell), ' ');
    const bool last = i + 1 == columns_.size();
    if (columns_[i].right) {
      absl::StrAppend(&text, padding, cell);
    } else {
      absl::StrAppend(&text, cell, last ? "" : padding);
    }
    if (!last) {
      text.append("  ");
      return;
    }
    // Empty cells at the end of a row leave no blanks behind.
    text.erase(text.find_last_not_of(' ') + 1);
    text.push_back('\n');
  };
  for (size_t i = 0; i < columns_.size(); ++i) append_cell(i, columns_[i].heading);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) append_cell(i, row[i]);
  }
  return text;
}

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

bool FlushOutput() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

void Note(std::string_view text) {
  std::string line(text);
  // What a server or a file name put into it must not break the line, nor drive the terminal.
  std::replace_if(
      line.begin(), line.end(),
      [](char c) {
        return IsControl({&c, 1}) || c == '\n' || c == '\r';
      },
      ' ');
  std::fprintf(stderr, "pando: %s\n", line.c_str());
}

}  // namespace pando::cli
