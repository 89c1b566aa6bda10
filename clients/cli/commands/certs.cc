#include "cli/certs/certs.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

absl::Status Certs(const CertsOptions& options) {
  PANDO_RETURN_IF_ERROR(MakeCerts(options));
  const std::string& dir = options.dir;
  const std::string client = options.clients.empty() ? "client" : options.clients.front();
  Print(absl::StrCat("Servers:\n  pandod --tls-cert ", dir, "/server.crt --tls-key ", dir,
                     "/server.key --tls-client-ca ", dir, "/ca.crt \\\n         --peer-tls-cert ",
                     dir, "/server.crt --peer-tls-key ", dir, "/server.key --peer-tls-ca ", dir,
                     "/ca.crt …\nClients:\n  export PANDO_TLS_CA=", dir,
                     "/ca.crt PANDO_TLS_CERT=", dir, "/", client, ".crt PANDO_TLS_KEY=", dir, "/",
                     client, ".key\nFor a try-out: whoever has ca.key can be anybody.\n"));
  return absl::OkStatus();
}

}  // namespace

void AddCerts(CommandLine* line) {
  const auto options = std::make_shared<CertsOptions>();
  CLI::App* command =
      AddCommand(line, &line->app, "certs",
                 "Make a CA, and certificates of servers and clients, to try TLS with",
                 [options] { return Certs(*options); });
  command->add_option("DIR", options->dir, "Where; a CA that is there is used again")->required();
  command->add_option("HOST", options->hosts,
                      "Names and addresses of the servers, besides localhost, 127.0.0.1 and ::1");
  command
      ->add_option("--client", options->clients,
                   "A client's name, for NAME.crt and NAME.key (default client); may be repeated")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command->add_option("--days", options->days, "How long they are valid (default 365)")
      ->type_name("N");
}

}  // namespace pando::cli
