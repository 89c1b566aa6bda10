// Programs that are built against the installed package: README.md's quickstart and examples/cpp.
// PANDO_QUICKSTART and PANDO_EXAMPLES say where they are.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_join.h"
#include "world.h"

namespace pando::client {
namespace {

using testing::HasSubstr;

class Packages : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    setenv("PANDO_ENDPOINTS", absl::StrJoin(endpoints(), ",").c_str(), /*overwrite=*/1);
  }
};

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  EXPECT_NE(value, nullptr) << name;
  return value == nullptr ? "" : value;
}

std::string Text(const std::string& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// What it prints. It must end well.
std::string Output(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0) << output;
  return output;
}

TEST_F(Packages, Quickstart) {
  const std::string cpp = clients_dir + "/cpp";
  const std::string readme = Text(cpp + "/README.md");
  for (const char* file : {"quickstart.cc", "CMakeLists.txt"}) {
    EXPECT_THAT(readme, HasSubstr("\n" + Text(cpp + "/quickstart/" + file) + "```"));
  }
  EXPECT_EQ(Output(Variable("PANDO_QUICKSTART") + " " + absl::StrJoin(endpoints(), " ")),
            "/color green\n");
}

TEST_F(Packages, Examples) {
  Output(clients_dir + "/../examples/check cpp " + Variable("PANDO_EXAMPLES") + "/{}");
}

}  // namespace
}  // namespace pando::client
