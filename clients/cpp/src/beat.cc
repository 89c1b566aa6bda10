#include "beat.h"

#include <utility>

namespace pando::client {
namespace {

using std::chrono::milliseconds;

// A beat every third of the session's timeout; a server that does not answer it within another
// sixth is left, so that half of the timeout remains to find the next one.
constexpr int kBeatsPerTimeout = 3;
constexpr int kPatiencesPerTimeout = 6;
// How often a server without a leader is asked again, and how long it may have none.
constexpr milliseconds kNoLeaderPause{200};
constexpr milliseconds kNoLeaderMax{1'000};

}  // namespace

Beat::Beat(const std::shared_ptr<grpc::Channel>& channel, Loop* loop, Lease* lease,
           absl::AnyInvocable<void(absl::Status)> end)
    : loop_(loop), lease_(lease), end_(std::move(end)) {
  using Call = grpc::ClientAsyncReaderWriter<v1::KeepAliveRequest, v1::KeepAliveResponse>;
  using BeatStream = Stream<Call, v1::KeepAliveResponse>;
  stream_ = std::make_shared<BeatStream>(
      loop, BeatStream::Handlers{
                .message = [this](v1::KeepAliveResponse response) { Answered(response); },
                .end = [this](absl::Status why) { end_(std::move(why)); },
                .writable = [this] { Write(); }});
  lease_->Sign(stream_->context());
  stream_->Start(
      v1::SessionService::Stub(channel).PrepareAsyncKeepAlive(stream_->context(), loop->queue()));
  Send();
}

void Beat::Cancel() {
  next_.Cancel();
  stream_->Cancel();
}

void Beat::Send() {
  due_ = true;
  next_ = loop_->After(lease_->timeout() / kPatiencesPerTimeout,
                       [this] { end_(NoServer("the server does not answer")); });
  Write();
}

void Beat::Write() {
  if (!due_ || !stream_->is_writable()) return;
  due_ = false;
  sent_ = Loop::Clock::now();
  v1::KeepAliveRequest request;
  *request.mutable_header() = lease_->Header();
  stream_->Write(request);
}

void Beat::Answered(const v1::KeepAliveResponse& response) {
  lease_->Heard(response.header());
  switch (response.state()) {
    case v1::SESSION_STATE_OK:
      leader_lost_.reset();
      lease_->Renew(sent_, milliseconds(response.time_left_ms()));
      next_ = loop_->After(lease_->timeout() / kBeatsPerTimeout, [this] { Send(); });
      return;
    case v1::SESSION_STATE_EXPIRED:
      end_(Lost("the session is over"));
      return;
    default:
      if (!leader_lost_) leader_lost_ = sent_;
      if (Loop::Clock::now() - *leader_lost_ > kNoLeaderMax) {
        end_(NoServer("the server knows no leader"));
      } else {
        next_ = loop_->After(kNoLeaderPause, [this] { Send(); });
      }
  }
}

}  // namespace pando::client
