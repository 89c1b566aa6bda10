#include "zookeeper/server_list.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;

constexpr char kServer[] = "server.";
constexpr int64_t kServerIdMax = 65'535;  // as --id has it

bool IsPort(const std::string& text) {
  uint32_t port = 0;
  return absl::SimpleAtoi(text, &port) && port > 0 && port <= 65535;
}

// "[::1]:1:2" is "[::1]", "1", "2".
std::vector<std::string> SplitColons(std::string_view text) {
  std::vector<std::string> parts;
  const size_t bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (bracket == std::string_view::npos) return absl::StrSplit(base::View(text), ':');
  parts.emplace_back(text.substr(0, bracket + 1));
  std::string_view rest = text.substr(bracket + 1);
  if (rest.empty()) return parts;
  for (const absl::string_view part : absl::StrSplit(base::View(rest.substr(1)), ':')) {
    parts.emplace_back(part);
  }
  return parts;
}

// "host:2888:3888[:role]". The port for elections is understood, and Pando has none.
bool ParseAmongServers(const std::string& text, ListedServer* server) {
  const std::vector<std::string> parts = SplitColons(text);
  if (parts.size() < 3 || parts.size() > 4) return false;
  if (parts[0].empty() || !IsPort(parts[1]) || !IsPort(parts[2])) return false;
  server->peer_address = absl::StrCat(parts[0], ":", parts[1]);
  if (parts.size() == 3) return true;
  const std::string role = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[3]));
  server->votes = role == "participant";
  return server->votes || role == "observer";
}

// "host:2181", or "2181".
bool ParseForClients(const std::string& text, ListedServer* server) {
  const std::vector<std::string> parts = SplitColons(text);
  if (parts.size() > 2 || !IsPort(parts.back())) return false;
  server->client_port = parts.back();
  if (parts.size() == 2 && parts[0] != "0.0.0.0" && parts[0] != "[::]") {
    server->client_host = parts[0];
  }
  return true;
}

ErrorCode ParseId(std::string_view text, model::ServerId* id) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(base::View(text), &number)) return ErrorCode::kMarshallingError;
  if (number < 1 || number > kServerIdMax) return ErrorCode::kUnimplemented;
  *id = model::ServerId(static_cast<uint64_t>(number));
  return ErrorCode::kOk;
}

ErrorCode ParseServer(std::string_view key, const std::string& value, ListedServer* server) {
  const size_t dot = key.rfind('.');
  const std::string_view id = dot == std::string_view::npos ? key : key.substr(dot + 1);
  if (const ErrorCode error = ParseId(id, &server->id); error != ErrorCode::kOk) return error;
  if (absl::StrContains(value, '|')) return ErrorCode::kUnimplemented;
  const std::vector<std::string> halves = absl::StrSplit(value, ';');
  const bool good = halves.size() == 2 && ParseAmongServers(halves[0], server) &&
                    ParseForClients(halves[1], server);
  return good ? ErrorCode::kOk : ErrorCode::kBadArguments;
}

bool IsTwice(const std::vector<ListedServer>& servers) {
  for (auto one = servers.begin(); one != servers.end(); ++one) {
    for (auto other = servers.begin(); other != one; ++other) {
      if (one->id == other->id || one->peer_address == other->peer_address) return true;
    }
  }
  return false;
}

ErrorCode ParseJoining(const std::string& text, std::vector<ListedServer>* servers) {
  for (const absl::string_view line : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, '=');
    if (parts.size() != 2) return ErrorCode::kBadArguments;
    ListedServer server;
    const std::string value(absl::StripAsciiWhitespace(parts[1]));
    const std::string key(absl::StripAsciiWhitespace(parts[0]));
    if (const ErrorCode error = ParseServer(key, value, &server); error != ErrorCode::kOk) {
      return error;
    }
    servers->push_back(std::move(server));
  }
  return ErrorCode::kOk;
}

ErrorCode ParseLeaving(const std::string& text, std::vector<model::ServerId>* ids) {
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const absl::string_view id = absl::StripAsciiWhitespace(part);
    model::ServerId& leaving = ids->emplace_back();
    const ErrorCode error = ParseId({id.data(), id.size()}, &leaving);
    if (error == ErrorCode::kUnimplemented) {
      ids->pop_back();  // nobody has that id, and who is not there may leave
    } else if (error != ErrorCode::kOk) {
      return error;
    }
  }
  return ErrorCode::kOk;
}

// A whole file, whose lines may be separated by commas.
ErrorCode ParseWhole(const std::string& text, std::vector<ListedServer>* servers) {
  for (const absl::string_view raw :
       absl::StrSplit(text, absl::ByAnyChar(",\n"), absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> line =
        absl::StrSplit(absl::StripAsciiWhitespace(raw), absl::MaxSplits('=', 1));
    if (line.first == "version") continue;
    const bool grouped =
        absl::StartsWith(line.first, "group") || absl::StartsWith(line.first, "weight");
    if (grouped) return ErrorCode::kUnimplemented;
    if (!absl::StartsWith(line.first, kServer)) return ErrorCode::kBadArguments;
    ListedServer server;
    if (const ErrorCode error = ParseServer(line.first, line.second, &server);
        error != ErrorCode::kOk) {
      return error;
    }
    servers->push_back(std::move(server));
  }
  return ErrorCode::kOk;
}

}  // namespace

ErrorCode ParseWanted(const jute::Reconfig& request, WantedServers* wanted) {
  ErrorCode error = ErrorCode::kOk;
  if (request.new_members) {
    wanted->whole = true;
    error = ParseWhole(*request.new_members, &wanted->joining);
  } else {
    if (request.leaving) error = ParseLeaving(*request.leaving, &wanted->leaving);
    if (error == ErrorCode::kOk && request.joining) {
      error = ParseJoining(*request.joining, &wanted->joining);
    }
  }
  if (error == ErrorCode::kOk && IsTwice(wanted->joining)) error = ErrorCode::kBadArguments;
  return error;
}

}  // namespace pando::zookeeper
