// MakeHttps: an HTTP server that speaks TLS, with certificates that are renewed while it runs.
#ifndef PANDO_ADMIN_HTTPS_H_
#define PANDO_ADMIN_HTTPS_H_

#include <httplib.h>

#include <memory>

#include "admin/http_server.h"

namespace pando::admin {

// `options` outlive it, and say what it shows and trusts.
std::unique_ptr<httplib::Server> MakeHttps(const HttpServer::Options& options);

}  // namespace pando::admin

#endif  // PANDO_ADMIN_HTTPS_H_
