#include "server/audit_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "posix/clock.h"

namespace pando::server {

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& path) {
  // Not by way of /dev/stderr: what another user has opened for this process cannot be opened
  // again.
  const int file = path == kStderr
                       ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
                       : open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open --audit-log ", path));
  return std::unique_ptr<AuditLog>(new AuditLog(path, file));
}

AuditLog::AuditLog(std::string path, int file)
    : path_(std::move(path)), file_(file), trouble_(std::chrono::minutes(1)) {}

AuditLog::~AuditLog() { close(file_); }

void AuditLog::Write(base::WallTime now, const api::AuditEntry& entry) {
  uint64_t suppressed = 0;
  if (entry.denied && !IsDue(now, &suppressed)) return;
  const std::string line = base::FormatLogLine(base::LogFormat::kJson, now, base::Severity::kInfo,
                                               entry.denied ? "denied" : "administration",
                                               {{"method", entry.method},
                                                {"caller", entry.caller},
                                                {"path", entry.path},
                                                {"reason", entry.reason},
                                                {"request", entry.request},
                                                {"suppressed", suppressed}});
  // One write appends one line, whoever else writes.
  if (write(file_, line.data(), line.size()) == static_cast<ssize_t>(line.size())) return;
  const int problem = errno;
  uint64_t more = 0;
  if (!trouble_.Due(posix::Now(), &more)) return;
  base::Log(
      base::Severity::kError, "audit log not written",
      {{"path", path_}, {"error", std::system_category().message(problem)}, {"suppressed", more}});
}

bool AuditLog::IsDue(base::WallTime now, uint64_t* suppressed) {
  base::MutexLock lock(&mutex_);
  const int64_t second = now.ms / 1000;
  if (second != second_) {
    *suppressed = std::max(denials_, kDenialsPerSecondMax) - kDenialsPerSecondMax;
    second_ = second;
    denials_ = 0;
  }
  return ++denials_ <= kDenialsPerSecondMax;
}

}  // namespace pando::server
