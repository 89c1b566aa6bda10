#include "peer/link.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "model/limits.h"
#include "pando/internal/v1/peer.grpc.pb.h"
#include "peer/connect.h"
#include "protocol/wire.h"

namespace pando::peer {
// One attempt. Its hold lasts until nothing can be read any more: until then Send may write.
class Link::Call
    : public grpc::ClientBidiReactor<internal::v1::ChannelRequest, internal::v1::ChannelResponse> {
 public:
  Call(Link* link, std::string hello)
      : link_(link),
        stub_(internal::v1::PeerService::NewStub(
            Connect(link->shared_.options, link->address_.address))) {
    request_.set_frame(std::move(hello));
    context_.set_initial_metadata_corked(true);
  }
  void Start() {
    stub_->async()->Channel(&context_, this);
    AddHold();
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }
  void Write(std::string frame) {
    request_.set_frame(std::move(frame));
    StartWrite(&request_);
  }
  void ReadOn() { StartRead(&response_); }
  void Release() { RemoveHold(); }
  void Cancel() { context_.TryCancel(); }

  void OnReadInitialMetadataDone(bool ok) override {
    // A refusal has initial metadata, too.
    if (ok && context_.GetServerInitialMetadata().count(protocol::kListens) > 0) link_->OnReady();
  }
  void OnReadDone(bool ok) override {
    if (ok && !refused_) link_->OnRefused(response_.refusal(), response_.detail());
    refused_ = refused_ || ok;
    link_->OnRead(this, ok);
  }
  void OnWriteDone(bool ok) override { link_->OnWritten(ok); }
  void OnDone(const grpc::Status& status) override { link_->OnEnded(status.error_message()); }

 private:
  Link* const link_;
  const std::unique_ptr<internal::v1::PeerService::Stub> stub_;
  grpc::ClientContext context_;
  internal::v1::ChannelRequest request_;  // gRPC's while the link is writing_
  internal::v1::ChannelResponse response_;
  bool refused_ = false;
};

Link::Link(Shared shared, io::PeerAddress address, uint64_t seed)
    : shared_(std::move(shared)),
      address_(std::move(address)),
      counters_(shared_.counters->Of(address_.id)),
      rng_(seed) {}

Link::~Link() { CHECK(finished()); }

// --- What is sent -----------------------------------------------------------------------------

void Link::Send(const std::vector<io::PeerMessage>& messages) {
  base::MutexLock lock(&mutex_);
  if (state_ != State::kOpen) {
    counters_->dropped_messages += messages.size();
    return;
  }
  for (const io::PeerMessage& message : messages) {
    std::string bytes;
    const size_t parts = protocol::EncodeMessage(message, &bytes);
    CHECK(bytes.size() <= model::kPeerMessageBytesMax);
    CHECK(parts <= model::kPeerFramePartsMax);
    Append(std::move(bytes), parts);
  }
  counters_->sent_messages += messages.size();
  if (queued_bytes_ > model::kPeerQueueBytesMax) {
    base::Log(base::Severity::kWarning, "too much waits for a peer: channel broken",
              {{"peer", address_.id}, {"queued_bytes", queued_bytes_}});
    Break();
  } else if (!writing_) {
    WriteNext();
  }
}

void Link::Append(std::string bytes, size_t parts) {
  queued_bytes_ += bytes.size();
  const bool fits = !frames_.empty() &&
                    frames_.back().bytes.size() + bytes.size() <= model::kPeerMessageBytesMax &&
                    frames_.back().parts + parts <= model::kPeerFramePartsMax;
  if (fits) {
    frames_.back().bytes += bytes;
    frames_.back().parts += parts;
  } else {
    frames_.push_back({std::move(bytes), parts});
  }
}

void Link::WriteNext() {
  CHECK(!writing_ && state_ == State::kOpen);
  if (frames_.empty()) return;
  writing_ = true;
  writing_bytes_ = frames_.front().bytes.size();
  counters_->sent_bytes += writing_bytes_;
  call_->Write(std::move(frames_.front().bytes));
  frames_.pop_front();
}

// --- One call's life --------------------------------------------------------------------------

base::Instant Link::Tend(base::Instant now, const io::PeerHello& hello) {
  std::unique_ptr<Call> ended;  // destroyed after the lock is released
  base::MutexLock lock(&mutex_);
  ended = std::move(ended_);
  if (closed_ || state_ != State::kWaiting) return base::kNever;
  if (now < retry_at_) return retry_at_;
  call_ =
      std::make_unique<Call>(this, protocol::EncodeGreeting({.to = address_.id, .hello = hello}));
  state_ = State::kConnecting;
  refused_ = false;
  writing_ = true;
  call_->Start();
  return base::kNever;
}

void Link::OnReady() {
  base::MutexLock lock(&mutex_);
  if (state_ != State::kConnecting) return;
  state_ = State::kOpen;
  opened_at_ = shared_.options.now();
  ++counters_->opened;
  why_.clear();
  shared_.inbox->Post(io::PeerReady{address_.id});
}

void Link::OnRefused(uint32_t refusal, const std::string& detail) {
  base::MutexLock lock(&mutex_);
  refused_ = true;
  shared_.inbox->Post(
      io::PeerRefused{address_.id, static_cast<io::Refusal>(refusal & 0xff), detail});
}

void Link::OnRead(Call* call, bool ok) {
  base::MutexLock lock(&mutex_);
  if (ok) {
    // One answer says it all: more of them would only fill the Inbox.
    Break();
    return call->ReadOn();
  }
  if (state_ == State::kOpen) ++counters_->broken;
  state_ = State::kEnding;
  call->Release();
}

void Link::OnWritten(bool ok) {
  base::MutexLock lock(&mutex_);
  writing_ = false;
  queued_bytes_ -= std::exchange(writing_bytes_, 0);
  if (ok && state_ == State::kOpen) WriteNext();
}

void Link::Break() {
  if (state_ != State::kConnecting && state_ != State::kOpen) return;
  if (state_ == State::kOpen) ++counters_->broken;
  state_ = State::kEnding;
  call_->Cancel();
}

void Link::OnEnded(const std::string& why) {
  base::MutexLock lock(&mutex_);
  CHECK(state_ == State::kEnding);
  const base::Instant now = shared_.options.now();
  const base::Duration delay = NextDelay(now);
  if (!closed_) {
    // With TLS there is more that an operator can get wrong: told once, until it is another thing.
    const bool news = shared_.options.tls != nullptr && std::exchange(why_, why) != why;
    base::Log(news ? base::Severity::kWarning : base::Severity::kDebug, "no channel to peer",
              {{"peer", address_.id}, {"address", address_.address}, {"why", why}});
  }
  retry_at_ = now + delay;
  opened_at_ = {};
  state_ = State::kWaiting;
  writing_ = false;
  frames_.clear();
  queued_bytes_ = writing_bytes_ = 0;
  ended_ = std::move(call_);
  shared_.wake();
}

// Who accepts and breaks at once is not asked at once for ever.
base::Duration Link::NextDelay(base::Instant now) {
  const Options& options = shared_.options;
  if (refused_) return options.refused_delay;
  const bool lasted = opened_at_ > base::Instant() && now - opened_at_ >= options.backoff_max;
  backoff_ = lasted ? base::Duration(0) : backoff_;
  backoff_ = std::clamp(2 * backoff_, options.backoff_min, options.backoff_max);
  const auto half = static_cast<uint64_t>(backoff_.count() / 2);
  return base::Duration(static_cast<int64_t>(half + rng_.Below(half + 1)));
}

void Link::Close() {
  base::MutexLock lock(&mutex_);
  closed_ = true;
  Break();
}

bool Link::open() const {
  base::MutexLock lock(&mutex_);
  return state_ == State::kOpen;
}

size_t Link::queued_bytes() const {
  base::MutexLock lock(&mutex_);
  return queued_bytes_;
}

bool Link::finished() const {
  base::MutexLock lock(&mutex_);
  return closed_ && call_ == nullptr && ended_ == nullptr;
}

}  // namespace pando::peer
