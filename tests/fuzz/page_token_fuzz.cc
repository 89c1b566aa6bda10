// A page token: refused, or of this list and then the one that the place makes.
#include <string>

#include "codec/page_token.h"
#include "fuzz.h"

FUZZ(bytes) {
  using namespace pando::codec;
  const std::string list = ListOf("/a", "b");
  std::string place;
  if (!ParsePageToken(bytes, list, &place)) return;
  CHECK(place.empty() ? bytes.empty() : PageToken(list, place) == bytes);
  CHECK(bytes.empty() || !ParsePageToken(bytes, ListOf("/ab", ""), &place));
}
