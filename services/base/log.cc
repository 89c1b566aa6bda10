#include "base/log.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/mutex.h"

namespace pando::base {
namespace {

// What main chose. The only mutable globals of Pando: a logger that is handed to every object would
// be the more honest dependency, but also the one that every constructor has.
std::atomic<LogFormat> log_format{LogFormat::kText};
std::atomic<Severity> log_least{Severity::kInfo};

constexpr std::array<const char*, 4> kSeverityNames = {"DEBUG", "INFO", "WARN", "ERROR"};
constexpr char kCut[] = "…";

const char* SeverityName(Severity severity) {
  return kSeverityNames[static_cast<size_t>(severity)];
}

// How many bytes the UTF-8 character at the start of `bytes` has; 0 if there is none.
size_t CharacterBytes(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const size_t size = byte(0) < 0x80   ? 1
                      : byte(0) < 0xc2 ? 0
                      : byte(0) < 0xe0 ? 2
                      : byte(0) < 0xf0 ? 3
                      : byte(0) < 0xf5 ? 4
                                       : 0;
  if (size == 0 || size > bytes.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Longer than need be, a surrogate, or beyond U+10FFFF.
  if (byte(0) == 0xe0 && byte(1) < 0xa0) return 0;
  if (byte(0) == 0xed && byte(1) > 0x9f) return 0;
  if (byte(0) == 0xf0 && byte(1) < 0x90) return 0;
  if (byte(0) == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

// As a JSON string with its quotes. Whatever is not UTF-8 becomes U+FFFD, so that a line always
// parses, and no value can forge a second line.
void AppendQuoted(std::string_view value, std::string* out) {
  out->push_back('"');
  size_t written = 0;
  while (!value.empty()) {
    const size_t size = CharacterBytes(value);
    if (written + size > kLogValueBytesMax) {
      out->append(kCut);
      break;
    }
    const char c = value[0];
    if (size == 0) {
      out->append("\\ufffd");
    } else if (c == '"' || c == '\\') {
      out->append({'\\', c});
    } else if (c == '\n') {
      out->append("\\n");
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out->append(escaped);
    } else {
      out->append(value.substr(0, size));
    }
    value.remove_prefix(size == 0 ? 1 : size);
    written += size == 0 ? 1 : size;
  }
  out->push_back('"');
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty() || value.size() > kLogValueBytesMax) return true;
  for (const char c : value) {
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') return true;
  }
  return false;
}

template <class Number>
void AppendNumber(Number number, std::string* out) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out->append(digits, end);
}

struct AppendValue {
  LogFormat format;
  std::string* out;

  void operator()(bool value) const { out->append(value ? "true" : "false"); }
  void operator()(int64_t value) const { AppendNumber(value, out); }
  void operator()(uint64_t value) const { AppendNumber(value, out); }
  void operator()(double value) const {
    // JSON has no infinity; a log line that does not parse is worth less than the number.
    if (value - value != 0) return (*this)(std::string_view("not a number"));
    AppendNumber(value, out);
  }
  void operator()(std::string_view value) const {
    if (format == LogFormat::kText && !NeedsQuotes(value)) {
      out->append(value);
    } else {
      AppendQuoted(value, out);
    }
  }
};

// ISO 8601, UTC, milliseconds.
void AppendTime(WallTime now, std::string* out) {
  const std::time_t seconds = now.ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(now.ms % 1000));
  out->append(date).append(fraction);
}

void WriteWhole(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is left to tell
    line.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

void ConfigureLog(LogFormat format, Severity least) {
  log_format = format;
  log_least = least;
}

std::string FormatLogLine(LogFormat format, WallTime now, Severity severity, std::string_view event,
                          std::initializer_list<LogField> fields) {
  std::string line;
  if (format == LogFormat::kText) {
    AppendTime(now, &line);
    line.append(" ").append(SeverityName(severity));
    line.append(severity == Severity::kInfo || severity == Severity::kWarning ? "  " : " ");
    line.append(event);
    for (const LogField& field : fields) {
      line.append(" ").append(field.key).append("=");
      std::visit(AppendValue{format, &line}, field.value);
    }
    line.append("\n");
    return line;
  }
  line.append("{\"time\":\"");
  AppendTime(now, &line);
  line.append("\",\"severity\":\"").append(SeverityName(severity)).append("\",\"event\":");
  AppendQuoted(event, &line);
  for (const LogField& field : fields) {
    line.append(",");
    AppendQuoted(field.key, &line);
    line.append(":");
    std::visit(AppendValue{format, &line}, field.value);
  }
  line.append("}\n");
  return line;
}

void Log(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
  if (severity < log_least) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const WallTime wall{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
  const std::string line = FormatLogLine(log_format, wall, severity, event, fields);
  static Mutex mutex;
  MutexLock lock(&mutex);
  WriteWhole(line);
}

bool LogLimit::Due(Instant now, uint64_t* suppressed) {
  const int64_t now_ns = now.since_start.count();
  int64_t next_ns = next_ns_;
  if (now_ns < next_ns || !next_ns_.compare_exchange_strong(next_ns, now_ns + interval_.count())) {
    ++suppressed_;
    return false;
  }
  *suppressed = suppressed_.exchange(0);
  return true;
}

}  // namespace pando::base
