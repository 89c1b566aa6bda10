// Structured logs: one line an event, to stderr.
//
//   text  2026-05-01T09:30:00.125Z INFO  became leader term=3 path="/a b"
//   json  {"time":"2026-05-01T09:30:00.125Z","severity":"INFO","event":"became leader","term":3,…}
//
// For adapters and main only: a pure core returns what happened, and its driver logs it.
// Thread-safe: a line is written whole.
#ifndef PANDO_BASE_LOG_H_
#define PANDO_BASE_LOG_H_

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/strong.h"
#include "base/time.h"

namespace pando::base {

enum class Severity : uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kText, kJson };

// A longer string value is cut, at a character's end, and "…" put after it.
inline constexpr size_t kLogValueBytesMax = 1024;

// One key=value of an event. Views: it lives as long as the call to Log. Keys are our own
// snake_case words with their unit last (`elapsed_ms`); values may hold anything.
struct LogField {
  using Value = std::variant<bool, int64_t, uint64_t, double, std::string_view>;

  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, std::signed_integral auto v)
      : key(k), value(static_cast<int64_t>(v)) {}
  LogField(std::string_view k, std::unsigned_integral auto v)
      : key(k), value(static_cast<uint64_t>(v)) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <class Tag>
  LogField(std::string_view k, Strong<Tag> v) : key(k), value(v.value()) {}

  std::string_view key;
  Value value;
};

// How every later Log writes. Called once, by main, before there are other threads.
void ConfigureLog(LogFormat format, Severity least);

// Writes the event unless it is below the least severity. `event` is a short constant phrase:
// what varies goes into fields, so that events can be counted.
void Log(Severity severity, std::string_view event, std::initializer_list<LogField> fields = {});

// The line that Log would write at `now`, with its newline.
std::string FormatLogLine(LogFormat format, WallTime now, Severity severity, std::string_view event,
                          std::initializer_list<LogField> fields);

// Keeps an event that may come thousands of times a second down to one an interval. Thread-safe.
class LogLimit {
 public:
  explicit LogLimit(Duration interval) : interval_(interval) {}
  // True if the event is due; then `*suppressed` is how many were not, since the last one that was.
  bool Due(Instant now, uint64_t* suppressed);

 private:
  const Duration interval_;
  std::atomic<int64_t> next_ns_{INT64_MIN};
  std::atomic<uint64_t> suppressed_{0};
};

}  // namespace pando::base

#endif  // PANDO_BASE_LOG_H_
