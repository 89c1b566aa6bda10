#include "cli/completion.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pando::cli {
namespace {

// The part that is the same whatever the commands are.
constexpr char kFunctions[] = R"bash(
# Children of the node that is typed so far. A name may hold blanks: no compgen -W.
_pando_nodes() {
  local typed=$1 parent name
  parent=${typed%/*}
  while IFS= read -r name; do
    name=$parent/$name
    [[ $name == "$typed"* ]] && COMPREPLY+=("$(printf %q "$name")")
  done < <(pando ls -o raw --timeout 500ms "${parent:-/}" 2>/dev/null)
  # A node may have children: no blank is put after it.
  compopt -o nospace 2>/dev/null
}

# Ids of the members.
_pando_members() {
  local ids
  ids=$(pando member ls -o raw --timeout 500ms 2>/dev/null | cut -f 1)
  COMPREPLY=($(compgen -W "$ids" -- "$1"))
}

_pando() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command="" place=0 i below
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      -*)
        _pando_takes_value "${COMP_WORDS[i]}" && ((++i))
        ;;
      *)
        # What follows is not always one: import takes a folder, too.
        if ((place == 0)) && [[ " $(_pando_commands "$command") " == *" ${COMP_WORDS[i]} "* ]]; then
          command="${command:+$command }${COMP_WORDS[i]}"
        else
          ((++place))
        fi
        ;;
    esac
  done

  case $previous in
    -o | --output)
      COMPREPLY=($(compgen -W "table json raw" -- "$word"))
      return
      ;;
    --file | --report | --auth-file | --zookeeper-auth-file | --dir | --data-dir)
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "$word"))
      return
      ;;
  esac
  _pando_takes_value "$previous" && return

  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(_pando_options "$command")" -- "$word"))
    return
  fi
  below=$(_pando_commands "$command")
  if [[ -n $below ]] && ((place == 0)); then
    COMPREPLY=($(compgen -W "$below" -- "$word"))
    [[ $command == import || $command == export ]] || return
  fi
  case $command in
    completion) COMPREPLY=($(compgen -W "bash" -- "$word")) ;;
    txn | "snapshot save" | "snapshot inspect" | "snapshot restore")
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "$word"))
      ;;
    import | export)
      if [[ $command$place == import0 || $command$place == export1 ]]; then
        compopt -o filenames 2>/dev/null
        COMPREPLY+=($(compgen -d -- "$word"))
      elif ((place < 2)) && [[ $word == /* ]]; then
        _pando_nodes "$word"
      fi
      ;;
    "member promote" | "member rm" | "leader transfer")
      ((place == 0)) && _pando_members "$word"
      ;;
    *)
      ((place == 0)) && [[ $word == /* ]] && _pando_nodes "$word"
      ;;
  esac
}

complete -F _pando pando
)bash";

// "-o --output" of an option; "" of a place.
std::string NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return absl::StrJoin(names, " ");
}

// All options of `app` for which `wanted` is true, as words.
template <class Wanted>
std::string OptionsOf(const CLI::App& app, Wanted wanted) {
  std::vector<std::string> words;
  for (const CLI::Option* option : app.get_options()) {
    const std::string names = NamesOf(*option);
    if (!names.empty() && wanted(*option)) words.push_back(names);
  }
  return absl::StrJoin(words, " ");
}

std::string CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return absl::StrJoin(names, " ");
}

// Everything that depends on the commands, collected over all of them. `name`: as typed after
// `pando`, "session ls".
struct Cases {
  std::string commands;
  std::string options;
  std::vector<std::string> with_value;

  void Add(const CLI::App& app, const std::string& name, const std::string& options_above) {
    const auto is_any = [](const CLI::Option&) { return true; };
    const auto takes_value = [](const CLI::Option& option) {
      return option.get_items_expected_max() > 0;
    };
    const std::string own = OptionsOf(app, is_any);
    absl::StrAppend(&options, "    \"", name, "\") echo \"", own, name.empty() ? "" : " ",
                    options_above, "\" ;;\n");
    const std::string valued = OptionsOf(app, takes_value);
    if (!valued.empty()) with_value.push_back(valued);
    const auto below = app.get_subcommands({});
    if (below.empty()) return;
    absl::StrAppend(&commands, "    \"", name, "\") echo \"", CommandsOf(app), "\" ;;\n");
    for (const CLI::App* command : below) {
      // The options of the whole are taken after a command too.
      Add(*command, name.empty() ? command->get_name() : name + " " + command->get_name(),
          name.empty() ? own : options_above);
    }
  }
};

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  Cases cases;
  cases.Add(app, "", "");
  return absl::StrCat("# bash completion of pando: source <(pando completion bash)\n\n",
                      "_pando_commands() {\n  case $1 in\n", cases.commands, "  esac\n}\n\n",
                      "_pando_options() {\n  case $1 in\n", cases.options, "  esac\n}\n\n",
                      "_pando_takes_value() {\n  [[ \" ", absl::StrJoin(cases.with_value, " "),
                      " \" == *\" $1 \"* ]]\n}\n", kFunctions);
}

}  // namespace pando::cli
