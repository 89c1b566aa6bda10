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
  // Starts `binary`, in a process group of its own: Ctrl-C on the terminal is for this program,
  // which tells the child itself. It reads nothing and inherits no descriptor; what it prints is
  // added to the file `log_path`, or goes where this program's goes if that is empty. The child
  // gets TERM when this program dies without a word. INTERNAL: it cannot be started. REQUIRES:
  // called by the main thread; it is that one whose death is told.
  static absl::StatusOr<Child> Start(const std::string& binary,
                                     const std::vector<std::string>& arguments,
                                     const std::string& log_path);

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

// The path of a program that lies in the folder of this one.
std::string BesideThisBinary(const std::string& name);

// "exit status 2", "signal 9 (Killed)".
std::string EndText(int wait_status);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_CHILD_H_
