// Paths: the names of nodes. ZooKeeper's rules on UTF-8, plus kPathBytesMax and kPathDepthMax:
// starts with '/', does not end with '/' unless it is the root, no empty, "." or ".." component,
// none of U+0000..1F, U+007F..9F, U+D800..F8FF, U+FFF0..FFFF, nothing above U+FFFF; valid UTF-8.
#ifndef PANDO_MODEL_PATH_H_
#define PANDO_MODEL_PATH_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace pando::model {

// Why `path` is not one, as INVALID_ARGUMENT; OK if it is.
[[nodiscard]] absl::Status ValidatePath(std::string_view path);

// The same for one component, the part between two slashes.
[[nodiscard]] absl::Status ValidateName(std::string_view name);

// "/a/b" -> "/a"; "/a" -> "/"; "/" -> "/". REQUIRES: there is a '/' in it.
std::string_view ParentPath(std::string_view path);

// "/a/b" -> "b"; "/" -> "". REQUIRES: starts with '/'.
std::string_view LastName(std::string_view path);

// "/" + "a" -> "/a"; "/a" + "b" -> "/a/b".
std::string JoinPath(std::string_view parent, std::string_view name);

// Whether `path` is `ancestor` or lies below it, by whole components: "/ab" is not below "/a".
bool IsWithin(std::string_view path, std::string_view ancestor);

}  // namespace pando::model

#endif  // PANDO_MODEL_PATH_H_
