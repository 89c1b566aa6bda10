#include "lease.h"

#include <algorithm>
#include <utility>

namespace pando::client {

Lease::Lease(Loop* loop, const Options& options, Loop::Task expired)
    : loop_(loop),
      identities_(options.identities),
      expired_(std::move(expired)),
      cluster_id_(options.cluster_id),
      timeout_(options.session_timeout) {}

v1::RequestHeader Lease::Header() const {
  v1::RequestHeader header;
  header.set_cluster_id(cluster_id_);
  header.set_session_id(id_);
  header.set_min_revision(revision_);
  return header;
}

void Lease::Sign(grpc::ClientContext* context) const {
  for (const std::string& identity : identities_) context->AddMetadata("pando-auth", identity);
  if (!token_.empty()) context->AddMetadata("pando-session-token-bin", token_);
}

void Lease::Opened(const v1::OpenResponse& response) {
  Heard(response.header());
  id_ = response.session_id();
  token_ = response.token();
  timeout_ = std::chrono::milliseconds(response.timeout_ms());
}

void Lease::Heard(const v1::ResponseHeader& header) {
  // A server of an ensemble that is not formed yet names none.
  if (header.cluster_id() != 0) cluster_id_ = header.cluster_id();
  revision_ = std::max(revision_, header.revision());
}

void Lease::Renew(Loop::Clock::time_point sent, std::chrono::milliseconds left) {
  expiry_ = loop_->At(sent + left, [this] { expired_(); });
}

}  // namespace pando::client
