#include "tls/watcher.h"

#include <pthread.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace pando::tls {

absl::StatusOr<std::unique_ptr<Watcher>> Watcher::Start(Options options) {
  CHECK(options.now != nullptr);
  absl::StatusOr<Material> first = Load(options.files);
  if (!first.ok()) return first.status();
  return std::unique_ptr<Watcher>(new Watcher(std::move(options), *std::move(first)));
}

Watcher::Watcher(Options options, Material first)
    : options_(std::move(options)), current_(std::make_shared<const Material>(std::move(first))) {
  LogInUse(*current());
  thread_ = std::thread([this] { Run(); });
}

Watcher::~Watcher() {
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    stopped_.NotifyOne();
  }
  thread_.join();
}

std::shared_ptr<const Material> Watcher::current() const {
  base::MutexLock lock(&mutex_);
  return current_;
}

void Watcher::Run() {
  pthread_setname_np(pthread_self(), "pando-tls");
  for (;;) {
    {
      base::MutexLock lock(&mutex_);
      if (!stopping_) stopped_.WaitFor(&mutex_, options_.interval);
      if (stopping_) return;
    }
    Reload();
  }
}

bool Watcher::Reload() {
  base::MutexLock one_at_a_time(&reload_mutex_);
  absl::StatusOr<Material> read = Load(options_.files);
  if (!read.ok()) {
    // Once for each thing that is wrong, not every few seconds.
    const std::string error(read.status().message());
    if (std::exchange(last_error_, error) == error) return false;
    base::Log(base::Severity::kError, "certificates cannot be reloaded: the old ones stay in use",
              {{"port", options_.name}, {"error", error}});
    return false;
  }
  last_error_.clear();
  if (read->SameAs(*current())) return false;
  const auto changed = std::make_shared<const Material>(*std::move(read));
  {
    base::MutexLock lock(&mutex_);
    current_ = changed;
  }
  LogInUse(*changed);
  if (options_.on_change) options_.on_change(*changed);
  return true;
}

void Watcher::LogInUse(const Material& material) const {
  if (material.certificate_pem.empty()) return;
  const bool expired = material.own.ends < options_.now();
  base::Log(expired ? base::Severity::kError : base::Severity::kInfo,
            expired ? "the certificate has expired: nobody will believe it" : "certificate in use",
            {{"port", options_.name},
             {"file", options_.files.certificate},
             {"subject", material.own.subject},
             {"issuer", material.own.issuer},
             {"until", TimeText(material.own.ends)}});
}

}  // namespace pando::tls
