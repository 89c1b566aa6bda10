#include "cli/commands/data_argument.h"

#include "cli/files.h"
#include "model/limits.h"

namespace pando::cli {

void DataArgument::AddTo(CLI::App* command, const std::string& description) {
  CLI::Option* data = command->add_option("DATA", word, description);
  command->add_option("--file", file, "Take the data from FILE")->type_name("FILE")->excludes(data);
}

absl::StatusOr<Data> DataArgument::Read() const {
  if (!given()) return Data();
  if (word && *word != "-") return Data(*word);
  absl::StatusOr<std::string> bytes = ReadInput(word ? "-" : file, model::kValueBytesHardMax);
  if (!bytes.ok()) return bytes.status();
  return Data(*std::move(bytes));
}

}  // namespace pando::cli
