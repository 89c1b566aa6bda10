#include "server/config.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::variant<Config, Exit> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "pandod");
  return ParseConfig(static_cast<int>(words.size()), words.data());
}

// With the two flags that must be there.
Config Serve(std::vector<const char*> words = {}) {
  words.insert(words.begin(), {"--id", "1", "--data-dir", "/d"});
  const auto parsed = Parse(std::move(words));
  if (const Exit* exit = std::get_if<Exit>(&parsed)) ADD_FAILURE() << exit->text;
  return std::holds_alternative<Config>(parsed) ? std::get<Config>(parsed) : Config{};
}

std::string Refusal(std::vector<const char*> words) {
  words.insert(words.begin(), {"--id", "1", "--data-dir", "/d"});
  const auto parsed = Parse(std::move(words));
  if (std::holds_alternative<Config>(parsed)) return "accepted";
  const Exit& exit = std::get<Exit>(parsed);
  EXPECT_EQ(exit.status, 2);
  EXPECT_EQ(exit.text.find('\n'), exit.text.size() - 1) << "one line: " << exit.text;
  EXPECT_THAT(exit.text, StartsWith("pandod: "));
  return exit.text;
}

// Sets a variable for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

// A file with `text` for one test.
class TextFile {
 public:
  explicit TextFile(const std::string& text)
      : path_(testing::TempDir() + "config_test_" + std::to_string(getpid()) + ".toml") {
    std::ofstream(path_) << text;
  }
  ~TextFile() { std::remove(path_.c_str()); }
  const char* path() const { return path_.c_str(); }

 private:
  const std::string path_;
};

TEST(Config, TwoFlagsAreEnough) {
  const Config config = Serve();
  EXPECT_EQ(config.action, Config::Action::kServe);
  EXPECT_EQ(config.id, model::ServerId(1));
  EXPECT_EQ(config.data_dir, "/d");
  EXPECT_EQ(config.client.listen.ToString(), "127.0.0.1:7400");
  EXPECT_EQ(config.client.advertise, config.client.listen);
  EXPECT_EQ(config.peer.listen.ToString(), "127.0.0.1:7401");
  EXPECT_EQ(config.http.listen.ToString(), "127.0.0.1:7402");
  EXPECT_EQ(config.zookeeper.listen.ToString(), "127.0.0.1:7403");
  EXPECT_EQ(config.zookeeper_words,
            (std::vector<zookeeper::Word>{zookeeper::Word::kSrvr, zookeeper::Word::kIsro}));
  EXPECT_FALSE(config.zookeeper_reconfig);
  EXPECT_EQ(config.zookeeper_reply_bytes, 0xfffffu);
  const std::vector<InitialMember> alone = {{model::ServerId(1), {"127.0.0.1", 7401}}};
  EXPECT_EQ(config.initial_cluster, alone);
  EXPECT_EQ(config.value_bytes_max, model::kValueBytesDefault);
  EXPECT_EQ(config.store_interval, std::chrono::milliseconds(500));
  EXPECT_EQ(config.watch_no_leader, std::chrono::seconds(5));
}

TEST(Config, AFlagWinsOverAVariableAndThatOverTheFile) {
  const TextFile file("data-dir = \"/file\"\nmax-value-bytes = \"3KiB\"\nchanges-age = \"3m\"\n");
  const Variable config_variable("PANDO_CONFIG", file.path());
  const Variable dir("PANDO_DATA_DIR", "/variable");
  const Variable value("PANDO_MAX_VALUE_BYTES", "2KiB");
  const auto parsed = Parse({"--id", "1", "--data-dir", "/flag"});
  ASSERT_TRUE(std::holds_alternative<Config>(parsed)) << std::get<Exit>(parsed).text;
  const Config& config = std::get<Config>(parsed);
  EXPECT_EQ(config.data_dir, "/flag");
  EXPECT_EQ(config.value_bytes_max, 2048u);
  EXPECT_EQ(config.changes_age, std::chrono::minutes(3));
}

TEST(Config, EveryFlagHasAVariableOfItsName) {
  for (const FlagHelp& flag : ListFlags()) {
    if (flag.variable.empty()) continue;
    // No other flag takes this, so a refusal that names the flag shows that the variable was read.
    if (flag.name == "data-dir" || flag.name == "id" || flag.name == "audit-log") continue;
    const Variable variable(flag.variable.c_str(), "\x01");
    EXPECT_THAT(Refusal({}), HasSubstr("--" + flag.name)) << flag.variable;
  }
}

TEST(Config, TlsWantsAllThatBelongsTogether) {
  const Config config =
      Serve({"--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "a", "--http-tls-client-ca",
             "h", "--peer-tls-cert", "pc", "--peer-tls-key", "pk", "--peer-tls-ca", "pa"});
  EXPECT_EQ(config.client_tls, (tls::Files{"c", "k", "a"}));
  EXPECT_EQ(config.http_tls(), (tls::Files{"c", "k", "h"}));
  EXPECT_EQ(config.peer_tls, (tls::Files{"pc", "pk", "pa"}));
  EXPECT_THAT(Refusal({"--tls-cert", "c"}), HasSubstr("--tls-cert and --tls-key"));
  EXPECT_THAT(Refusal({"--tls-key", "k"}), HasSubstr("--tls-cert and --tls-key"));
  EXPECT_THAT(Refusal({"--tls-client-ca", "a"}), HasSubstr("--tls-client-ca needs --tls-cert"));
  EXPECT_THAT(Refusal({"--http-tls-client-ca", "a"}), HasSubstr("--http-tls-client-ca needs"));
  EXPECT_THAT(Refusal({"--listen-zookeeper-tls", "a:1"}),
              HasSubstr("--listen-zookeeper-tls needs --tls-cert"));
  EXPECT_THAT(Refusal({"--peer-tls-cert", "c", "--peer-tls-key", "k"}), HasSubstr("all three"));
  EXPECT_THAT(Refusal({"--peer-tls-ca", "a"}), HasSubstr("all three"));
}

TEST(Config, TheFileMayNotNameWhatIsNoFlag) {
  const TextFile file("data-dirs = \"/d\"\n");
  EXPECT_THAT(Refusal({"--config", file.path()}), HasSubstr("data-dirs"));
  EXPECT_THAT(Refusal({"--config", "/nowhere/pando.toml"}), HasSubstr("/nowhere/pando.toml"));
}

TEST(Config, WhatIsMissingIsNamed) {
  const auto no_id = Parse({"--data-dir", "/d"});
  EXPECT_THAT(std::get<Exit>(no_id).text, HasSubstr("--id is missing"));
  const auto no_dir = Parse({"--id", "1"});
  EXPECT_THAT(std::get<Exit>(no_dir).text, HasSubstr("--data-dir is missing"));
}

TEST(Config, EveryRefusalNamesTheFlagAndSaysWhatIsWanted) {
  const struct {
    std::vector<const char*> words;
    const char* expected;
  } cases[] = {
      {{"--id", "0"}, "--id '0': must be 1 to 65535"},
      {{"--id", "65536"}, "--id '65536': must be 1 to 65535"},
      {{"--id", "one"}, "--id 'one': expected a whole number"},
      {{"--listen-client", "7400"}, "--listen-client '7400': expected HOST:PORT"},
      {{"--listen-http", "127.0.0.1:7400"}, "--listen-client and --listen-http are both"},
      {{"--listen-zookeeper-tls", "127.0.0.1:7403", "--tls-cert", "c", "--tls-key", "k"},
       "--listen-zookeeper and --listen-zookeeper-tls are both"},
      {{"--advertise-client", "0.0.0.0:7400"}, "others cannot reach this"},
      {{"--initial-cluster", "127.0.0.1:7401"}, "expected ID=HOST:PORT"},
      {{"--initial-cluster", "2=127.0.0.1:7401"}, "does not name --id 1: add 1=127.0.0.1:7401"},
      {{"--initial-cluster", "1=a:1,1=b:1"}, "names an id twice"},
      {{"--initial-cluster", "1=a:1,2=a:1"}, "names an address twice"},
      {{"--initial-cluster", "1=a:1", "--advertise-peer", "b:1"}, "make them the same"},
      {{"--initial-cluster", "1=0.0.0.0:1"}, "nobody can be reached at a wildcard"},
      {{"--initial-cluster", "1=a:1,2=a:2,3=a:3,4=a:4,5=a:5,6=a:6,7=a:7,8=a:8,9=a:9,10=a:10"},
       "at most 9 voters"},
      {{"--join", "a"}, "--join 'a': expected HOST:PORT"},
      {{"--join", "a:1,a:1"}, "names an address twice"},
      {{"--join", "[::]:1"}, "nobody can be reached at a wildcard"},
      {{"--join", "a:1,127.0.0.1:7401"}, "this server itself"},
      {{"--join", "a:1", "--initial-cluster", "1=a:2"}, "not both"},
      {{"--max-value-bytes", "0"}, "must be 1B to 2MiB"},
      {{"--max-value-bytes", "2097153"}, "must be 1B to 2MiB"},
      {{"--wal-segment-bytes", "1KiB"}, "--wal-segment-bytes '1KiB': must be"},
      {{"--changes-age", "5"}, "expected a duration like 500ms"},
      {{"--changes-age", "999ms"}, "must be 1s to 365d"},
      {{"--store-interval", "0s"}, "must be 1ms to 1m"},
      {{"--log-format", "xml"}, "must be text or json"},
      {{"--log-level", "loud"}, "must be debug, info, warning or error"},
      {{"--check", "/a", "--recover", "/b"}, "not both"},
      {{"--no-such-flag"}, "--no-such-flag"},
      {{"word"}, "word"},
      {{"--data-dir"}, "--data-dir"},
  };
  for (const auto& c : cases) EXPECT_THAT(Refusal(c.words), HasSubstr(c.expected));
}

TEST(Config, LimitsHoldAtTheirEnds) {
  EXPECT_EQ(Serve({"--max-value-bytes", "2MiB"}).value_bytes_max, model::kValueBytesHardMax);
  EXPECT_EQ(Serve({"--max-value-bytes", "1"}).value_bytes_max, 1u);
  EXPECT_EQ(Serve({"--changes-age", "1s"}).changes_age, std::chrono::seconds(1));
  EXPECT_EQ(Serve({"--disk-reserve", "0"}).disk_reserve_bytes, 0u);
  EXPECT_EQ(Serve({"--id", "65535"}).id, model::ServerId(65535));
}

TEST(Config, AServerThatListensEverywhereIsToldByItsName) {
  const Config config = Serve({"--listen-client", "0.0.0.0:9000", "--listen-peer", "[::]:9001"});
  EXPECT_FALSE(config.client.advertise.is_wildcard());
  EXPECT_EQ(config.client.advertise.port, 9000);
  EXPECT_FALSE(config.initial_cluster.front().peer.is_wildcard());
  const Config told = Serve({"--listen-client", "0.0.0.0:9000", "--advertise-client", "a.b:1"});
  EXPECT_EQ(told.client.advertise.ToString(), "a.b:1");
}

TEST(Config, TheInitialClusterSaysHowPeersReachThisServer) {
  const Config config = Serve({"--initial-cluster", "1=pando-0.pando:7401"});
  EXPECT_EQ(config.peer.advertise.ToString(), "pando-0.pando:7401");
  EXPECT_EQ(config.peer.listen.ToString(), "127.0.0.1:7401");
}

TEST(Config, TheInitialClusterIsTakenById) {
  const Config config = Serve({"--initial-cluster", "3=c:1,1=a:1,2=b:1"});
  const std::vector<InitialMember> three = {{model::ServerId(1), {"a", 1}},
                                            {model::ServerId(2), {"b", 1}},
                                            {model::ServerId(3), {"c", 1}}};
  EXPECT_EQ(config.initial_cluster, three);
  EXPECT_EQ(config.peer.advertise.ToString(), "a:1");
  EXPECT_EQ(Serve({"--initial-cluster", "1=a:1,2=a:2,3=a:3,4=a:4,5=a:5,6=a:6,7=a:7,8=a:8,9=a:9"})
                .initial_cluster.size(),
            model::kVotersMax);
}

TEST(Config, AServerThatJoinsFormsNothing) {
  const Config config = Serve({"--join", "b:1,a:1"});
  const std::vector<Address> asked = {{"b", 1}, {"a", 1}};
  EXPECT_EQ(config.join, asked);
  EXPECT_TRUE(config.initial_cluster.empty());
  EXPECT_EQ(config.peer.advertise.ToString(), "127.0.0.1:7401");
}

TEST(Config, AnOfflineActionNeedsOnlyItsDir) {
  const auto check = Parse({"--check", "/data"});
  ASSERT_TRUE(std::holds_alternative<Config>(check));
  EXPECT_EQ(std::get<Config>(check).action, Config::Action::kCheck);
  EXPECT_EQ(std::get<Config>(check).data_dir, "/data");
  const auto recover = Parse({"--recover", "/data"});
  EXPECT_EQ(std::get<Config>(recover).action, Config::Action::kRecover);
}

TEST(Config, ARestoreNeedsAServerAndItsDir) {
  const Config config = Serve({"--restore", "/backup", "--restore-above", "70"});
  EXPECT_EQ(config.action, Config::Action::kRestore);
  EXPECT_EQ(config.restore_file, "/backup");
  EXPECT_EQ(config.restore_above, model::Revision(70));
  EXPECT_EQ(config.data_dir, "/d");
  EXPECT_EQ(config.id, model::ServerId(1));
  EXPECT_THAT(Refusal({"--restore", "/backup", "--recover", "/d"}), HasSubstr("neither"));
  EXPECT_THAT(Refusal({"--restore", "/backup", "--restore-above", "x"}), HasSubstr("revision"));
  EXPECT_TRUE(std::holds_alternative<Exit>(Parse({"--restore", "/backup", "--id", "1"})));
  EXPECT_TRUE(std::holds_alternative<Exit>(Parse({"--restore", "/backup", "--data-dir", "/d"})));
}

TEST(Config, HelpAndVersionAreNoErrors) {
  const auto help = Parse({"--help"});
  EXPECT_EQ(std::get<Exit>(help).status, 0);
  for (const FlagHelp& flag : ListFlags()) {
    EXPECT_THAT(std::get<Exit>(help).text, HasSubstr("--" + flag.name));
    EXPECT_THAT(std::get<Exit>(help).text, HasSubstr(flag.default_value));
  }
  const auto version = Parse({"--version"});
  EXPECT_EQ(std::get<Exit>(version).status, 0);
  EXPECT_THAT(std::get<Exit>(version).text, StartsWith("pandod "));
}

}  // namespace
}  // namespace pando::server
