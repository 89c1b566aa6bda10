#include "bench/load.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "pando/v1/tree.grpc.pb.h"

namespace pando::load {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

base::Instant Now() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

// What all streams of a load have in common.
struct Shared {
  const LoadOptions& options;
  const Workload& workload;
  const base::Instant started;
  grpc::CompletionQueue queue;
  uint64_t next_operation = 0;
  LoadReport report;

  uint64_t left() const { return options.operations - next_operation; }
  bool over(base::Instant now) const { return left() == 0 || now - started >= options.duration; }
};

// One Pipeline. Its events come through the queue, one at a time.
class Stream {
 public:
  Stream(Shared* shared, size_t number);

  // What happened to it.
  struct Event {
    Stream* stream;
    enum class Kind : uint8_t { kStarted, kWritten, kRead, kHalfClosed, kEnded } kind;
  };
  void On(Event::Kind kind, bool ok);
  // Sends the next message if it is due and the window has room; ends the stream when all is sent.
  void Proceed(base::Instant now);

  // When Proceed has something to do though nothing happens.
  base::Instant wake() const;
  bool ended() const { return ended_; }
  const grpc::Status& status() const { return status_; }

 private:
  struct Sent {
    base::Instant at;
    uint64_t first_operation;
    size_t left;  // not answered yet
  };

  bool idle() const { return started_ && !writing_ && !half_closed_; }
  bool window_open() const { return sent_.size() < shared_->options.messages_outstanding; }
  void Send(base::Instant now);
  void OnResponse(base::Instant now);
  Event* Tag(Event::Kind kind) { return &events_[static_cast<size_t>(kind)]; }

  Shared* const shared_;
  const base::Duration pace_;  // between messages; 0: none
  base::Instant due_;
  Event events_[5];
  std::unique_ptr<v1::TreeService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::PipelineRequest, v1::PipelineResponse>> call_;
  v1::PipelineRequest request_;
  v1::PipelineResponse response_;
  std::deque<Sent> sent_;
  bool started_ = false;
  bool writing_ = false;
  bool half_closed_ = false;
  bool ended_ = false;
  grpc::Status status_;
};

base::Duration PaceOf(const LoadOptions& options) {
  if (options.operations_per_second <= 0) return base::Duration(0);
  const double seconds = static_cast<double>(options.streams * options.operations_per_message) /
                         options.operations_per_second;
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

std::shared_ptr<grpc::Channel> OwnConnection(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments);
}

Stream::Stream(Shared* shared, size_t number)
    : shared_(shared),
      pace_(PaceOf(shared->options)),
      // Streams take turns.
      due_(shared->started +
           pace_ * static_cast<int64_t>(number) / static_cast<int64_t>(shared->options.streams)),
      stub_(v1::TreeService::NewStub(OwnConnection(shared->options.endpoint))) {
  for (size_t kind = 0; kind < std::size(events_); ++kind) {
    events_[kind] = {this, static_cast<Event::Kind>(kind)};
  }
  call_ = stub_->AsyncPipeline(&context_, &shared_->queue, Tag(Event::Kind::kStarted));
}

void Stream::On(Event::Kind kind, bool ok) {
  const base::Instant now = Now();
  switch (kind) {
    case Event::Kind::kStarted:
      started_ = true;
      call_->Read(&response_, Tag(Event::Kind::kRead));
      break;
    case Event::Kind::kWritten:
    case Event::Kind::kHalfClosed:
      writing_ = false;  // when it is not ok, neither is the read
      break;
    case Event::Kind::kRead:
      if (!ok) {
        half_closed_ = true;
        call_->Finish(&status_, Tag(Event::Kind::kEnded));
        return;
      }
      OnResponse(now);
      call_->Read(&response_, Tag(Event::Kind::kRead));
      break;
    case Event::Kind::kEnded:
      ended_ = true;
      if (status_.ok() && !sent_.empty()) {
        status_ = {grpc::StatusCode::UNKNOWN, "the stream ended before it had answered all"};
      }
      return;
  }
  Proceed(now);
}

void Stream::Proceed(base::Instant now) {
  if (!idle()) return;
  if (shared_->over(now)) {
    half_closed_ = writing_ = true;
    call_->WritesDone(Tag(Event::Kind::kHalfClosed));
  } else if (window_open() && now >= due_) {
    Send(now);
  }
}

base::Instant Stream::wake() const {
  return idle() && window_open() ? std::max(due_, Now()) : base::kNever;
}

void Stream::Send(base::Instant now) {
  const auto count = static_cast<size_t>(
      std::min<uint64_t>(shared_->options.operations_per_message, shared_->left()));
  const bool paced = pace_ > base::Duration(0);
  sent_.push_back({paced ? due_ : now, shared_->next_operation, count});
  if (paced) due_ = due_ + pace_;
  while (static_cast<size_t>(request_.operations_size()) > count) {
    request_.mutable_operations()->RemoveLast();
  }
  for (size_t i = 0; i < count; ++i) {
    const bool old = i < static_cast<size_t>(request_.operations_size());
    shared_->workload.Make(
        shared_->next_operation++,
        old ? request_.mutable_operations(static_cast<int>(i)) : request_.add_operations());
  }
  writing_ = true;
  call_->Write(request_, Tag(Event::Kind::kWritten));
}

// Results come in the order of the operations, whatever messages they come in.
void Stream::OnResponse(base::Instant now) {
  LoadReport& report = shared_->report;
  const auto count = static_cast<size_t>(response_.results_size());
  for (const v1::PipelineResult& result : response_.results()) {
    CHECK(!sent_.empty());
    Sent& oldest = sent_.front();
    CHECK(result.request_id() == static_cast<int64_t>(oldest.first_operation));
    ++oldest.first_operation;
    if (result.has_error()) {
      if (report.failed++ == 0) report.first_failure = result.error().message();
    }
    report.latencies.Add(now - oldest.at);
    if (--oldest.left == 0) sent_.pop_front();
  }
  report.answered += count;
  report.elapsed = now - shared_->started;
  const auto second =
      static_cast<size_t>(std::chrono::duration_cast<std::chrono::seconds>(report.elapsed).count());
  if (report.by_second.size() <= second) report.by_second.resize(second + 1);
  report.by_second[second] += count;
}

absl::Status ToAbsl(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

// Waits for an event, but not beyond `until`; false: there was none.
bool Next(grpc::CompletionQueue* queue, base::Instant until, Stream::Event** event, bool* ok) {
  void* tag = nullptr;
  SystemTime deadline = SystemTime::max();
  if (until != base::kNever) {
    deadline = std::chrono::system_clock::now() +
               std::chrono::duration_cast<SystemTime::duration>(until - Now());
  }
  const grpc::CompletionQueue::NextStatus next = queue->AsyncNext(&tag, ok, deadline);
  CHECK(next != grpc::CompletionQueue::SHUTDOWN);
  *event = static_cast<Stream::Event*>(tag);
  return next == grpc::CompletionQueue::GOT_EVENT;
}

}  // namespace

double LoadReport::operations_per_second() const {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(answered) / seconds : 0;
}

absl::StatusOr<LoadReport> RunLoad(const LoadOptions& options, const Workload& workload) {
  CHECK(options.streams > 0);
  CHECK(options.operations_per_message > 0);
  CHECK(options.messages_outstanding > 0);
  Shared shared{.options = options, .workload = workload, .started = Now()};
  std::vector<std::unique_ptr<Stream>> streams;
  for (size_t i = 0; i < options.streams; ++i) {
    streams.push_back(std::make_unique<Stream>(&shared, i));
  }
  const auto ended = [](const auto& stream) { return stream->ended(); };
  while (!std::all_of(streams.begin(), streams.end(), ended)) {
    base::Instant until = base::kNever;
    if (options.operations_per_second > 0) {
      for (const auto& stream : streams) until = std::min(until, stream->wake());
    }
    Stream::Event* event = nullptr;
    bool ok = false;
    if (Next(&shared.queue, until, &event, &ok)) {
      event->stream->On(event->kind, ok);
    } else {
      for (const auto& stream : streams) stream->Proceed(Now());
    }
  }
  shared.queue.Shutdown();
  for (const auto& stream : streams) {
    if (!stream->status().ok()) return ToAbsl(stream->status());
  }
  return std::move(shared.report);
}

}  // namespace pando::load
