#include "tries.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "errors.h"
#include "pando/v1/tree.grpc.pb.h"
#include "stream.h"

namespace pando::client {
namespace {

// gRPC knows the wall clock only.
std::chrono::system_clock::time_point WallDeadline(Loop::Clock::time_point deadline) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline -
                                                                         Loop::Clock::now());
}

class WalkTry final : public std::enable_shared_from_this<WalkTry> {
 public:
  WalkTry(std::shared_ptr<Subtree> subtree, Link* link, Tried tried)
      : subtree_(std::move(subtree)), link_(link), tried_(std::move(tried)) {}

  void Begin(v1::WalkRequest request) {
    const v1::Consistency consistency = request.header().consistency();
    *request.mutable_header() = link_->lease()->Header();
    request.mutable_header()->set_consistency(consistency);
    *subtree_ = Subtree();
    stream_ = std::make_shared<WalkStream>(
        link_->loop(),
        WalkStream::Handlers{
            .message = [self = shared_from_this()](v1::WalkResponse part) { self->Take(part); },
            .end = [self = shared_from_this()](absl::Status why) { self->End(std::move(why)); }});
    link_->lease()->Sign(stream_->context());
    stream_->Start(v1::TreeService::Stub(link_->channel())
                       .PrepareAsyncWalk(stream_->context(), request, link_->loop()->queue()));
  }

  void GiveUp() {
    given_up_ = true;
    if (stream_) std::exchange(stream_, nullptr)->Cancel();
  }

 private:
  using WalkStream = Stream<grpc::ClientAsyncReader<v1::WalkResponse>, v1::WalkResponse>;

  void Take(v1::WalkResponse& part) {
    const v1::ResponseHeader header = part.header();
    link_->Hold(header, [self = shared_from_this(), part = std::move(part)]() mutable {
      if (self->given_up_) return;
      self->link_->lease()->Heard(part.header());
      self->subtree_->revision = part.revision();
      std::move(part.mutable_entries()->begin(), part.mutable_entries()->end(),
                std::back_inserter(self->subtree_->entries));
    });
  }

  void End(absl::Status why) {
    stream_ = nullptr;
    if (!why.ok()) return tried_(std::move(why));
    // Behind the parts.
    link_->Hold(v1::ResponseHeader(), [self = shared_from_this()] {
      if (!self->given_up_) self->tried_(absl::OkStatus());
    });
  }

  const std::shared_ptr<Subtree> subtree_;
  Link* const link_;
  const Tried tried_;
  std::shared_ptr<WalkStream> stream_;
  bool given_up_ = false;
};

class WatchTry final : public std::enable_shared_from_this<WatchTry> {
 public:
  WatchTry(Core* core, std::shared_ptr<Subscription> watch, Link* link, Tried tried)
      : core_(core), watch_(std::move(watch)), link_(link), tried_(std::move(tried)) {}

  void Begin(v1::WatchRequest request) {
    *request.mutable_header() = link_->lease()->Header();
    // Without the session: its events precede no reply.
    request.mutable_header()->clear_session_id();
    start_revision_ = request.start_revision();
    send_initial_ = request.send_initial();
    watch_->initial.clear();
    stream_ = link_->Watch(
        request,
        {.message = [self = shared_from_this()](v1::WatchResponse first) { self->Take(first); },
         .end =
             [self = shared_from_this()](absl::Status why) {
               self->stream_ = nullptr;
               self->tried_(why.ok() ? NoServer("the server is going away") : std::move(why));
             }});
  }

  void GiveUp() {
    if (stream_) std::exchange(stream_, nullptr)->Cancel();
  }

 private:
  void Take(v1::WatchResponse& first) {
    link_->lease()->Heard(first.header());
    std::move(first.mutable_initial_nodes()->begin(), first.mutable_initial_nodes()->end(),
              std::back_inserter(watch_->initial));
    if (send_initial_ && !first.initial_done()) return;
    GiveUp();
    // From a start in the past the first message may have events already.
    watch_->start_revision = start_revision_ == 0 ? first.progress_revision() + 1 : start_revision_;
    watch_->cursor = watch_->start_revision - 1;
    tried_(core_->Watch(watch_));
  }

  Core* const core_;
  const std::shared_ptr<Subscription> watch_;
  Link* const link_;
  const Tried tried_;
  std::shared_ptr<Link::WatchStream> stream_;
  int64_t start_revision_ = 0;
  bool send_initial_ = false;
};

}  // namespace

RepeatedCall::Cancel TryUnary(const std::shared_ptr<internal::UnaryCall>& call, bool linearizable,
                              Link* link, std::optional<Loop::Clock::time_point> deadline,
                              Tried tried) {
  const std::shared_ptr<internal::UnaryTry> one = call->NewTry();
  const auto given_up = std::make_shared<bool>(false);
  v1::RequestHeader header = link->lease()->Header();
  if (linearizable) header.set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  link->lease()->Sign(&one->context);
  if (deadline) one->context.set_deadline(WallDeadline(*deadline));
  const auto answered = [call, one, given_up, link, tried] {
    if (*given_up) return;
    link->lease()->Heard(one->header());
    one->Keep();
    tried(absl::OkStatus());
  };
  one->Start(link->channel(), header, link->loop()->queue(),
             Loop::Expect([one, given_up, link, tried, answered](bool) {
               if (*given_up) return;
               if (!one->status.ok()) return tried(CallFailure(one->status));
               link->Hold(one->header(), answered);
             }));
  return [one, given_up] {
    *given_up = true;
    one->context.TryCancel();
  };
}

RepeatedCall::Cancel TryWalk(const std::shared_ptr<Subtree>& subtree, v1::WalkRequest request,
                             Link* link, Tried tried) {
  const auto one = std::make_shared<WalkTry>(subtree, link, std::move(tried));
  one->Begin(std::move(request));
  return [one] { one->GiveUp(); };
}

RepeatedCall::Cancel TryWatch(Core* core, const std::shared_ptr<Subscription>& watch,
                              v1::WatchRequest request, Link* link, Tried tried) {
  const auto one = std::make_shared<WatchTry>(core, watch, link, std::move(tried));
  one->Begin(std::move(request));
  return [one] { one->GiveUp(); };
}

}  // namespace pando::client
