#include "cli/connection.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/server_error.h"
#include "cli/tls/diagnosis.h"

namespace pando::cli {
namespace {

using std::chrono::milliseconds;

// A server that takes the connection and then says nothing is left after this, if there are others.
constexpr milliseconds kConnectMax{1'000};
constexpr milliseconds kPauseMin{20};
constexpr milliseconds kPauseMax{500};
// A stream's server that does not answer a ping for this long is gone.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
// Above every message of the API, which are at most 4 MiB.
constexpr int kMessageBytesMax = 8 << 20;

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& endpoint,
                                                           const TlsOptions& tls) {
  grpc::ChannelArguments arguments;
  const absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials =
      MakeCredentials(tls, &arguments);
  if (!credentials.ok()) return credentials.status();
  // A channel is dropped when it fails, and must not inherit the back-off of the one before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Nobody but this class decides what is sent twice; gRPC's own transparent retries stay, because
  // they only send what no server has seen.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // http_proxy is for the web; an ensemble is named by its own address.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  return grpc::CreateCustomChannel(endpoint, *credentials, arguments);
}

// gRPC knows the wall clock only as system_clock.
std::chrono::system_clock::time_point WallDeadline(Connection::Clock::time_point deadline) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline -
                                                                         Connection::Clock::now());
}

}  // namespace

Server::Server(std::string at, std::shared_ptr<grpc::Channel> to)
    : endpoint(std::move(at)),
      channel(std::move(to)),
      tree(v1::TreeService::NewStub(channel)),
      session(v1::SessionService::NewStub(channel)),
      cluster(v1::ClusterService::NewStub(channel)) {}

Connection::Connection(ConnectionOptions options)
    : options_(std::move(options)), alive_(Clock::now()) {
  CHECK(!options_.endpoints.empty());
}

void Connection::PrepareRead(v1::RequestHeader* header) const {
  Prepare(header);
  header->set_min_revision(options_.min_revision);
  if (options_.linearizable) header->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
}

void Connection::Heard(const v1::ResponseHeader& header) {
  // A server of an ensemble that is not formed yet has none.
  if (header.cluster_id() != 0) options_.cluster = header.cluster_id();
  options_.min_revision = std::max(options_.min_revision, header.revision());
}

void Connection::Alive() { alive_ = Clock::now(); }

absl::Status Connection::Call(CallKind kind, const Body& body) {
  Alive();
  pause_ = milliseconds(0);
  // What a server said last: it explains more than that nobody could be reached after it.
  std::optional<absl::Status> said;
  for (;;) {
    if (const absl::Status connected = Connect(); !connected.ok()) return said.value_or(connected);
    grpc::ClientContext context;
    for (const std::string& credential : options_.credentials) {
      context.AddMetadata("pando-auth", credential);
    }
    const Clock::time_point started = Clock::now();
    if (kind != CallKind::kStream) {
      // Leaves time to ask the others when one takes the call and never answers.
      const auto share =
          options_.timeout / static_cast<milliseconds::rep>(options_.endpoints.size());
      context.set_deadline(WallDeadline(std::min(deadline(), started + share)));
    }
    const grpc::Status status = body(*server_, &context);
    if (status.ok()) return absl::OkStatus();

    const ServerError error = ErrorOf(status);
    const Verdict verdict = Judge(error);
    const bool is_write = kind == CallKind::kWrite || kind == CallKind::kRepeatableWrite;
    const bool ends = verdict == Verdict::kRefused ||
                      (verdict == Verdict::kLost && kind == CallKind::kWrite) ||
                      (verdict == Verdict::kElsewhere && options_.endpoints.size() == 1);
    if (!ends) Leave();
    if (alive_.load() > started) {
      // A stream that answered was alive until it broke, however quiet it was before that.
      Alive();
      pause_ = milliseconds(0);
    }
    if (ends || !Pause()) return FinalStatus(error, is_write);
    if (!error.reason.empty()) said = FinalStatus(error, is_write);
  }
}

absl::Status Connection::Connect() {
  for (size_t tried = 1; server_ == nullptr; ++tried) {
    const absl::StatusOr<std::shared_ptr<grpc::Channel>> channel =
        OpenChannel(options_.endpoints[current_], options_.tls);
    if (!channel.ok()) return channel.status();
    const bool alone = options_.endpoints.size() == 1;
    const Clock::time_point until =
        alone ? deadline() : std::min(deadline(), Clock::now() + kConnectMax);
    if (WaitForConnected(channel->get(), until)) {
      server_ = std::make_unique<Server>(options_.endpoints[current_], *channel);
      break;
    }
    Leave();
    if (tried % options_.endpoints.size() != 0) continue;
    // It does not heal by itself.
    if (tried == options_.endpoints.size()) {
      if (const std::string lack = WhatTlsLacks(); !lack.empty()) {
        return absl::FailedPreconditionError(lack);
      }
    }
    // A pause only after a whole round: a dead first endpoint costs nothing.
    if (!Pause()) {
      return absl::UnavailableError(
          absl::StrCat("no server answered at ", absl::StrJoin(options_.endpoints, ", "), " for ",
                       options_.timeout.count(),
                       " ms: is it running? --endpoints says where to look, --timeout how long"));
    }
  }
  return absl::OkStatus();
}

std::string Connection::WhatTlsLacks() const {
  std::vector<std::string> lacks;
  for (const std::string& endpoint : options_.endpoints) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline() - Clock::now());
    if (left <= milliseconds(0)) return {};
    lacks.push_back(DiagnoseTls(endpoint, options_.tls, std::min(left, kConnectMax)));
    if (lacks.back().empty()) return {};
  }
  return absl::StrJoin(lacks, "; ");
}

bool Connection::WaitForConnected(grpc::Channel* channel, Clock::time_point until) {
  for (;;) {
    const grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (!channel->WaitForStateChange(state, WallDeadline(until))) return false;
  }
}

void Connection::Leave() {
  server_ = nullptr;
  current_ = (current_ + 1) % options_.endpoints.size();
}

bool Connection::Pause() {
  const Clock::time_point now = Clock::now();
  if (now >= deadline()) return false;
  pause_ = std::clamp(pause_ * 2, kPauseMin, kPauseMax);
  std::this_thread::sleep_until(std::min(now + pause_, deadline()));
  return true;
}

}  // namespace pando::cli
