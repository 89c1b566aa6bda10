#include "tls/watcher.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pando::tls {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class WatcherTest : public testing::Test {
 protected:
  WatcherTest() {
    fs::create_directories(dir_);
    Put("alice.crt", "own.crt");
    Put("alice.key", "own.key");
    Put("root.crt", "ca.crt");
  }
  ~WatcherTest() override { fs::remove_all(dir_); }

  void Put(const std::string& from, const std::string& to) {
    fs::copy_file(fs::path(PANDO_TESTDATA) / from, dir_ / to, fs::copy_options::overwrite_existing);
  }
  void Write(const std::string& to, const std::string& text) { std::ofstream(dir_ / to) << text; }
  Files files() const { return {dir_ / "own.crt", dir_ / "own.key", dir_ / "ca.crt"}; }
  std::string LoadError() const { return std::string(Load(files()).status().message()); }

  std::unique_ptr<Watcher> Start() {
    Watcher::Options options;
    options.name = "test";
    options.files = files();
    options.interval = std::chrono::hours(1);  // Reload is called by the test
    options.now = [] { return base::WallTime{int64_t{1'800'000'000} * 1000}; };
    options.on_change = [this](const Material& m) { changes_.push_back(m.own.subject); };
    auto started = Watcher::Start(std::move(options));
    EXPECT_TRUE(started.ok()) << started.status();
    return *std::move(started);
  }

  const fs::path dir_ = fs::path(testing::TempDir()) / ("tls_" + std::to_string(getpid()));
  std::vector<std::string> changes_;
};

TEST_F(WatcherTest, EveryFileThatCannotBeUsedIsNamed) {
  EXPECT_EQ(LoadError(), "");
  Put("service.key", "own.key");
  EXPECT_THAT(LoadError(), HasSubstr("own.key is not the key of the certificate in"));
  Put("locked.key", "own.key");
  EXPECT_THAT(LoadError(), HasSubstr("own.key: it wants a passphrase"));
  Put("alice.crt", "own.key");
  EXPECT_THAT(LoadError(), HasSubstr("own.key: no PEM private key"));
  Put("alice.key", "own.key");
  Write("ca.crt", "");
  EXPECT_THAT(LoadError(), HasSubstr("ca.crt: no PEM certificate"));
  fs::remove(dir_ / "ca.crt");
  EXPECT_THAT(LoadError(), HasSubstr("ca.crt: No such file or directory"));
}

TEST_F(WatcherTest, TakesWhatHasChanged) {
  const auto watcher = Start();
  EXPECT_FALSE(watcher->Reload());
  Put("service.crt", "own.crt");
  Put("service.key", "own.key");
  EXPECT_TRUE(watcher->Reload());
  EXPECT_EQ(watcher->current()->own.subject, "CN=service,O=Test");
  EXPECT_FALSE(watcher->Reload());
  Put("other.crt", "ca.crt");
  EXPECT_TRUE(watcher->Reload());
  EXPECT_EQ(changes_, std::vector<std::string>(2, "CN=service,O=Test"));
}

TEST_F(WatcherTest, KeepsWhatWasGoodWhileTheFilesAreNot) {
  const auto watcher = Start();
  Put("service.key", "own.key");
  EXPECT_FALSE(watcher->Reload());
  Write("own.key", "half");
  EXPECT_FALSE(watcher->Reload());
  fs::remove(dir_ / "own.key");
  EXPECT_FALSE(watcher->Reload());
  EXPECT_EQ(watcher->current()->own.subject, "CN=alice,O=Test");
  EXPECT_TRUE(changes_.empty());
  Put("service.key", "own.key");
  Put("service.crt", "own.crt");
  EXPECT_TRUE(watcher->Reload());
  EXPECT_EQ(watcher->current()->own.subject, "CN=service,O=Test");
}

TEST_F(WatcherTest, DoesNotStartOnFilesThatAreNotGood) {
  Put("service.key", "own.key");
  Watcher::Options options;
  options.files = files();
  options.now = [] { return base::WallTime{}; };
  EXPECT_FALSE(Watcher::Start(std::move(options)).ok());
}

}  // namespace
}  // namespace pando::tls
