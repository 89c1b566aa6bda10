#include "net/listener.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host_port.h"

namespace pando::net {
namespace {

using asio::ip::tcp;
using Error = asio::error_code;

constexpr int kBacklog = 4096;
// After accept has failed: there is no descriptor left, and more will not come at once.
constexpr std::chrono::milliseconds kFailedPause(100);

}  // namespace

std::string CallerOf(const tcp::socket& socket) {
  Error error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) return {};
  const bool v6 = endpoint.address().is_v6();
  const std::string host = endpoint.address().to_string(error);
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]:" : ":", endpoint.port());
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Listen(asio::io_context* context,
                                                           Options options) {
  std::unique_ptr<Listener> listener(new Listener(context, std::move(options)));
  PANDO_RETURN_IF_ERROR(listener->ListenOnAll());
  return listener;
}

absl::Status Listener::ListenOnAll() {
  const auto failed = [this](const Error& error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options_.address, ": ", error.message()));
  };
  const base::HostPort address = base::SplitHostPort(options_.address);
  Error error;
  tcp::resolver resolver(*context_);
  const auto found = resolver.resolve(
      address.host, address.port, tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) return failed(error);
  for (const auto& entry : found) {
    tcp::endpoint endpoint = entry.endpoint();
    // A host that has several addresses listens on one port on all of them.
    if (port_ != 0) endpoint.port(static_cast<uint16_t>(port_));
    // As gRPC did: 0.0.0.0 is every address of this machine, IPv6 too, where there is that.
    const bool everywhere = endpoint.address().is_unspecified();
    if (everywhere && ListenOn(tcp::endpoint(tcp::v6(), endpoint.port()), &error)) return {};
    if (!ListenOn(endpoint, &error)) return failed(error);
  }
  return absl::OkStatus();
}

bool Listener::ListenOn(const tcp::endpoint& endpoint, Error* error) {
  Place& place = places_.emplace_back(*context_);
  tcp::acceptor& acceptor = place.acceptor;
  acceptor.open(endpoint.protocol(), *error);
  if (!*error && endpoint.protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), *error);
  }
  // Not SO_REUSEPORT: with it a second server would get half of the connections.
  if (!*error) acceptor.set_option(tcp::acceptor::reuse_address(true), *error);
  if (!*error) acceptor.bind(endpoint, *error);
  if (!*error) acceptor.listen(kBacklog, *error);
  if (!*error) port_ = acceptor.local_endpoint(*error).port();
  if (!*error) return true;
  places_.pop_back();
  return false;
}

void Listener::Start(std::function<void(tcp::socket)> on_connection) {
  on_connection_ = std::move(on_connection);
  for (Place& place : places_) Accept(&place);
}

void Listener::Accept(Place* place) {
  place->acceptor.async_accept([this, place](const Error& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error && error != asio::error::connection_aborted) return Pause(place, error);
    if (!error) on_connection_(std::move(socket));
    Accept(place);
  });
}

void Listener::Pause(Place* place, const Error& failed) {
  uint64_t suppressed = 0;
  if (failed_limit_.Due(options_.now(), &suppressed)) {
    base::Log(base::Severity::kError, "cannot accept a connection",
              {{"port", options_.port}, {"error", failed.message()}, {"not_logged", suppressed}});
  }
  place->pause.expires_after(kFailedPause);
  place->pause.async_wait([this, place](const Error& error) {
    if (!error) Accept(place);
  });
}

}  // namespace pando::net
