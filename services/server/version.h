// The version of this binary, as --version and metrics say it.
#ifndef PANDO_SERVER_VERSION_H_
#define PANDO_SERVER_VERSION_H_

namespace pando::server {

extern const char kVersion[];

}  // namespace pando::server

#endif  // PANDO_SERVER_VERSION_H_
