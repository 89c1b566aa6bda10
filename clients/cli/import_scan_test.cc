#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/import.h"

namespace pando::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A folder to import. A listing has a line an entry: its node, and "/" after that of a folder.
class ImportScan : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pando-scan-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void File(const std::string& name) { std::ofstream(folder_ / name) << "x"; }
  void Folder(const std::string& name) { fs::create_directories(folder_ / name); }

  std::vector<std::string> Scan(const std::string& node) {
    const auto entries = ScanFolder(folder_.string(), node, &skipped_);
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<std::string> listing;
    if (!entries.ok()) return listing;
    for (const ImportEntry& entry : *entries) {
      EXPECT_EQ(entry.is_folder, fs::is_directory(entry.file)) << entry.file;
      listing.push_back(entry.node + (entry.is_folder ? " /" : ""));
    }
    return listing;
  }

  // "path: reason" of all that was skipped.
  std::vector<std::string> Skipped() const {
    std::vector<std::string> lines;
    for (const auto& skipped : skipped_.all())
      lines.push_back(skipped.path + ": " + skipped.reason);
    return lines;
  }

  fs::path folder_;
  SkippedPaths skipped_;
};

TEST_F(ImportScan, AFolderComesBeforeWhatIsInItInTheOrderOfNames) {
  File("b");
  Folder("a/empty");
  File("a/.hidden");
  File("a/with blank");
  File("ü");
  EXPECT_THAT(Scan("/top/node"), ElementsAre("/top/node /", "/top/node/a /", "/top/node/a/.hidden",
                                             "/top/node/a/empty /", "/top/node/a/with blank",
                                             "/top/node/b", "/top/node/ü"));
  EXPECT_THAT(Skipped(), IsEmpty());
}

TEST_F(ImportScan, TheRootIsATargetToo) {
  File("a");
  EXPECT_THAT(Scan("/"), ElementsAre("/ /", "/a"));
}

TEST_F(ImportScan, SymlinksAndSpecialFilesAreSkippedAndSaid) {
  Folder("real");
  fs::create_directory_symlink("real", folder_ / "to-folder");
  fs::create_symlink("missing", folder_ / "to-nothing");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(Scan("/n"), ElementsAre("/n /", "/n/real /"));
  EXPECT_THAT(Skipped(),
              ElementsAre("fifo: a special file", "to-folder: a symlink", "to-nothing: a symlink"));
}

TEST_F(ImportScan, NamesThatNoPathCanHoldAreSkippedWithAllBelow) {
  Folder("control\x01");
  File("control\x01/below");
  File("not-utf8\xff");
  File("astral\U0001F333");
  File("good");
  EXPECT_THAT(Scan("/n"), ElementsAre("/n /", "/n/good"));
  EXPECT_THAT(Skipped(), ElementsAre(HasSubstr("astral"), HasSubstr("control\x01: "),
                                     HasSubstr("not-utf8\xff: ")));
}

TEST_F(ImportScan, PathsOverTheLimitAreSkipped) {
  // One byte is left for a name below `node`, after its slash.
  std::string node;
  while (node.size() + 1'001 < 4'096 - 2) node += "/" + std::string(1'000, 'n');
  node += "/" + std::string(4'096 - 2 - 1 - node.size(), 'n');
  ASSERT_EQ(node.size(), 4'094u);
  File("a");
  File("bb");
  EXPECT_THAT(Scan(node), ElementsAre(node + " /", node + "/a"));
  EXPECT_THAT(Skipped(), ElementsAre(HasSubstr("bb: ")));
}

TEST_F(ImportScan, AWrongCommandLineIsRefused) {
  File("file");
  EXPECT_TRUE(absl::IsInvalidArgument(
      ScanFolder((folder_ / "missing").string(), "/n", &skipped_).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(ScanFolder((folder_ / "file").string(), "/n", &skipped_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ScanFolder(folder_.string(), "n", &skipped_).status()));
}

}  // namespace
}  // namespace pando::cli
