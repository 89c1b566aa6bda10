#include "cli/certs/certs.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/certs/authority.h"
#include "cli/files.h"
#include "cli/new_file.h"

namespace pando::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPemBytesMax = 1 << 20;
constexpr size_t kNameBytesMax = 63;  // X.520 has 64 for a common name
constexpr int kDaysMax = 36'500;

// Where it runs, and how its containers and pods call themselves.
const char* const kOwnHosts[] = {"localhost", "127.0.0.1", "::1"};

std::string PathOf(const CertsOptions& options, const std::string& name) {
  return absl::StrCat(options.dir, "/", name);
}

absl::Status WritePair(const CertsOptions& options, const std::string& name, const PemPair& pair) {
  absl::StatusOr<std::unique_ptr<NewFile>> key =
      NewFile::Create(PathOf(options, absl::StrCat(name, ".key")));
  if (!key.ok()) return key.status();
  PANDO_RETURN_IF_ERROR((*key)->Write(pair.key));
  PANDO_RETURN_IF_ERROR((*key)->Finish());
  return WriteRegularFile(PathOf(options, absl::StrCat(name, ".crt")), pair.certificate);
}

absl::StatusOr<Authority> MakeOrReadAuthority(const CertsOptions& options) {
  const std::string path = PathOf(options, "ca.crt");
  std::error_code error;
  if (!fs::exists(path, error)) {
    Authority made = Authority::Make(options.days);
    PANDO_RETURN_IF_ERROR(WritePair(options, "ca", made.Pem()));
    return made;
  }
  const absl::StatusOr<std::string> certificate = ReadRegularFile(path, kPemBytesMax);
  if (!certificate.ok()) return certificate.status();
  const absl::StatusOr<std::string> key = ReadRegularFile(PathOf(options, "ca.key"), kPemBytesMax);
  if (!key.ok()) return key.status();
  absl::StatusOr<Authority> read = Authority::Read({*certificate, *key});
  if (!read.ok()) return base::Annotate(read.status(), path);
  return read;
}

// Letters that mean something in a file's name, or in a list of names, are none of a name's.
bool IsName(const std::string& text) {
  return !text.empty() && text.size() <= kNameBytesMax && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ||
                  c == '_';
         });
}

bool IsHost(const std::string& text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' ||
           c == ':' || c == '*';
  });
}

}  // namespace

absl::Status CheckCertsOptions(const CertsOptions& options) {
  if (options.dir.empty()) return absl::InvalidArgumentError("DIR must name a folder");
  if (options.days < 1 || options.days > kDaysMax) {
    return absl::InvalidArgumentError(absl::StrCat("--days must be from 1 to ", kDaysMax));
  }
  for (const std::string& host : options.hosts) {
    if (IsHost(host)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", host, "' is no DNS name and no IP address"));
  }
  for (const std::string& client : options.clients) {
    if (IsName(client) && client != "ca" && client != "server") continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--client '", client, "': a name has letters, digits, '.', '-' and '_', at ",
                     "most ", kNameBytesMax, ", and is neither ca nor server"));
  }
  return absl::OkStatus();
}

absl::Status MakeCerts(const CertsOptions& options) {
  PANDO_RETURN_IF_ERROR(CheckCertsOptions(options));
  std::error_code error;
  fs::create_directories(options.dir, error);
  if (error) return LocalError("cannot make the folder", options.dir, error.value());
  absl::StatusOr<Authority> authority = MakeOrReadAuthority(options);
  if (!authority.ok()) return authority.status();

  std::vector<std::string> hosts = options.hosts;
  hosts.insert(hosts.end(), std::begin(kOwnHosts), std::end(kOwnHosts));
  PANDO_RETURN_IF_ERROR(
      WritePair(options, "server", authority->SignServer("server", hosts, options.days)));
  std::vector<std::string> clients = options.clients;
  if (clients.empty()) clients = {"client"};
  for (const std::string& client : clients) {
    PANDO_RETURN_IF_ERROR(WritePair(options, client, authority->SignClient(client, options.days)));
  }
  return absl::OkStatus();
}

}  // namespace pando::cli
