#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/import.h"
#include "cli/output.h"
#include "model/path.h"

namespace pando::cli {
namespace {

namespace fs = std::filesystem;

std::string Join(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "/" + name;
}

class Scan {
 public:
  Scan(std::vector<ImportEntry>* entries, SkippedPaths* skipped)
      : entries_(*entries), skipped_(*skipped) {}

  // REQUIRES: `folder` is an entry already. The depth of recursion is that of node paths, bounded.
  void Folder(const ImportEntry& folder) {
    for (const std::string& name : SortedNames(folder)) {
      ImportEntry entry{folder.file + "/" + name, Join(folder.relative, name),
                        model::JoinPath(folder.node, name), false};
      const std::string objection = ObjectionTo(name, entry);
      if (!objection.empty()) {
        skipped_.Add(entry.relative, objection);
        continue;
      }
      std::error_code ignored;  // what cannot be looked at has been objected to
      entry.is_folder = fs::is_directory(fs::symlink_status(entry.file, ignored));
      entries_.push_back(entry);
      if (entry.is_folder) Folder(entry);
    }
  }

 private:
  std::vector<std::string> SortedNames(const ImportEntry& folder) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator at(folder.file, error);
    while (!error && at != fs::directory_iterator()) {
      names.push_back(at->path().filename().string());
      at.increment(error);
    }
    if (error) {
      skipped_.Add(folder.relative.empty() ? "." : folder.relative,
                   absl::StrCat("cannot be read: ", error.message()));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // Why the thing is left out; "" if it is not.
  static std::string ObjectionTo(const std::string& name, const ImportEntry& entry) {
    absl::Status valid = model::ValidateName(name);
    if (valid.ok()) valid = model::ValidatePath(entry.node);
    if (!valid.ok()) return std::string(valid.message());
    std::error_code error;
    const fs::file_status status = fs::symlink_status(entry.file, error);
    switch (status.type()) {
      case fs::file_type::regular:
      case fs::file_type::directory:
        return "";
      case fs::file_type::symlink:
        return "a symlink";
      case fs::file_type::none:
      case fs::file_type::not_found:
        return absl::StrCat("cannot be read: ", error.message());
      default:
        return "a special file";
    }
  }

  std::vector<ImportEntry>& entries_;
  SkippedPaths& skipped_;
};

}  // namespace

absl::StatusOr<std::vector<ImportEntry>> ScanFolder(const std::string& folder,
                                                    const std::string& node,
                                                    SkippedPaths* skipped) {
  PANDO_RETURN_IF_ERROR(model::ValidatePath(node));
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return absl::InvalidArgumentError(absl::StrCat("there is no folder ", folder));
  }
  std::vector<ImportEntry> entries = {{folder, "", node, true}};
  Scan(&entries, skipped).Folder(ImportEntry(entries.front()));
  return entries;
}

}  // namespace pando::cli
