// Calls: a client of a SimServer. What a crash swallows is never answered. One test thread.
#ifndef PANDO_SIM_TESTING_CALLS_H_
#define PANDO_SIM_TESTING_CALLS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "io/client.h"
#include "sim/sim_server.h"

namespace pando::sim {

class Calls : public io::ReplySink, public std::enable_shared_from_this<Calls> {
 public:
  using Callback = std::function<void(const model::Reply&)>;

  explicit Calls(SimServer* server) : server_(server) {}

  void Send(io::Request request, model::LaneId lane, Callback callback) {
    request.tag = ++last_tag_;
    callbacks_[request.tag] = std::move(callback);
    io::RequestBatch batch;
    batch.sink = shared_from_this();
    batch.lane = lane;
    batch.requests.push_back(std::move(request));
    server_->Post(std::move(batch));
  }

  void Deliver(std::vector<io::Completion> completions) override {
    for (const io::Completion& completion : completions) {
      const auto found = callbacks_.find(completion.tag);
      ASSERT_NE(found, callbacks_.end()) << "answered twice";
      const Callback callback = std::move(found->second);
      callbacks_.erase(found);
      callback(completion.reply);
    }
  }

 private:
  SimServer* const server_;
  uint64_t last_tag_ = 0;
  std::map<uint64_t, Callback> callbacks_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_TESTING_CALLS_H_
