#include "link.h"

#include <utility>

namespace pando::client {
namespace {

// A stream that ends well ends because its server does.
absl::Status WentAway(const absl::Status& why) {
  return why.ok() ? NoServer("the server is going away") : why;
}

}  // namespace

Link::Link(std::shared_ptr<grpc::Channel> channel, Loop* loop, Lease* lease, Backlog* backlog,
           Watches* watches, Handlers handlers)
    : channel_(std::move(channel)),
      loop_(loop),
      lease_(lease),
      backlog_(backlog),
      watches_(watches),
      handlers_(std::move(handlers)) {}

Link::~Link() = default;

void Link::Attach() {
  pipeline_.emplace(
      channel_, loop_, lease_, backlog_,
      Pipeline::Handlers{.attached = [this] { handlers_.attached(); },
                         .response =
                             [this](v1::PipelineResponse response) {
                               const v1::ResponseHeader header = response.header();
                               Hold(header, [this, response = std::move(response)]() mutable {
                                 absl::Status answered = pipeline_->Answer(std::move(response));
                                 if (!answered.ok()) return Fail(std::move(answered));
                                 pipeline_->Send();
                               });
                             },
                         .end = [this](absl::Status why) { Fail(WentAway(why)); }});
}

void Link::Serve() {
  serving_ = true;
  beat_.emplace(channel_, loop_, lease_, [this](absl::Status why) { Fail(WentAway(why)); });
  Rewatch();
  pipeline_->Serve();
}

void Link::Fail(absl::Status why) {
  if (std::exchange(ended_, true)) return;
  if (pipeline_) pipeline_->Cancel();
  if (beat_) beat_->Cancel();
  if (watch_) watch_->Cancel();
  watches_->Disconnected();
  handlers_.ended(std::move(why));
}

void Link::Wake() { pipeline_->Send(); }

void Link::Rewatch() {
  if (ended_ || !serving_) return;
  if (watch_) std::exchange(watch_, nullptr)->Cancel();
  const std::optional<v1::WatchRequest> request = watches_->Request(lease_->Header());
  if (!request) return;
  watch_ =
      Watch(*request,
            {.message = [this](v1::WatchResponse response) { watches_->Take(std::move(response)); },
             .end = [this](absl::Status why) { WatchEnded(WentAway(why)); }});
}

void Link::WatchEnded(const absl::Status& why) {
  if (ReasonOf(why) == Reason::kCompacted) {
    watches_->Compacted(why);
  } else {
    Fail(why);
  }
}

void Link::Hold(const v1::ResponseHeader& header, Loop::Task told) {
  held_.push_back({header, std::move(told)});
  Release();
}

void Link::Release() {
  while (!ended_ && !held_.empty() && watches_->HasTold(held_.front().header)) {
    Held first = std::move(held_.front());
    held_.pop_front();
    first.told();
  }
}

std::shared_ptr<Link::WatchStream> Link::Watch(const v1::WatchRequest& request,
                                               WatchStream::Handlers handlers) {
  auto stream = std::make_shared<WatchStream>(loop_, std::move(handlers));
  lease_->Sign(stream->context());
  stream->Start(v1::TreeService::Stub(channel_).PrepareAsyncWatch(stream->context(), request,
                                                                  loop_->queue()));
  return stream;
}

}  // namespace pando::client
