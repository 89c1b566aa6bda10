#include "cli/pipeline.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "cli/server_error.h"

namespace pando::cli {
namespace {

constexpr size_t kOutstandingMax = 2'048;
constexpr size_t kOutstandingBytesMax = 16 << 20;
// A message is sent when it holds so much, or when there is nothing more to put into it.
constexpr int kBatchOperations = 256;
constexpr size_t kBatchBytes = 256 << 10;

using Rpc = grpc::ClientReaderWriter<v1::PipelineRequest, v1::PipelineResponse>;

// Reads a stream's responses on a thread of its own, so that neither side waits for the other's
// flow control. What it holds is bounded by what the sender leaves outstanding.
class ResponseReader {
 public:
  explicit ResponseReader(Rpc* rpc) : thread_([this, rpc] { Run(rpc); }) {}
  ~ResponseReader() { thread_.join(); }

  // All responses so far; waits for one if `wait`. False: the stream has ended, and these are the
  // last.
  bool Take(bool wait, std::vector<v1::PipelineResponse>* responses) {
    std::unique_lock lock(mutex_);
    if (wait) changed_.wait(lock, [this] { return ended_ || !responses_.empty(); });
    responses->clear();
    responses->swap(responses_);
    return !ended_;
  }

 private:
  void Run(Rpc* rpc) {
    v1::PipelineResponse response;
    while (rpc->Read(&response)) {
      const std::lock_guard lock(mutex_);
      responses_.push_back(std::move(response));
      changed_.notify_one();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<v1::PipelineResponse> responses_;  // guarded by mutex_
  bool ended_ = false;                           // guarded by mutex_
  std::thread thread_;
};

// The operations that are not answered yet outlive the streams that carry them.
class Pipeline {
 public:
  Pipeline(Connection* connection, const PipelineTraffic& traffic)
      : connection_(*connection), traffic_(traffic) {}

  absl::Status Run() {
    const absl::Status called = connection_.Call(
        CallKind::kStream, [this](const Server& server, grpc::ClientContext* context) {
          return RunStream(server, context);
        });
    return failure_.ok() ? called : failure_;
  }

 private:
  // What stops the work on one stream.
  enum class Step { kGoOn, kStreamBroken, kFailed };

  struct Outstanding {
    v1::PipelineOperation operation;
    size_t bytes;
  };

  // OK when all is done, or when `failure_` says why not; else why the stream is no good.
  grpc::Status RunStream(const Server& server, grpc::ClientContext* context) {
    sent_ = 0;
    trouble_ = grpc::Status::OK;
    const std::unique_ptr<Rpc> rpc = server.tree->Pipeline(context);
    Step step = Step::kGoOn;
    {
      ResponseReader reader(rpc.get());
      bool done = false;
      while (step == Step::kGoOn && !done) {
        Fill();
        if (!Send(rpc.get())) {
          step = Step::kStreamBroken;
        } else if (outstanding_.empty()) {
          done = true;
        } else {
          step = TakeResults(&reader);
        }
      }
      if (done) {
        rpc->WritesDone();
      } else {
        context->TryCancel();
      }
    }
    const grpc::Status finished = rpc->Finish();
    if (step != Step::kStreamBroken) return grpc::Status::OK;
    if (!trouble_.ok()) return trouble_;
    if (!finished.ok()) return finished;
    return {grpc::StatusCode::UNAVAILABLE, "the server ended the stream"};
  }

  // Takes new operations as far as there is room for them.
  void Fill() {
    while (outstanding_.size() < kOutstandingMax && outstanding_bytes_ < kOutstandingBytesMax) {
      std::optional<v1::PipelineOperation> operation = traffic_.next();
      if (!operation) return;
      operation->set_request_id(++last_id_);
      const size_t bytes = operation->ByteSizeLong();
      outstanding_bytes_ += bytes;
      outstanding_.push_back({*std::move(operation), bytes});
    }
  }

  // Sends what is outstanding and was not sent on this stream. False: the stream is broken.
  bool Send(Rpc* rpc) {
    while (sent_ < outstanding_.size()) {
      v1::PipelineRequest request;
      if (traffic_.reads) {
        connection_.PrepareRead(request.mutable_header());
      } else {
        connection_.Prepare(request.mutable_header());
      }
      size_t bytes = 0;
      while (sent_ < outstanding_.size() && request.operations_size() < kBatchOperations) {
        const Outstanding& next = outstanding_[sent_];
        if (request.operations_size() > 0 && bytes + next.bytes > kBatchBytes) break;
        *request.add_operations() = next.operation;
        bytes += next.bytes;
        ++sent_;
      }
      if (!rpc->Write(request)) return false;
    }
    return true;
  }

  // Waits for results and hands them on.
  Step TakeResults(ResponseReader* reader) {
    std::vector<v1::PipelineResponse> responses;
    const bool more = reader->Take(/*wait=*/true, &responses);
    for (const v1::PipelineResponse& response : responses) {
      connection_.Heard(response.header());
      for (const v1::PipelineResult& result : response.results()) {
        const Step step = TakeResult(result);
        if (step != Step::kGoOn) return step;
      }
    }
    return more || outstanding_.empty() ? Step::kGoOn : Step::kStreamBroken;
  }

  Step TakeResult(const v1::PipelineResult& result) {
    if (sent_ == 0 || result.request_id() != outstanding_.front().operation.request_id()) {
      failure_ = absl::InternalError(
          absl::StrCat("the server answered operation ", result.request_id(), " out of order"));
      return Step::kFailed;
    }
    if (result.has_error()) {
      const ServerError error = ErrorOf(result.error());
      if (Judge(error) != Verdict::kRefused) {
        trouble_ = {grpc::StatusCode::UNAVAILABLE, Describe(error)};
        return Step::kStreamBroken;
      }
    }
    // Not before: a server that can only say what keeps it from serving is not tried for ever.
    connection_.Alive();
    const Outstanding answered = std::move(outstanding_.front());
    outstanding_.pop_front();
    outstanding_bytes_ -= answered.bytes;
    --sent_;
    failure_ = traffic_.on_result(answered.operation, result);
    return failure_.ok() ? Step::kGoOn : Step::kFailed;
  }

  Connection& connection_;
  const PipelineTraffic& traffic_;
  std::deque<Outstanding> outstanding_;
  size_t outstanding_bytes_ = 0;
  size_t sent_ = 0;  // how many of outstanding_, from the front, were sent on this stream
  int64_t last_id_ = 0;
  grpc::Status trouble_;  // what a result said of the server's state
  absl::Status failure_;
};

}  // namespace

absl::Status RunPipeline(Connection* connection, const PipelineTraffic& traffic) {
  return Pipeline(connection, traffic).Run();
}

}  // namespace pando::cli
