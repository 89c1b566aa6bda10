#include "cli/export.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/walk.h"
#include "model/path.h"

namespace pando::cli {
namespace {

// A folder of that name, made if it is missing.
absl::Status MakeFolder(const std::string& path) {
  constexpr mode_t kMode = 0777;  // less the umask
  if (::mkdir(path.c_str(), kMode) == 0) return absl::OkStatus();
  const int error = errno;
  struct stat status {};
  const bool is_folder = ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  return error == EEXIST && is_folder ? absl::OkStatus()
                                      : LocalError("cannot make the folder", path, error);
}

class Exporter {
 public:
  Exporter(std::string node, std::string folder, Progress* progress, SkippedPaths* skipped)
      : node_(std::move(node)),
        folder_(std::move(folder)),
        progress_(*progress),
        skipped_(*skipped) {}

  absl::Status Take(const v1::WalkEntry& entry) {
    const std::string relative = Relative(entry.path());
    const bool is_top = relative.empty();
    const bool is_folder = is_top || !entry.has_data() || entry.stat().children_count() > 0;
    // Data of no bytes is no loss.
    if (is_folder && !entry.data().empty()) {
      skipped_.Add(is_top ? "." : relative,
                   absl::StrCat("its data (", BytesText(entry.data().size()),
                                "): it is a folder, because it has children or was named"));
    }
    if (left_out_.count(std::string(model::ParentPath("/" + relative))) > 0) {
      progress_.Step(0);
      return Skip(relative, absl::InternalError("what it lies in was skipped"));
    }
    const std::string path = is_top ? folder_ : folder_ + "/" + relative;
    const absl::Status written = is_top      ? MakeTop()
                                 : is_folder ? MakeFolder(path)
                                             : WriteRegularFile(path, entry.data());
    progress_.Step(is_folder ? 0 : entry.data().size());
    if (!written.ok()) return Skip(relative, written);
    ++(is_folder ? summary_.folders : summary_.files);
    if (!is_folder) summary_.bytes += entry.data().size();
    return absl::OkStatus();
  }

  const TransferSummary& summary() const { return summary_; }

 private:
  // The folder that the user named may be a symlink, and its parents may be missing.
  absl::Status MakeTop() {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (std::filesystem::is_directory(folder_)) return absl::OkStatus();
    return LocalError("cannot make the folder", folder_, error ? error.value() : ENOTDIR);
  }

  // Without the top folder, or with a full disk, there is nothing to go on for.
  absl::Status Skip(const std::string& relative, const absl::Status& why) {
    if (relative.empty() || absl::IsResourceExhausted(why)) return why;
    skipped_.Add(relative, std::string(why.message()));
    left_out_.insert("/" + relative);
    return absl::OkStatus();
  }

  std::string Relative(const std::string& path) const {
    if (path == node_) return "";
    return path.substr(node_ == "/" ? 1 : node_.size() + 1);
  }

  const std::string node_;
  const std::string folder_;
  Progress& progress_;
  SkippedPaths& skipped_;
  // "/" and the relative path of each node that was skipped. What lies below one is skipped too: a
  // symlink may stand in its place, and would lead out of the folder.
  std::set<std::string> left_out_;
  TransferSummary summary_;
};

}  // namespace

absl::StatusOr<TransferSummary> ExportSubtree(Connection* connection, const std::string& node,
                                              const std::string& folder, Progress* progress,
                                              SkippedPaths* skipped) {
  Exporter exporter(node, folder, progress, skipped);
  v1::WalkRequest request;
  request.set_path(node);
  PANDO_RETURN_IF_ERROR(
      Walk(connection, request, [&](const v1::WalkEntry& entry) { return exporter.Take(entry); }));
  return exporter.summary();
}

}  // namespace pando::cli
