// Runs testdata/*.txt: protocol runs, line by line, with what came of each line below it. The
// commands are in testing/transcript.h; what nothing may ever break is judged at every step
// (testing/ensemble.cc).
//
// PANDO_REWRITE=1 writes what came of each line into the files. Then read the diff: it is the
// review of what the change has changed.
#include "raft/testing/transcript.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace pando::raft {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> TranscriptNames() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(PANDO_TESTDATA)) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class TranscriptTest : public testing::TestWithParam<std::string> {};

TEST_P(TranscriptTest, IsWhatCameOfIt) {
  const std::string path = std::string(PANDO_TESTDATA "/") + GetParam() + ".txt";
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path;
  std::stringstream text;
  text << file.rdbuf();

  Transcript transcript;
  std::string actual;
  std::istringstream lines(text.str());
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (absl::StartsWith(line, "  ")) continue;  // what came of it some time
    actual += line + "\n";
    if (line.empty() || line[0] == '#') continue;
    SCOPED_TRACE(path + ":" + std::to_string(number) + ": " + line);
    for (const std::string& said : transcript.Run(line)) actual += "  " + said + "\n";
    if (HasFatalFailure()) return;
  }
  if (actual == text.str()) return;
  if (std::getenv("PANDO_REWRITE") != nullptr) {
    std::ofstream(path) << actual;
  } else {
    EXPECT_EQ(actual, text.str()) << "PANDO_REWRITE=1 rewrites " << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Testdata, TranscriptTest, testing::ValuesIn(TranscriptNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace pando::raft
