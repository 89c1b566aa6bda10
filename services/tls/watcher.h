// Watcher: the material of one set of files, read again when they change, so that a certificate is
// renewed without a restart.
//
// The contents are compared, not the time: Kubernetes swaps a link under the files, others write
// them in place. What cannot be used, such as a key whose certificate is not written yet, changes
// nothing, and is logged: what was good stays in use. Thread-safe; has a thread of its own.
#ifndef PANDO_TLS_WATCHER_H_
#define PANDO_TLS_WATCHER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "base/time.h"
#include "tls/material.h"

namespace pando::tls {

class Watcher {
 public:
  struct Options {
    std::string name;  // in the log: "client"
    Files files;
    base::Duration interval = std::chrono::seconds(5);
    std::function<base::WallTime()> now;
    // Of everything but the first; on the watcher's thread.
    std::function<void(const Material&)> on_change;
  };

  // Fails if the files cannot be used now.
  static absl::StatusOr<std::unique_ptr<Watcher>> Start(Options options);
  ~Watcher();

  std::shared_ptr<const Material> current() const PANDO_EXCLUDES(mutex_);

  // Looks at the files now. True: they had changed, and are in use.
  bool Reload() PANDO_EXCLUDES(mutex_, reload_mutex_);

 private:
  Watcher(Options options, Material first);
  void Run() PANDO_EXCLUDES(mutex_);
  void LogInUse(const Material& material) const;

  const Options options_;
  base::Mutex reload_mutex_;  // one at a time
  std::string last_error_ PANDO_GUARDED_BY(reload_mutex_);
  mutable base::Mutex mutex_;
  base::CondVar stopped_;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Material> current_ PANDO_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace pando::tls

#endif  // PANDO_TLS_WATCHER_H_
