// Page tokens: where a paged list goes on. A client hands back what it was given, so a token is
// bytes from outside. It names the list that it was made for, so that one of another list is
// refused, not silently misread: Hash64 of the list in 8 bytes, then the place.
#ifndef PANDO_CODEC_PAGE_TOKEN_H_
#define PANDO_CODEC_PAGE_TOKEN_H_

#include <string>
#include <string_view>

namespace pando::codec {

// The children of `path` whose names start with `prefix`.
std::string ListOf(std::string_view path, std::string_view prefix);
// REQUIRES: a place, which is not empty.
std::string PageToken(std::string_view list, std::string_view place);
// No token is the list from its beginning, with an empty place. False if `token` is of another
// list.
[[nodiscard]] bool ParsePageToken(std::string_view token, std::string_view list,
                                  std::string* place);

}  // namespace pando::codec

#endif  // PANDO_CODEC_PAGE_TOKEN_H_
