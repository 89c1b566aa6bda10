// AuditLog: a file with a JSON line for each call that was denied, and for each that was an
// administrator's. Thread-safe.
//
// It is appended to, a whole line at a time, and never read: it can be moved away or cut by whoever
// rotates it (copytruncate). Or it is standard error, for who collects the lines of both logs
// there.
#ifndef PANDO_SERVER_AUDIT_LOG_H_
#define PANDO_SERVER_AUDIT_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/server.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/time.h"

namespace pando::server {

class AuditLog {
 public:
  // Denials that are written in a second: a stranger must not fill the disk. What is left out is
  // counted in the next second's first line.
  static constexpr uint64_t kDenialsPerSecondMax = 100;
  static constexpr std::string_view kStderr = "-";

  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& path);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void Write(base::WallTime now, const api::AuditEntry& entry) PANDO_EXCLUDES(mutex_);

 private:
  AuditLog(std::string path, int file);
  bool IsDue(base::WallTime now, uint64_t* suppressed) PANDO_EXCLUDES(mutex_);

  const std::string path_;
  const int file_;
  base::LogLimit trouble_;
  base::Mutex mutex_;
  int64_t second_ PANDO_GUARDED_BY(mutex_) = 0;
  uint64_t denials_ PANDO_GUARDED_BY(mutex_) = 0;  // in that second
};

}  // namespace pando::server

#endif  // PANDO_SERVER_AUDIT_LOG_H_
