#include "cli/shell.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/files.h"

extern char** environ;

namespace pando::cli {
namespace {

// The bytes as a file without a name, to be read from its start. A pipe would need a second thread:
// it holds 64 KiB, and a command may end without reading. -1: errno says why.
int FileOf(std::string_view bytes) {
  const int fd = ::memfd_create("pando-event", MFD_CLOEXEC);
  if (fd < 0) return fd;
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      const int error = errno;
      ::close(fd);
      errno = error;
      return -1;
    }
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

// Whether `assignment`, "NAME=VALUE", is of one of `variables`.
bool IsOneOf(std::string_view assignment,
             const std::vector<std::pair<std::string, std::string>>& variables) {
  const std::string_view name = assignment.substr(0, assignment.find('='));
  return std::any_of(variables.begin(), variables.end(),
                     [&](const auto& variable) { return variable.first == name; });
}

}  // namespace

absl::StatusOr<int> RunShell(const std::string& command, std::string_view input,
                             const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> added;
  for (const auto& [name, value] : variables) added.push_back(absl::StrCat(name, "=", value));
  std::vector<char*> environment;
  for (std::string& variable : added) environment.push_back(variable.data());
  // Of two with one name, programs take the first or the last: so none is given twice.
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!IsOneOf(*variable, variables)) environment.push_back(*variable);
  }
  environment.push_back(nullptr);

  const int stdin_fd = FileOf(input);
  if (stdin_fd < 0) return LocalError("cannot run", command, errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, stdin_fd, STDIN_FILENO);
  std::string shell = "sh";
  std::string option = "-c";
  std::string script = command;
  char* const arguments[] = {shell.data(), option.data(), script.data(), nullptr};
  pid_t child = 0;
  const int spawned =
      ::posix_spawn(&child, "/bin/sh", &actions, nullptr, arguments, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(stdin_fd);
  if (spawned != 0) return LocalError("cannot run", command, spawned);

  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return LocalError("cannot wait for", command, errno);
  }
  constexpr int kSignalBase = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
}

}  // namespace pando::cli
