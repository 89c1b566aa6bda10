// What commands print: tables for people, JSON for programs, raw for shells.
//
// Data is shown as text where it is text and as base64 only where it is not. Text is valid UTF-8
// without control characters other than tab, line feed and carriage return. In JSON null data is
// "data": null, text is "data": "...", other bytes are "data_base64": "...".
#ifndef PANDO_CLIENTS_CLI_OUTPUT_H_
#define PANDO_CLIENTS_CLI_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pando/v1/common.pb.h"

namespace pando::cli {

enum class Format {
  kTable,  // columns with a heading, for people
  kJson,   // one document, or one a line where there is no end to them (watch)
  kRaw,    // values without heading, separated by tabs: for scripts
};

// Keys stay in the order in which they were added.
using Json = nlohmann::ordered_json;

using Data = std::optional<std::string>;

// The data of a message that has an `optional bytes data`.
template <class Message>
Data DataOf(const Message& message) {
  return message.has_data() ? Data(message.data()) : std::nullopt;
}

bool IsText(std::string_view bytes);

// Adds "data" or "data_base64" to `object`.
void PutData(Json* object, const Data& data);
Json StatJson(const v1::Stat& stat);

// On one line and at most about `columns_max` wide, for a table cell: `null`, quoted text with
// escapes, or `base64:...`; an ellipsis where it was cut.
std::string Preview(const Data& data, size_t columns_max);

// "2026-01-31T09:30:00Z".
std::string TimeText(int64_t ms_since_1970);
// "0 B", "812 B", "1.5 KiB", "3.0 GiB".
std::string BytesText(uint64_t bytes);
// 16 hexadecimal digits: how logs, metrics and status name a cluster.
std::string ClusterIdText(uint64_t cluster_id);

// One line, without line feed. What is not UTF-8 in strings is replaced.
std::string Line(const Json& json);

// Rows under a heading, in columns as wide as their widest cell. A right column holds numbers.
class Table {
 public:
  struct Column {
    std::string heading;
    bool right = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // REQUIRES: one cell a column.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // kTable: as above. kRaw: no heading, cells separated by tabs. REQUIRES: not kJson.
  std::string Render(Format format) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// To stdout. A failure to write shows at FlushOutput, which every command ends with.
void Print(std::string_view text);
// False: not all of it could be written.
bool FlushOutput();
// "pando: `text`" as one line, to stderr; control characters become blanks.
void Note(std::string_view text);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_OUTPUT_H_
