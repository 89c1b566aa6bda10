#include "api/edge.h"

#include <utility>

#include "api/call.h"
#include "codec/command.h"

namespace pando::api {
Edge::Edge(Options options, io::Inbox* inbox) : options_(std::move(options)), inbox_(inbox) {}

void Edge::WriteHeader(model::Revision revision, model::Revision stream_revision,
                       v1::ResponseHeader* out) const {
  out->set_cluster_id(options_.cluster().value());
  out->set_server_id(static_cast<int64_t>(options_.server.value()));
  out->set_revision(static_cast<int64_t>(revision.value()));
  out->set_term(static_cast<int64_t>(options_.term().value()));
  out->set_stream_revision(static_cast<int64_t>(stream_revision.value()));
}

void Edge::CountRequest(std::string_view method, base::Instant began, const char* reason) const {
  if (options_.on_request) options_.on_request(method, options_.now() - began, reason);
}

void Edge::AddStream(const std::shared_ptr<OpenStream>& stream) {
  {
    base::MutexLock lock(&mutex_);
    if (!stopping_) {
      streams_.emplace(stream.get(), stream);
      return;
    }
  }
  stream->GoAway();
}

void Edge::RemoveStream(const OpenStream* stream) {
  base::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

void Edge::StopStreams() {
  std::vector<std::shared_ptr<OpenStream>> streams;
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    for (const auto& [pointer, weak] : streams_) {
      if (auto stream = weak.lock()) streams.push_back(std::move(stream));
    }
  }
  for (const auto& stream : streams) stream->GoAway();
}

io::Request MakeCommand(const Edge& edge, const Caller& caller, base::Instant deadline,
                        model::CommandBody body) {
  if (deadline == base::kNever) deadline = edge.options().now() + kWriteDeadline;
  model::Command command;
  command.identities = caller.identities;
  command.session = caller.header.session;
  command.request = caller.header.request;
  command.first_outstanding = caller.header.first_outstanding;
  if (command.session && command.request) command.request_hash = codec::HashBody(body);
  command.body = std::move(body);
  return {.token_hash = caller.token_hash, .deadline = deadline, .body = std::move(command)};
}

io::Request MakeQuery(const Caller& caller, base::Instant deadline, model::QueryBody body) {
  return {.token_hash = caller.token_hash,
          .min_revision = caller.header.min_revision,
          .consistency = caller.header.consistency,
          .deadline = deadline,
          .body = model::Query{caller.identities, caller.header.session, std::move(body)}};
}

}  // namespace pando::api
