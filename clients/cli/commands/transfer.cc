// import and export: the two directions of one thing.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "cli/commands/command.h"
#include "cli/commands/move.h"
#include "cli/export.h"
#include "cli/import.h"

namespace pando::cli {
namespace {

struct TransferOptions {
  std::string path;
  std::string folder;
  std::string report;
};

void PrintSummary(std::string_view verb, const TransferSummary& summary,
                  const SkippedPaths& skipped, std::chrono::milliseconds elapsed, Format format) {
  const double seconds = static_cast<double>(elapsed.count()) / 1000;
  if (format == Format::kJson) {
    Print(Line({{"folders", summary.folders},
                {"files", summary.files},
                {"bytes", summary.bytes},
                {"skipped", skipped.all().size()},
                {"seconds", seconds}}) +
          "\n");
  } else if (format == Format::kTable) {
    Print(absl::StrFormat("%s %d files and %d folders, %s, in %.1f s; skipped %d\n", verb,
                          summary.files, summary.folders, BytesText(summary.bytes), seconds,
                          skipped.all().size()));
  }
}

absl::Status Import(const Globals& globals, const TransferOptions& options) {
  // The parser cannot demand them: with `zookeeper` there are none.
  if (options.folder.empty() || options.path.empty()) {
    return absl::InvalidArgumentError("DIR and PATH are required; see pando import --help");
  }
  SkippedPaths skipped;
  const auto entries = ScanFolder(options.folder, options.path, &skipped);
  if (!entries.ok()) return entries.status();
  Connection connection = globals.Connect();
  absl::StatusOr<TransferSummary> summary;
  std::chrono::milliseconds elapsed{0};
  {
    Progress progress(entries->size());
    summary = ImportEntries(&connection, *entries, &progress, &skipped);
    elapsed = progress.elapsed();
  }
  // Also when it failed: what was left out until then is worth knowing.
  PANDO_RETURN_IF_ERROR(skipped.Tell(options.report));
  if (!summary.ok()) return summary.status();
  PrintSummary("imported", *summary, skipped, elapsed, globals.FormatOr(Format::kTable));
  return absl::OkStatus();
}

absl::Status Export(const Globals& globals, const TransferOptions& options) {
  if (options.folder.empty() || options.path.empty()) {
    return absl::InvalidArgumentError("PATH and DIR are required; see pando export --help");
  }
  SkippedPaths skipped;
  Connection connection = globals.Connect();
  absl::StatusOr<TransferSummary> summary;
  std::chrono::milliseconds elapsed{0};
  {
    Progress progress(/*total=*/0);
    summary = ExportSubtree(&connection, options.path, options.folder, &progress, &skipped);
    elapsed = progress.elapsed();
  }
  PANDO_RETURN_IF_ERROR(skipped.Tell(options.report));
  if (!summary.ok()) return summary.status();
  PrintSummary("exported", *summary, skipped, elapsed, globals.FormatOr(Format::kTable));
  return absl::OkStatus();
}

void AddReport(CLI::App* command, TransferOptions* options) {
  command
      ->add_option("--report", options->report,
                   "Write what was skipped to FILE: a line each, the path, a tab, the reason")
      ->type_name("FILE");
}

}  // namespace

void AddImport(CommandLine* line) {
  const auto options = std::make_shared<TransferOptions>();
  CLI::App* command = line->app.add_subcommand("import", "Copy a local folder into the tree");
  command->add_option("DIR", options->folder, "The folder (required)");
  command->add_option("PATH", options->path, "The node that it becomes (required)");
  AddReport(command, options.get());
  command->footer(
      "Folders become nodes with null data, files nodes with data. Nodes that exist are "
      "overwritten,"
      "\nothers left; run it again if it was interrupted. Symlinks, special files, files over the"
      "\nserver's limit and names that no path can hold are skipped. A folder named zookeeper is"
      "\n./zookeeper.");
  AddImportZooKeeper(line, command);
  // Called after those of the subcommands, whose turn it is if one was given.
  command->callback([line, options, command] {
    if (command->get_subcommands().empty()) {
      line->run = [line, options] { return Import(line->globals, *options); };
    }
  });
}

void AddExport(CommandLine* line) {
  const auto options = std::make_shared<TransferOptions>();
  CLI::App* command =
      line->app.add_subcommand("export", "Copy a subtree into a local folder, at one revision");
  command->add_option("PATH", options->path, "The topmost node (required)");
  command->add_option("DIR", options->folder, "The folder that it becomes (required)");
  AddReport(command, options.get());
  command->footer(
      "Nodes with data and without children become files, all others folders. The data of a node"
      "\nthat becomes a folder is skipped.");
  AddExportZooKeeper(line, command);
  command->callback([line, options, command] {
    if (command->get_subcommands().empty()) {
      line->run = [line, options] { return Export(line->globals, *options); };
    }
  });
}

}  // namespace pando::cli
