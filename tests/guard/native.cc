// The native API: what stands between the bytes of a Pipeline's messages. gRPC's own part, which
// has threads, is not in it.
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "acl/scheme.h"
#include "api/translate.h"
#include "base/check.h"
#include "base/rng.h"
#include "io/client.h"
#include "pando/v1/tree.pb.h"
#include "server.h"
#include "workload.h"

namespace pando::guard {
namespace {

class Pipeline : public io::Egress,
                 public io::ReplySink,
                 public std::enable_shared_from_this<Pipeline> {
 public:
  Pipeline() : server_(this) {}

  void Exchange(const std::string& request) {
    CHECK(request_.ParseFromString(request));
    io::RequestBatch batch;
    batch.sink = shared_from_this();
    batch.lane = model::LaneId(1);
    batch.bytes = request_.ByteSizeLong();
    for (const v1::PipelineOperation& operation : request_.operations()) {
      std::variant<model::CommandBody, model::QueryBody> body;
      CHECK(api::FromProto(operation, model::kMiB, &body).ok());
      shapes_.push_back(api::ShapeOf(operation));
      batch.requests.push_back(RequestOf(std::move(body)));
    }
    CHECK(server_.inbox()->TryPost(std::move(batch)));
    v1::PipelineResponse response;
    response_ = &response;
    server_.Run();
    CHECK(shapes_.size() == static_cast<size_t>(response.results_size()));
    shapes_.clear();
    std::string bytes;
    CHECK(response.SerializeToString(&bytes));
  }

  // io::Egress
  void Send(std::vector<Parcel> parcels) override {
    for (Parcel& parcel : parcels) parcel.sink->Deliver(std::move(parcel.completions));
  }
  // io::ReplySink
  void Deliver(std::vector<io::Completion> completions) override {
    for (const io::Completion& completion : completions) {
      CHECK(completion.reply.ok());
      const auto place = static_cast<size_t>(response_->results_size());
      api::ToProto(completion.reply, shapes_.at(place), response_->add_results());
    }
  }

 private:
  io::Request RequestOf(std::variant<model::CommandBody, model::QueryBody> body) const {
    if (auto* query = std::get_if<model::QueryBody>(&body)) {
      return {.body = model::Query{identities_, {}, std::move(*query)}};
    }
    model::Command command;
    command.identities = identities_;
    command.body = std::move(std::get<model::CommandBody>(body));
    return {.body = std::move(command)};
  }

  const std::vector<model::Identity> identities_ = {acl::kAnyone, {acl::kIpScheme, "10.0.0.1"}};
  v1::PipelineRequest request_;
  std::vector<api::PipelineShape> shapes_;
  v1::PipelineResponse* response_ = nullptr;
  Server server_;
};

// `fill(path, operation)` says what is asked of a node.
template <class Fill>
Workload MakePipeline(Fill fill) {
  const auto rng = std::make_shared<base::Rng>(1);
  std::vector<std::string> requests(64);
  for (std::string& bytes : requests) {
    v1::PipelineRequest request;
    for (size_t i = 0; i < kRequestsInTurn; ++i) {
      fill(PathOf(rng->Below(kNodes)), request.add_operations());
    }
    bytes = request.SerializeAsString();
  }
  const auto pipeline = std::make_shared<Pipeline>();
  size_t next = 0;
  return {.turn = [pipeline, requests = std::move(requests),
                   next]() mutable { pipeline->Exchange(requests[next++ % requests.size()]); },
          .operations = kRequestsInTurn};
}

}  // namespace

Workload MakeSet() {
  return MakePipeline([](const std::string& path, v1::PipelineOperation* operation) {
    operation->mutable_set()->set_path(path);
    operation->mutable_set()->set_data(std::string(kValueBytes, 'e'));
  });
}

Workload MakeGet() {
  return MakePipeline([](const std::string& path, v1::PipelineOperation* operation) {
    operation->mutable_get()->set_path(path);
  });
}

}  // namespace pando::guard
