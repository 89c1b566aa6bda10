// Backups: save, inspect, restore.
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/child.h"
#include "cli/commands/command.h"
#include "cli/files.h"
#include "cli/snapshot_check.h"
#include "cli/snapshot_save.h"

namespace pando::cli {
namespace {

Json FactsJson(const SnapshotFacts& facts) {
  return {{"cluster_id", ClusterIdText(facts.header.cluster.value())},
          {"revision", facts.header.mark.revision.value()},
          {"term", facts.header.mark.term.value()},
          {"time_ms", facts.time.ms},
          {"nodes", facts.nodes},
          {"sessions", facts.sessions},
          {"records", facts.records},
          {"bytes", facts.bytes},
          {"format", codec::kSnapshotFormat},
          {"digest", absl::StrFormat("%016x", facts.header.mark.digest)},
          {"checksum", "ok"}};
}

// A name and a value a line.
std::string FactsText(const SnapshotFacts& facts, Format format) {
  Table table({{"WHAT"}, {"VALUE"}});
  const bool raw = format == Format::kRaw;
  table.Add({"cluster", ClusterIdText(facts.header.cluster.value())});
  table.Add({"revision", absl::StrCat(facts.header.mark.revision.value())});
  table.Add({"time", TimeText(facts.time.ms)});
  table.Add({"nodes", absl::StrCat(facts.nodes)});
  table.Add({"sessions", absl::StrCat(facts.sessions)});
  table.Add({"size", raw ? absl::StrCat(facts.bytes) : BytesText(facts.bytes)});
  table.Add({"format", absl::StrCat(codec::kSnapshotFormat)});
  table.Add({"checksum", "ok"});
  return table.Render(format);
}

void PrintFacts(const SnapshotFacts& facts, Format format) {
  Print(format == Format::kJson ? Line(FactsJson(facts)) + "\n" : FactsText(facts, format));
}

struct SaveOptions {
  std::string path;
  bool local = false;
};

absl::Status Save(const Globals& globals, const SaveOptions& options) {
  const std::string& path = options.path;
  const SaveFrom from = options.local ? SaveFrom::kOneServer : SaveFrom::kEnsemble;
  Connection connection = globals.Connect();
  absl::StatusOr<SnapshotFacts> facts;
  double seconds = 0;
  {
    Progress progress(/*total=*/0);
    facts = SaveSnapshot(&connection, from, path, &progress);
    seconds = static_cast<double>(progress.elapsed().count()) / 1000;
  }
  if (!facts.ok()) return facts.status();
  // The standard output is the backup's then.
  if (path == "-") return absl::OkStatus();
  if (globals.format) {
    PrintFacts(*facts, *globals.format);
    return absl::OkStatus();
  }
  Print(absl::StrFormat("saved %d nodes at revision %d, %s, in %.1f s\n", facts->nodes,
                        facts->header.mark.revision.value(), BytesText(facts->bytes), seconds));
  return absl::OkStatus();
}

absl::Status Inspect(const Globals& globals, const std::string& path) {
  const absl::StatusOr<SnapshotFacts> facts = CheckSnapshotFile(path);
  if (!facts.ok()) return facts.status();
  PrintFacts(*facts, globals.FormatOr(Format::kTable));
  return absl::OkStatus();
}

struct RestoreOptions {
  std::string file;
  std::string data_dir;
  std::string id = "1";
  std::string above;
};

// The server knows how a data dir is made, and is the one that will use it: this becomes it.
absl::Status Restore(const RestoreOptions& options) {
  const std::string binary = BesideThisBinary("pandod");
  std::vector<std::string> words = {binary,           "--restore", options.file, "--data-dir",
                                    options.data_dir, "--id",      options.id};
  if (!options.above.empty()) words.insert(words.end(), {"--restore-above", options.above});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(binary.c_str(), argv.data());
  return LocalError("pandod must lie beside pando: cannot run", binary, errno);
}

}  // namespace

void AddSnapshot(CommandLine* line) {
  CLI::App* snapshot = line->app.add_subcommand("snapshot", "Backups of the ensemble");
  snapshot->require_subcommand(1);

  const auto what = std::make_shared<SaveOptions>();
  CLI::App* save = AddCommand(line, snapshot, "save", "Write a backup, while everything goes on",
                              [line, what] { return Save(line->globals, *what); });
  save->add_option("FILE", what->path, "What it becomes; - is the standard output")->required();
  save->add_flag("--local", what->local,
                 "As far as the server that is asked has come; also without a leader");
  save->footer(
      "All nodes, ACLs and sessions at one revision. Only its owner may read FILE, which is there "
      "whole or\nnot at all.");

  const auto from = std::make_shared<std::string>();
  CLI::App* inspect =
      AddCommand(line, snapshot, "inspect", "Verify a backup, and say what it holds",
                 [line, from] { return Inspect(line->globals, *from); });
  inspect->add_option("FILE", *from, "The backup; - is the standard input")->required();

  const auto options = std::make_shared<RestoreOptions>();
  CLI::App* restore =
      AddCommand(line, snapshot, "restore", "Make the data dir of a new ensemble's server",
                 [options] { return Restore(*options); });
  restore->add_option("FILE", options->file, "The backup")->required();
  restore->add_option("--data-dir", options->data_dir, "An empty folder, or one to be made")
      ->type_name("DIR")
      ->required();
  restore->add_option("--id", options->id, "Of the server that will use it (default 1)")
      ->type_name("ID");
  restore
      ->add_option("--above", options->above,
                   "The last revision of an ensemble that was restored from FILE before")
      ->type_name("REVISION");
  restore->footer(
      "Run it for each server of the new ensemble, with the same FILE, then start them with the "
      "same\n--initial-cluster. Nodes and ACLs come back; sessions and ephemeral nodes do not.");
}

}  // namespace pando::cli
