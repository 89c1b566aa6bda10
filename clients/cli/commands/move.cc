#include "cli/commands/move.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "cli/credentials.h"
#include "cli/mirror/course.h"
#include "cli/mirror/mirror.h"
#include "cli/mirror/pando_source.h"
#include "cli/mirror/pando_target.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/skipped.h"
#include "cli/zookeeper/client.h"
#include "cli/zookeeper/source.h"
#include "cli/zookeeper/target.h"
#include "model/path.h"

namespace pando::cli {
namespace {

using std::chrono::milliseconds;

// How many differences are told.
constexpr size_t kToldAtMost = 10;
constexpr milliseconds kRecheck{60'000};

struct MoveOptions {
  std::vector<std::string> servers;
  std::string path;
  std::vector<std::string> credentials;
  bool once = false;
  bool dry_run = false;
  bool merge = false;
  bool delete_extras = false;
  bool verify = false;
  size_t outstanding = 256;
  uint64_t rate = 0;
  std::optional<milliseconds> recheck;
  std::string report;
};

ZooKeeperClient::Options ClientOptions(const Globals& globals, const MoveOptions& options) {
  return {options.servers, options.credentials, globals.timeout.value_or(Globals::kTimeout)};
}

absl::Status Check(const MoveOptions& options) {
  PANDO_RETURN_IF_ERROR(model::ValidatePath(options.path));
  if (IsSystemPath(options.path)) {
    return absl::InvalidArgumentError("/zookeeper is ZooKeeper's own, and is not copied");
  }
  return absl::OkStatus();
}

// Whether what is there already lets the copy begin.
absl::Status CheckTarget(const MoveOptions& options, const Inventory& target,
                         std::string_view where) {
  const size_t below = target.size() - target.count(options.path);
  if (below == 0 || options.merge || options.delete_extras) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      base::View(where), " has ", below, " nodes below ", options.path,
      " already: --merge leaves those that the source has not, --delete removes them"));
}

// All of a tree in ZooKeeper, as it is when it is looked at.
absl::StatusOr<Inventory> ZooKeeperInventory(const Globals& globals, const MoveOptions& options) {
  Doorbell bell;
  ZooKeeperClient client(ClientOptions(globals, options), &bell);
  ZooKeeperSource source(&client, {options.path, options.rate, [](const std::string&) {}});
  Mirror mirror({options.path, false, options.outstanding}, {});
  Course course;
  course.source = [&](Mirror* of) { return source.Exchange(of); };
  course.target = WriteNowhere;
  course.bell = &bell;
  course.once = true;
  course.stopped = [] { return false; };
  course.on_finishing = [] {};
  const absl::Status status = RunCourse(&mirror, course);
  if (absl::IsNotFound(status)) return Inventory();
  if (!status.ok()) return status;
  return mirror.Copied();
}

// Both sides, whole. With --merge what only the target has does not count.
absl::Status Verify(const MoveOptions& options, const Inventory& source, Inventory target) {
  if (options.merge) {
    std::erase_if(target, [&](const auto& node) { return source.count(node.first) == 0; });
  }
  const std::vector<std::string> differences = DifferencesOf(source, target);
  if (differences.empty()) {
    Note(absl::StrCat("verified: ", source.size(), " nodes on both sides, digest ",
                      absl::Hex(DigestOf(source), absl::kZeroPad16)));
    return absl::OkStatus();
  }
  for (size_t i = 0; i < differences.size() && i < kToldAtMost; ++i) {
    Note(absl::StrCat("differs: ", differences[i]));
  }
  return absl::FailedPreconditionError(absl::StrCat("the two sides differ in ", differences.size(),
                                                    " nodes; the source has ", source.size(),
                                                    ", the target ", target.size()));
}

struct LeftOutCounts {
  size_t ephemerals = 0;
  size_t others = 0;
};

// What is worth most comes first.
LeftOutCounts CollectLeftOut(const Mirror& mirror, SkippedPaths* skipped) {
  LeftOutCounts counts;
  mirror.ForEachLeftOut([&](const Mirror::LeftOut& left_out) {
    if (left_out.ephemeral) return;
    ++counts.others;
    skipped->Add(left_out.path, left_out.reason);
  });
  mirror.ForEachLeftOut([&](const Mirror::LeftOut& left_out) {
    if (!left_out.ephemeral) return;
    ++counts.ephemerals;
    skipped->Add(left_out.path, left_out.reason);
  });
  return counts;
}

void PrintSummary(const MoveOptions& options, const Mirror& mirror, const LeftOutCounts& left_out,
                  milliseconds elapsed, Format format) {
  const MirrorCounts& counts = mirror.counts();
  const double seconds = static_cast<double>(elapsed.count()) / 1000;
  const size_t nodes = mirror.Copied().size();
  if (format == Format::kJson) {
    Print(Line({{"nodes", nodes},
                {"created", counts.created},
                {"updated", counts.updated},
                {"removed", counts.removed},
                {"bytes", counts.bytes},
                {"ephemerals", left_out.ephemerals},
                {"left_out", left_out.others},
                {"seconds", seconds}}) +
          "\n");
  } else if (format == Format::kTable) {
    Print(absl::StrFormat(
        "%s %d nodes in %.1f s: %d created, %d updated, %d removed, %s; left out %d ephemeral "
        "nodes and %d others\n",
        options.dry_run ? "would hold" : "holds", nodes, seconds, counts.created, counts.updated,
        counts.removed, BytesText(counts.bytes), left_out.ephemerals, left_out.others));
  }
}

// What people are told while a copy goes on.
class Narrator {
 public:
  explicit Narrator(const Mirror* mirror) : mirror_(*mirror), progress_(std::in_place, 0) {}

  void Advance() {
    if (!progress_) return;
    const MirrorCounts& counts = mirror_.counts();
    const uint64_t done = counts.created + counts.updated + counts.removed;
    uint64_t bytes = counts.bytes - shown_bytes_;
    for (; shown_ < done; ++shown_) progress_->Step(std::exchange(bytes, 0));
    shown_bytes_ = counts.bytes;
  }
  void Connection(const std::string& trouble) {
    Say(trouble.empty() ? "connected again; looking at what has changed"
                        : "lost the connection to " + trouble);
  }
  void Following() {
    elapsed_ = progress_->elapsed();
    progress_.reset();
    Note(absl::StrFormat("copied %d nodes in %.1f s; following, until Ctrl-C ends it",
                         mirror_.Copied().size(), static_cast<double>(elapsed_.count()) / 1000));
  }
  void Finishing() {
    Say("looking at everything once more; Ctrl-C stops at once");
    Signals::Reset();
  }
  // Of the first round, or until now.
  milliseconds elapsed() const { return progress_ ? progress_->elapsed() : elapsed_; }
  void End() {
    elapsed_ = elapsed();
    progress_.reset();
  }

 private:
  // Not into the middle of the moving line.
  void Say(const std::string& text) {
    if (!progress_) Note(text);
  }

  const Mirror& mirror_;
  std::optional<Progress> progress_;  // until the first round is over
  uint64_t shown_ = 0;
  uint64_t shown_bytes_ = 0;
  milliseconds elapsed_{0};
};

absl::Status End(const MoveOptions& options, Format format, const std::string& source_name,
                 const Mirror& mirror, milliseconds elapsed, const absl::Status& outcome) {
  SkippedPaths skipped;
  const LeftOutCounts left_out = CollectLeftOut(mirror, &skipped);
  PANDO_RETURN_IF_ERROR(skipped.Tell(options.report));
  if (absl::IsNotFound(outcome)) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no node ", options.path, " at ", source_name));
  }
  PANDO_RETURN_IF_ERROR(outcome);
  PrintSummary(options, mirror, left_out, elapsed, format);
  if (left_out.others == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(left_out.others, " nodes could not be copied as they are"));
}

// What both directions do in the same way.
Course CourseOf(const MoveOptions& options, Signals* signals, Narrator* narrator) {
  Course course;
  course.once = options.once || options.dry_run;
  course.recheck = options.recheck.value_or(kRecheck);
  course.stopped = [signals] { return signals->Stopped(); };
  course.on_following = [narrator] { narrator->Following(); };
  course.on_finishing = [narrator] { narrator->Finishing(); };
  return course;
}

// One way to copy: where from and where to.
struct Direction {
  std::string source_name;  // for people
  std::string target_name;
  std::function<absl::StatusOr<Inventory>()> read_source;  // whole
  std::function<absl::StatusOr<Inventory>()> read_target;
  // Copies, over connections of its own.
  std::function<absl::Status(Mirror* mirror, Narrator* narrator, Course course)> copy;
};

absl::Status Move(const MoveOptions& options, Format format, const Direction& direction) {
  PANDO_RETURN_IF_ERROR(Check(options));
  Signals signals;
  const absl::StatusOr<Inventory> before = direction.read_target();
  if (!before.ok()) return before.status();
  PANDO_RETURN_IF_ERROR(CheckTarget(options, *before, direction.target_name));

  Mirror mirror({options.path, options.delete_extras, options.outstanding}, *before);
  Narrator narrator(&mirror);
  const absl::Status outcome =
      direction.copy(&mirror, &narrator, CourseOf(options, &signals, &narrator));
  narrator.End();
  const absl::Status ended =
      End(options, format, direction.source_name, mirror, narrator.elapsed(), outcome);
  if (!outcome.ok() || !options.verify || options.dry_run) return ended;
  const absl::StatusOr<Inventory> source = direction.read_source();
  if (!source.ok()) return source.status();
  const absl::StatusOr<Inventory> target = direction.read_target();
  if (!target.ok()) return target.status();
  PANDO_RETURN_IF_ERROR(Verify(options, *source, *target));
  return ended;
}

absl::Status ImportZooKeeper(const Globals& globals, const MoveOptions& options) {
  Connection connection = globals.Connect();
  const auto copy = [&](Mirror* mirror, Narrator* narrator, Course course) {
    Doorbell bell;
    ZooKeeperClient client(ClientOptions(globals, options), &bell);
    ZooKeeperSource source(&client, {options.path, options.rate, [&](const std::string& trouble) {
                                       narrator->Connection(trouble);
                                     }});
    course.bell = &bell;
    course.source = [&](Mirror* of) {
      narrator->Advance();
      return source.Exchange(of);
    };
    bool has_parents = false;
    course.target = [&](Mirror* of) -> absl::StatusOr<bool> {
      if (options.dry_run) return WriteNowhere(of);
      // Not before the source has shown that there is something to copy.
      if (!has_parents && of->has_writes()) {
        PANDO_RETURN_IF_ERROR(MakePandoParents(&connection, options.path));
        has_parents = true;
      }
      return WriteToPando(&connection, of, [&] { return course.source(of).status(); });
    };
    return RunCourse(mirror, course);
  };
  return Move(options, globals.FormatOr(Format::kTable),
              {.source_name = options.servers.front(),
               .target_name = "Pando",
               .read_source = [&] { return ZooKeeperInventory(globals, options); },
               .read_target = [&] { return PandoInventory(&connection, options.path); },
               .copy = copy});
}

absl::Status ExportZooKeeper(const Globals& globals, const MoveOptions& options) {
  const auto copy = [&](Mirror* mirror, Narrator* narrator, Course course) {
    Doorbell bell;
    ZooKeeperClient client(ClientOptions(globals, options), &bell);
    ZooKeeperTarget target(&client,
                           {options.path, options.outstanding,
                            [&](const std::string& trouble) { narrator->Connection(trouble); }});
    PandoSource source(globals.Connect().options(), options.path, &bell);
    course.bell = &bell;
    course.source = [&](Mirror* of) {
      narrator->Advance();
      return source.Exchange(of);
    };
    course.target = [&](Mirror* of) {
      return options.dry_run ? WriteNowhere(of) : target.Exchange(of);
    };
    return RunCourse(mirror, course);
  };
  const auto read_pando = [&] {
    Connection connection = globals.Connect();
    return PandoInventory(&connection, options.path);
  };
  return Move(options, globals.FormatOr(Format::kTable),
              {.source_name = globals.endpoints.front(),
               .target_name = "ZooKeeper",
               .read_source = read_pando,
               .read_target = [&] { return ZooKeeperInventory(globals, options); },
               .copy = copy});
}

void AddMoveOptions(CLI::App* command, MoveOptions* options) {
  command->add_option("SERVERS", options->servers, "Servers of ZooKeeper, separated by commas")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CheckEndpoint, "HOST:PORT,...");
  command->add_option("PATH", options->path, "The topmost node, the same on both sides")
      ->required();
  command->add_flag("--once", options->once, "End when all is copied, instead of following");
  command->add_flag("--dry-run", options->dry_run, "Only say what would be written; with --once");
  CLI::Option* merge = command->add_flag(
      "--merge", options->merge, "Where the target has nodes already: leave what only it has");
  command
      ->add_flag("--delete", options->delete_extras,
                 "Where the target has nodes already: remove what only it has")
      ->excludes(merge);
  command->add_flag("--verify", options->verify,
                    "In the end read both sides whole and compare them; nothing should write then");
  command
      ->add_option("--zookeeper-auth", options->credentials,
                   "Who you are to ZooKeeper: digest:USER:PASSWORD; may be given several times")
      ->allow_extra_args(false)
      ->envname("PANDO_ZOOKEEPER_AUTH")
      ->check(CheckCredential, "CREDENTIAL");
  command
      ->add_option_function<std::string>(
          "--zookeeper-auth-file",
          [options](const std::string& file) {
            const auto credentials = ReadCredentials(file);
            options->credentials.insert(options->credentials.end(), credentials->begin(),
                                        credentials->end());
          },
          "The same from FILE, a line each")
      ->check(
          [](const std::string& file) {
            const auto credentials = ReadCredentials(file);
            if (!credentials.ok()) return std::string(credentials.status().message());
            for (const std::string& credential : *credentials) {
              if (std::string wrong = CheckCredential(credential); !wrong.empty()) return wrong;
            }
            return std::string();
          },
          "FILE");
  constexpr uint64_t kOutstandingMax = 10'000;
  command
      ->add_option("--outstanding", options->outstanding,
                   "Nodes that the source is asked for at once (default 256)")
      ->check(CLI::Range(uint64_t{1}, kOutstandingMax))
      ->type_name("N");
  AddDuration(command, "--recheck", &options->recheck,
              "Look at each node again in so long, for changes that nobody tells: of ACLs "
              "(default 1m; 0: never)");
  command
      ->add_option("--report", options->report,
                   "Write what was left out to FILE: a line each, the path, a tab, the reason")
      ->type_name("FILE");
}

}  // namespace

void AddImportZooKeeper(CommandLine* line, CLI::App* parent) {
  const auto options = std::make_shared<MoveOptions>();
  CLI::App* command =
      AddCommand(line, parent, "zookeeper", "Copy a tree out of ZooKeeper, and follow it",
                 [line, options] { return ImportZooKeeper(line->globals, *options); });
  AddMoveOptions(command, options.get());
  command
      ->add_option("--rate", options->rate,
                   "Look at no more than N nodes of the source a second (default: no limit)")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->footer(
      "Data, ACLs and all nodes but ephemeral ones are copied while ZooKeeper serves, and changes"
      "\nfollow, until Ctrl-C; what was written before that is copied when it ends. Containers and"
      "\nTTL nodes become persistent ones: ZooKeeper does not tell them apart. --endpoints and"
      "\n--auth are Pando's. docs/migration.md says how to move with seconds of downtime.");
}

void AddExportZooKeeper(CommandLine* line, CLI::App* parent) {
  const auto options = std::make_shared<MoveOptions>();
  CLI::App* command =
      AddCommand(line, parent, "zookeeper", "Copy a tree into a ZooKeeper, and follow it",
                 [line, options] { return ExportZooKeeper(line->globals, *options); });
  AddMoveOptions(command, options.get());
  command->footer(
      "The other way of import zookeeper: data, ACLs and all nodes but ephemeral ones are copied"
      "\nwhile Pando serves, and changes follow, until Ctrl-C. --endpoints and --auth are "
      "Pando's.");
}

}  // namespace pando::cli
