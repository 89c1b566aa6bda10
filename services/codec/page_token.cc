#include "codec/page_token.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"

namespace pando::codec {
namespace {

std::string Prefix(std::string_view list) {
  std::string prefix;
  base::Writer(&prefix).Fixed64(base::Hash64(list));
  return prefix;
}

}  // namespace

// A path has no NUL, so it ends where the prefix begins.
std::string ListOf(std::string_view path, std::string_view prefix) {
  std::string list(path);
  list += '\0';
  list += prefix;
  return list;
}

std::string PageToken(std::string_view list, std::string_view place) {
  CHECK(!place.empty());
  return Prefix(list).append(place);
}

bool ParsePageToken(std::string_view token, std::string_view list, std::string* place) {
  place->clear();
  if (token.empty()) return true;
  const std::string prefix = Prefix(list);
  if (token.size() <= prefix.size() || !token.starts_with(prefix)) return false;
  *place = token.substr(prefix.size());
  return true;
}

}  // namespace pando::codec
