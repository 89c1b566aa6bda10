// Who may do what with a node; and whom the server takes us for.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acl/digest.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "base/status.h"
#include "cli/acl_text.h"
#include "cli/commands/command.h"
#include "cli/files.h"
#include "cli/walk.h"
#include "model/limits.h"

namespace pando::cli {
namespace {

using Stub = v1::TreeService::Stub;

struct AclOptions {
  std::string path;
  std::vector<std::string> entries;
  std::optional<int64_t> version;
  bool recursive = false;
  bool dry_run = false;
};

Json AclJson(const model::Acl& acl) {
  Json entries = Json::array();
  for (const model::AclEntry& entry : acl) entries.push_back(AclEntryText(entry));
  return entries;
}

// --- get --------------------------------------------------------------------------------------

// Gives `take` each node that the options name, with its ACL.
absl::Status ForEach(Connection* connection, const AclOptions& options,
                     const std::function<void(const std::string& path, const model::Acl&)>& take) {
  if (!options.recursive) {
    v1::GetAclRequest request;
    request.set_path(options.path);
    v1::GetAclResponse response;
    PANDO_RETURN_IF_ERROR(connection->Call(CallKind::kRead, &Stub::GetAcl, request, &response));
    take(options.path, ToModel(response.acl()));
    return absl::OkStatus();
  }
  v1::WalkRequest request;
  request.set_path(options.path);
  request.set_without_data(true);
  request.set_with_acl(true);
  return Walk(connection, request, [&take](const v1::WalkEntry& node) {
    take(node.path(), ToModel(node.acl()));
    return absl::OkStatus();
  });
}

absl::Status Get(const Globals& globals, const AclOptions& options) {
  Connection connection = globals.Connect();
  const bool json = globals.FormatOr(Format::kTable) == Format::kJson;
  return ForEach(&connection, options, [&](const std::string& path, const model::Acl& acl) {
    if (json) {
      Print(Line({{"path", path}, {"acl", AclJson(acl)}}) + "\n");
    } else if (options.recursive) {
      Print(absl::StrCat(path, "\t", AclText(acl), "\n"));
    } else {
      for (const model::AclEntry& entry : acl) Print(AclEntryText(entry) + "\n");
    }
  });
}

// --- set --------------------------------------------------------------------------------------

absl::StatusOr<model::Acl> Parse(const std::vector<std::string>& entries) {
  model::Acl acl;
  for (const std::string& text : entries) {
    absl::StatusOr<model::AclEntry> entry = ParseAclEntry(text);
    if (!entry.ok()) return entry.status();
    acl.push_back(*std::move(entry));
  }
  return acl;
}

absl::Status Set(const Globals& globals, const AclOptions& options) {
  const absl::StatusOr<model::Acl> acl = Parse(options.entries);
  if (!acl.ok()) return acl.status();
  v1::SetAclRequest request;
  request.set_path(options.path);
  ToProto(*acl, request.mutable_acl());
  request.set_recursive(options.recursive);
  if (options.version) request.set_expected_acl_version(*options.version);
  Connection connection = globals.Connect();
  v1::SetAclResponse response;
  PANDO_RETURN_IF_ERROR(connection.Call(CallKind::kWrite, &Stub::SetAcl, request, &response));
  if (globals.FormatOr(Format::kTable) == Format::kJson) {
    Print(Line({{"path", options.path}, {"stat", StatJson(response.stat())}}) + "\n");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<model::Identity>> AskWhoWeAre(Connection* connection,
                                                         bool* administrator) {
  v1::WhoAmIResponse response;
  PANDO_RETURN_IF_ERROR(
      connection->Call(CallKind::kRead, &Stub::WhoAmI, v1::WhoAmIRequest(), &response));
  std::vector<model::Identity> identities;
  for (const v1::Identity& identity : response.identities()) {
    identities.push_back(ToModel(identity));
  }
  *administrator = response.administrator();
  return identities;
}

// What Set would do, as far as the nodes may be read.
absl::Status SetDry(const Globals& globals, const AclOptions& options) {
  const absl::StatusOr<model::Acl> asked = Parse(options.entries);
  if (!asked.ok()) return asked.status();
  Connection connection = globals.Connect();
  bool administrator = false;
  const auto identities = AskWhoWeAre(&connection, &administrator);
  if (!identities.ok()) return identities.status();
  model::Acl acl;
  if (const model::Error error = acl::Resolve(*asked, *identities, &acl); !error.ok()) {
    return absl::InvalidArgumentError(error.detail);
  }

  const Format format = globals.FormatOr(Format::kTable);
  int64_t changed = 0, denied = 0;
  Table table({{"PATH"}, {"WOULD BE"}, {"IS"}});
  const auto take = [&](const std::string& path, const model::Acl& is) {
    const bool may = acl::Allows(is, model::kAdmin, *identities);
    if (may && is == acl) return;
    ++(may ? changed : denied);
    if (format == Format::kJson) {
      Print(Line({{"path", path},
                  {"change", may ? "changed" : "denied"},
                  {"acl", AclJson(acl)},
                  {"acl_now", AclJson(is)}}) +
            "\n");
    } else {
      table.Add({path, may ? AclText(acl) : "denied: no ADMIN", AclText(is)});
    }
  };
  PANDO_RETURN_IF_ERROR(ForEach(&connection, options, take));
  if (format == Format::kJson) return absl::OkStatus();
  if (!table.empty()) Print(table.Render(format));
  Note(absl::StrCat("nothing was done; of ", changed, " nodes the ACL would change",
                    denied == 0 ? "" : absl::StrCat(", and ", denied, " refuse, so all would"),
                    " (nodes that you may not read are not shown)"));
  return absl::OkStatus();
}

// --- whoami and digest ------------------------------------------------------------------------

absl::Status WhoAmI(const Globals& globals) {
  Connection connection = globals.Connect();
  bool administrator = false;
  const auto identities = AskWhoWeAre(&connection, &administrator);
  if (!identities.ok()) return identities.status();
  if (globals.FormatOr(Format::kTable) == Format::kJson) {
    Json rows = Json::array();
    for (const model::Identity& identity : *identities) {
      rows.push_back(absl::StrCat(identity.scheme, ":", identity.id));
    }
    Print(Line({{"identities", rows}, {"administrator", administrator}}) + "\n");
    return absl::OkStatus();
  }
  for (const model::Identity& identity : *identities) {
    Print(absl::StrCat(identity.scheme, ":", identity.id, "\n"));
  }
  Note(administrator ? "administrator: yes" : "administrator: no");
  return absl::OkStatus();
}

absl::Status PrintDigest(const std::string& user) {
  absl::StatusOr<std::string> input = ReadInput("-", model::kIdentityBytesMax);
  if (!input.ok()) return input.status();
  absl::string_view password = *input;
  absl::ConsumeSuffix(&password, "\n");
  if (password.empty()) return absl::InvalidArgumentError("there is no password on the input");
  Print(acl::DigestOf(absl::StrCat(user, ":", password)) + "\n");
  return absl::OkStatus();
}

}  // namespace

void AddAcl(CommandLine* line) {
  CLI::App* acl = line->app.add_subcommand("acl", "Who may do what with a node");
  acl->require_subcommand(1);

  const auto get_options = std::make_shared<AclOptions>();
  CLI::App* get = AddCommand(line, acl, "get", "Print a node's ACL, an entry a line",
                             [line, get_options] { return Get(line->globals, *get_options); });
  get->add_option("PATH", get_options->path, "The node")->required();
  get->add_flag("-R,--recursive", get_options->recursive, "Of all nodes below it, too");

  const auto set_options = std::make_shared<AclOptions>();
  CLI::App* set = AddCommand(line, acl, "set", "Replace a node's ACL", [line, set_options] {
    return (set_options->dry_run ? SetDry : Set)(line->globals, *set_options);
  });
  set->add_option("PATH", set_options->path, "The node")->required();
  set->add_option("ENTRY", set_options->entries,
                  "SCHEME:ID:PERMISSIONS each, such as world:anyone:r or digest:ann:HASH:cdrwa")
      ->required();
  set->add_flag("-R,--recursive", set_options->recursive, "Of all nodes below it, too, at once");
  set->add_flag("-n,--dry-run", set_options->dry_run, "Only show which ACLs would change");
  set->add_option("--version", set_options->version, "Only if it is the ACL's version")
      ->check(CLI::NonNegativeNumber);
  set->footer(
      "Schemes: world:anyone; digest:USER:HASH, where 'pando acl digest' makes the hash; ip:ADDRESS"
      "\nor ip:ADDRESS/BITS; x509:SUBJECT of a client certificate; and auth: (no id) for whoever "
      "you"
      "\nare now. Permissions: c create and d delete children, r read, w write, a set the ACL.");

  const auto user = std::make_shared<std::string>();
  AddCommand(line, acl, "digest", "Read a password, and print USER:HASH as ACLs name it",
             [user] { return PrintDigest(*user); })
      ->add_option("USER", *user, "The user")
      ->required()
      ->check([](const std::string& text) {
        return text.find(':') == std::string::npos ? "" : "a user has no ':'";
      });
}

void AddWhoAmI(CommandLine* line) {
  AddCommand(line, &line->app, "whoami", "Print whom the server takes you for",
             [line] { return WhoAmI(line->globals); });
}

}  // namespace pando::cli
