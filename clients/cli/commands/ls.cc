#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"
#include "cli/path_order.h"
#include "cli/walk.h"
#include "model/path.h"

namespace pando::cli {
namespace {

struct LsOptions {
  std::string path = "/";
  bool long_form = false;
  bool recursive = false;
};

// Takes nodes one by one and prints them in the format that was asked for.
class Listing {
 public:
  Listing(Format format, bool long_form) : format_(format), long_form_(long_form) {
    if (format_ == Format::kJson) Print("[");
  }

  void Add(const std::string& name, const std::string& path, const v1::Stat& stat) {
    if (format_ == Format::kJson) {
      const Json node = {{"name", model::LastName(path)}, {"path", path}, {"stat", StatJson(stat)}};
      Print(absl::StrCat(any_ ? ",\n " : "", Line(node)));
    } else if (!long_form_) {
      Print(name + "\n");
    } else {
      table_.Add({absl::StrCat(stat.version()), absl::StrCat(stat.children_count()),
                  absl::StrCat(stat.data_length()), TimeText(stat.mtime_ms()),
                  stat.ephemeral_owner() == 0 ? "-" : absl::StrCat(stat.ephemeral_owner()), name});
    }
    any_ = true;
  }

  void Finish() {
    if (format_ == Format::kJson) {
      Print("]\n");
    } else if (!table_.empty()) {
      Print(table_.Render(format_));
    }
  }

 private:
  const Format format_;
  const bool long_form_;
  bool any_ = false;
  Table table_{
      {{"VERSION", true}, {"CHILDREN", true}, {"BYTES", true}, {"MODIFIED"}, {"OWNER"}, {"NAME"}}};
};

absl::Status ListChildren(Connection* connection, const LsOptions& options, bool with_stat,
                          Format format) {
  v1::ListRequest request;
  request.set_path(options.path);
  request.set_with_stat(with_stat);
  std::optional<Listing> listing;
  do {
    v1::ListResponse response;
    PANDO_RETURN_IF_ERROR(
        connection->Call(CallKind::kRead, &v1::TreeService::Stub::List, request, &response));
    // Not before the first page: a path that is refused prints nothing.
    if (!listing) listing.emplace(format, options.long_form);
    for (const v1::ListEntry& entry : response.entries()) {
      listing->Add(entry.name(), model::JoinPath(options.path, entry.name()), entry.stat());
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  listing->Finish();
  return absl::OkStatus();
}

absl::Status ListSubtree(Connection* connection, const LsOptions& options, Format format) {
  v1::WalkRequest request;
  request.set_path(options.path);
  request.set_without_data(true);
  std::vector<v1::WalkEntry> entries;
  PANDO_RETURN_IF_ERROR(Walk(connection, request, [&](const v1::WalkEntry& entry) {
    entries.push_back(entry);
    return absl::OkStatus();
  }));
  std::sort(entries.begin(), entries.end(), [](const v1::WalkEntry& a, const v1::WalkEntry& b) {
    return PathBefore(a.path(), b.path());
  });
  Listing listing(format, options.long_form);
  for (const v1::WalkEntry& entry : entries) {
    if (entry.path() != options.path) listing.Add(entry.path(), entry.path(), entry.stat());
  }
  listing.Finish();
  return absl::OkStatus();
}

absl::Status Ls(const Globals& globals, const LsOptions& options) {
  Connection connection = globals.Connect();
  const Format format = globals.FormatOr(Format::kTable);
  if (options.recursive) return ListSubtree(&connection, options, format);
  const bool with_stat = options.long_form || format == Format::kJson;
  return ListChildren(&connection, options, with_stat, format);
}

}  // namespace

void AddLs(CommandLine* line) {
  const auto options = std::make_shared<LsOptions>();
  CLI::App* command =
      AddCommand(line, &line->app, "ls", "List the children of a node, in the order of their names",
                 [line, options] { return Ls(line->globals, *options); });
  command->add_option("PATH", options->path, "The parent (default /)");
  command->add_flag("-l", options->long_form, "With version, children, size, time and owner");
  command->add_flag("-R", options->recursive, "All below, as whole paths, at one revision");
}

}  // namespace pando::cli
