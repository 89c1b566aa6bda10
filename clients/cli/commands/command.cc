#include "cli/commands/command.h"

#include <charconv>
#include <map>
#include <utility>

#include "cli/commands/bench.h"
#include "cli/credentials.h"
#include "cli/duration.h"

namespace pando::cli {
namespace {

const std::map<std::string, Format> kFormats = {
    {"table", Format::kTable}, {"json", Format::kJson}, {"raw", Format::kRaw}};

constexpr char kFooter[] = R"(
Exit status: 0 done; 1 refused by the server, or by the local disk; 2 wrong usage; 69 no server
answered within --timeout; 75 the answer was lost, and the write may have been applied.

Servers: one of --endpoints is used at a time. One that refuses, cannot serve or is of another
cluster is left for the next at once; one that is silent, after 1 s of a connect, its share of
--timeout of a call, or 15 s of a stream. A watch, an import and a session go on where they were. A
write whose answer was lost is not sent again, because it may have been applied.)";

// What ClusterIdText writes.
std::optional<uint64_t> ParseClusterId(const std::string& text) {
  uint64_t id = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (problem != std::errc() || end != text.data() + text.size() || id == 0) return std::nullopt;
  return id;
}

std::string CheckClusterId(const std::string& text) {
  return ParseClusterId(text) ? ""
                              : "'" + text + "' is no cluster id: those are 16 hexadecimal digits";
}

std::string CheckDuration(const std::string& text) {
  return std::string(ParseDuration(text).status().message());
}

std::string CheckCredentials(const std::string& file) {
  return std::string(ReadCredentials(file).status().message());
}

}  // namespace

CommandLine::CommandLine() {
  app.require_subcommand(1);
  app.fallthrough();  // global options may come after the command
  app.footer(kFooter);
  app.set_version_flag("--version", "pando " PANDO_VERSION);

  app.add_option("--endpoints", globals.endpoints,
                 "Servers, HOST:PORT each, separated by commas (default: those of `pando dev`, "
                 "127.0.0.1:7400, 7410 and 7420)")
      ->delimiter(',')
      ->allow_extra_args(false)  // what follows the list is no endpoint
      ->envname("PANDO_ENDPOINTS")
      ->check(CheckEndpoint, "HOST:PORT,...");
  app.add_option_function<std::string>(
         "--cluster", [this](const std::string& text) { globals.cluster = *ParseClusterId(text); },
         "The cluster that is meant, as `pando status` shows it (default: of whoever answers)")
      ->envname("PANDO_CLUSTER")
      ->check(CheckClusterId, "ID");
  AddDuration(&app, "--timeout", &globals.timeout,
              "How long to look for a server that answers (default 10s)")
      ->envname("PANDO_TIMEOUT");
  app.add_flag("--tls", globals.tls.asked,
               "Speak TLS, and trust the CAs that this system trusts; each of the next does, too");
  const auto add_file = [this](const char* name, const char* variable, std::string* to,
                               const char* description) {
    app.add_option(name, *to, description)->envname(variable)->type_name("FILE");
  };
  add_file("--tls-ca", "PANDO_TLS_CA", &globals.tls.files.ca,
           "PEM certificates of the CAs that servers are trusted by");
  add_file("--tls-cert", "PANDO_TLS_CERT", &globals.tls.files.certificate,
           "PEM certificate of this client, for servers that demand one");
  add_file("--tls-key", "PANDO_TLS_KEY", &globals.tls.files.key, "PEM private key of --tls-cert");
  app.add_option("--tls-server-name", globals.tls.server_name,
                 "The name that a server's certificate must have (default: its host in "
                 "--endpoints)")
      ->envname("PANDO_TLS_SERVER_NAME")
      ->type_name("NAME");
  app.add_option("--min-revision", globals.min_revision,
                 "Reads wait until their server has applied this revision")
      ->check(CLI::NonNegativeNumber)
      ->type_name("REV");
  app.add_flag("--linearizable", globals.linearizable,
               "Reads see all that was committed on any server when they were asked");
  app.add_option("--auth", globals.credentials,
                 "Who you are: digest:USER:PASSWORD; others see a command line, so rather "
                 "--auth-file; may be given several times")
      ->allow_extra_args(false)
      ->envname("PANDO_AUTH")
      ->type_name("CREDENTIAL");
  app.add_option_function<std::string>(
         "--auth-file",
         [this](const std::string& file) {
           const auto credentials = ReadCredentials(file);
           globals.credentials.insert(globals.credentials.end(), credentials->begin(),
                                      credentials->end());
         },
         "The same from FILE, a line each")
      ->envname("PANDO_AUTH_FILE")
      ->check(CheckCredentials, "FILE");
  app.add_option_function<std::string>(
         "-o,--output", [this](const std::string& name) { globals.format = kFormats.at(name); },
         "How to print: table, json or raw")
      ->check(CLI::IsMember({"table", "json", "raw"}));

  AddLs(this);
  AddTree(this);
  AddGet(this);
  AddStat(this);
  AddSet(this);
  AddCreate(this);
  AddRm(this);
  AddWatch(this);
  AddTxn(this);
  AddImport(this);
  AddExport(this);
  AddAcl(this);
  AddWhoAmI(this);
  AddLock(this);
  AddElect(this);
  AddSession(this);
  AddMember(this);
  AddLeader(this);
  AddSnapshot(this);
  AddStatus(this);
  AddHealth(this);
  AddDev(this);
  AddBench(this);
  AddCerts(this);
  AddCompletion(this);
}

std::string CheckEndpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  const bool good = colon != std::string::npos && colon > 0 && colon + 1 < text.size();
  return good ? "" : "'" + text + "' is not HOST:PORT";
}

CLI::App* AddCommand(CommandLine* line, CLI::App* parent, const std::string& name,
                     const std::string& description, std::function<absl::Status()> run) {
  CLI::App* command = parent->add_subcommand(name, description);
  command->callback([line, run = std::move(run)] { line->run = run; });
  return command;
}

CLI::Option* AddDuration(CLI::App* command, const std::string& name,
                         std::optional<std::chrono::milliseconds>* value,
                         const std::string& description) {
  return command
      ->add_option_function<std::string>(
          name, [value](const std::string& text) { *value = *ParseDuration(text); }, description)
      ->check(CheckDuration, "TIME");
}

}  // namespace pando::cli
