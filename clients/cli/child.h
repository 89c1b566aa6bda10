// Child: a program that runs beside this one, and not longer.
#ifndef PANDO_CLIENTS_CLI_CHILD_H_
#define PANDO_CLIENTS_CLI_CHILD_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pando::cli {

class Child {
 public:
  struct Options {
    std::string binary;  // a path
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // NAME=VALUE each, besides this program's own
    // What it prints is added to that file, or goes where this program's goes if it is empty.
    std::string log_path;
    // It has the terminal: it reads what this program would, and Ctrl-C is for both. Otherwise it
    // reads nothing, and is in a process group of its own: this program tells it what to do.
    bool in_foreground = false;
  };
  // The child inherits no descriptor but those three, and gets TERM when this program dies without
  // a word. INTERNAL: it cannot be started. REQUIRES: called by the main thread; it is that one
  // whose death is told.
  static absl::StatusOr<Child> Start(Options options);

  // How it ended, as waitpid says it; nullopt while it runs. Does not wait.
  std::optional<int> End();
  // The same, once it has ended.
  int WaitForEnd();
  // Sends a signal, if it still runs.
  void Send(int signal);
  pid_t pid() const { return pid_; }

 private:
  explicit Child(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  std::optional<int> end_;
};

// The path of a program that a shell would run by that name; itself if it has a slash, empty if
// there is none.
std::string FindProgram(const std::string& name);

// The path of a program that lies in the folder of this one.
std::string BesideThisBinary(const std::string& name);

// "exit status 2", "signal 9 (Killed)".
std::string EndText(int wait_status);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_CHILD_H_
