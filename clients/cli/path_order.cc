#include "cli/path_order.h"

#include <algorithm>

namespace pando::cli {

bool PathBefore(std::string_view a, std::string_view b) {
  // '/' ranks below all that a name may hold: "/a/b" comes before "/a-b", though '-' is less.
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

}  // namespace pando::cli
