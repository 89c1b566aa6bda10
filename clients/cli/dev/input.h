// LineInput: lines of the standard input, as they come.
#ifndef PANDO_CLIENTS_CLI_DEV_INPUT_H_
#define PANDO_CLIENTS_CLI_DEV_INPUT_H_

#include <optional>
#include <string>

namespace pando::cli {

class LineInput {
 public:
  LineInput();

  // Somebody sits there: both input and output are a terminal.
  bool interactive() const { return interactive_; }
  // What to wait for before Read; negative while there is nothing to be had: at the end, and while
  // this program is in the background of its terminal, where reading would stop it.
  int descriptor() const;
  // Takes what is there; must not be called when there is nothing, for then it waits.
  void Read();
  // The next whole line that was read, without its end.
  std::optional<std::string> TakeLine();
  // Nothing more will come.
  bool ended() const { return ended_; }

 private:
  const bool interactive_;
  bool ended_ = false;
  std::string text_;  // not taken yet
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_INPUT_H_
