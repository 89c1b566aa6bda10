#include "cli/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "cli/files.h"
#include "cli/signals.h"

namespace pando::cli {
namespace {

// What a shell ends with when it cannot run a program.
constexpr int kCannotRun = 127;
constexpr mode_t kLogMode = 0644;

// As execve wants them.
std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

// Not posix_spawn: it has no PR_SET_PDEATHSIG, without which a killed `pando dev` leaves a server
// behind that holds the ports and the data dir.
absl::StatusOr<Child> Child::Start(Options options) {
  const std::string& binary = options.binary;
  const std::string& log_path = options.log_path;
  if (::access(binary.c_str(), X_OK) != 0) return LocalError("cannot run", binary, errno);
  int log = STDERR_FILENO;
  if (!log_path.empty()) {
    log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kLogMode);
    if (log < 0) return LocalError("cannot write", log_path, errno);
  }
  std::vector<std::string> words = {binary};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  const std::vector<char*> argv = Pointers(&words);
  std::vector<std::string> variables = std::move(options.environment);
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  const std::vector<char*> envp = Pointers(&variables);

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  const int fork_error = errno;
  if (child == 0) {
    // Other threads may have held any lock: from here on only what POSIX calls async-signal-safe.
    if (!options.in_foreground) {
      ::setpgid(0, 0);
      ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    }
    if (log != STDERR_FILENO) {
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
    }
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    Signals::Reset();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // It may have died before it could be watched.
    if (::getppid() != parent) ::_exit(kCannotRun);
    ::execve(binary.c_str(), argv.data(), envp.data());
    ::_exit(kCannotRun);
  }
  if (log != STDERR_FILENO) ::close(log);
  if (child < 0) return LocalError("cannot run", binary, fork_error);
  return Child(child);
}

std::optional<int> Child::End() {
  if (end_) return end_;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  // Nobody else waits for it, and WNOHANG is never interrupted.
  CHECK(ended >= 0);
  if (ended == pid_) end_ = status;
  return end_;
}

int Child::WaitForEnd() {
  if (End()) return *end_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) CHECK(errno == EINTR);
  end_ = status;
  return status;
}

void Child::Send(int signal) {
  if (!End()) ::kill(pid_, signal);
}

std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  for (const absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    std::string file = absl::StrCat(folder.empty() ? "." : folder, "/", name);
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

std::string BesideThisBinary(const std::string& name) {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  return (own.parent_path() / name).string();
}

std::string EndText(int wait_status) {
  if (WIFEXITED(wait_status)) return absl::StrCat("exit status ", WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  return absl::StrCat("signal ", signal, " (", ::strsignal(signal), ")");
}

}  // namespace pando::cli
