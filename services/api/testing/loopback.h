// Loopback: a real Server and a real client in one process. The test is the core: it takes what
// came into the Inbox one by one, and answers through the egress.
#ifndef PANDO_API_TESTING_LOOPBACK_H_
#define PANDO_API_TESTING_LOOPBACK_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/server.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/status.h"
#include "io/inbox.h"
#include "io/testing/drain.h"
#include "model/acl.h"
#include "model/limits.h"
#include "pando/internal/v1/error.pb.h"
#include "pando/v1/cluster.grpc.pb.h"
#include "pando/v1/lock.grpc.pb.h"
#include "pando/v1/session.grpc.pb.h"
#include "pando/v1/tree.grpc.pb.h"

namespace pando::api {

inline constexpr model::ClusterId kCluster(0xC1);
inline constexpr char kToken[] = "0123456789abcdef";

class Loopback : public testing::Test {
 protected:
  // What the server counted: "TreeService/Get OK".
  std::vector<std::string> counted() {
    base::MutexLock lock(&mutex_);
    return counted_;
  }

  // What went on record: "denied TreeService/Set ip:127.0.0.1 PERMISSION_DENIED /path".
  std::vector<std::string> audited() {
    base::MutexLock lock(&mutex_);
    return audited_;
  }

  Loopback() { Restart("127.0.0.1:0"); }

  ~Loopback() override {
    if (server_) server_->Shutdown(std::chrono::seconds(0));
  }

  void Restart(const std::string& address) {
    Options options;
    options.listen_address = address;
    options.refusals = &refusals_;
    options.server = model::ServerId(3);
    options.value_bytes_max = model::kValueBytesDefault;
    options.now = [this] { return base::Instant{base::Duration(now_ns_.load())}; };
    options.random_bytes = [](size_t size) { return std::string(kToken).substr(0, size); };
    options.cluster = [] { return kCluster; };
    options.term = [] { return model::Term(7); };
    options.on_request = [this](std::string_view method, base::Duration, const char* reason) {
      base::MutexLock lock(&mutex_);
      counted_.push_back(std::string(method) + " " + reason);
    };
    options.super_digest = super_digest_;
    options.administrators = administrators_;
    options.on_audit = [this](const AuditEntry& entry) {
      base::MutexLock lock(&mutex_);
      audited_.push_back(absl::StrCat(entry.denied ? "denied " : "done ", base::View(entry.method),
                                      " ", base::View(entry.caller), " ", base::View(entry.reason),
                                      " ", base::View(entry.path)));
    };
    options.on_watch_delivery = [this](base::Duration, size_t events) { delivered_ += events; };
    auto started = Server::Start(std::move(options), &inbox_);
    CHECK(started.ok());
    server_ = *std::move(started);
    server_->SetServing(true);
    address_ = "127.0.0.1:" + std::to_string(server_->port());
    channel_ = grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
    tree_ = v1::TreeService::NewStub(channel_);
    sessions_ = v1::SessionService::NewStub(channel_);
  }

  // The next thing that came in; waits for it.
  template <class Event>
  Event Next() {
    for (int i = 0; events_.empty() && i < 30; ++i) Drain(std::chrono::seconds(1));
    CHECK(!events_.empty());
    io::Event event = std::move(events_.front());
    events_.pop_front();
    Event* wanted = std::get_if<Event>(&event);
    CHECK(wanted != nullptr);
    return std::move(*wanted);
  }
  io::RequestBatch NextRequests() { return Next<io::RequestBatch>(); }
  // Nothing is there now.
  bool NothingCame() {
    Drain(base::Duration(0));
    return events_.empty();
  }

  void Answer(const io::RequestBatch& batch, std::vector<model::Reply> replies,
              model::Revision stream_revision = {}) {
    CHECK(batch.requests.size() == replies.size());
    std::vector<io::Completion> completions;
    for (size_t i = 0; i < replies.size(); ++i) {
      completions.push_back({batch.requests[i].tag, stream_revision, std::move(replies[i])});
    }
    std::vector<io::Egress::Parcel> parcels;
    parcels.push_back({batch.sink, std::move(completions)});
    server_->egress()->Send(std::move(parcels));
  }

  // Holds the Inbox full until the next Drain.
  void FillInbox() {
    io::RequestBatch batch;
    batch.requests.resize(model::kInboxRequestsMax);
    CHECK(inbox_.TryPost(std::move(batch)));
  }

  static model::Reply Ok(uint64_t revision, model::OperationResult result = {}) {
    model::Reply reply;
    reply.revision = model::Revision(revision);
    reply.result = std::move(result);
    return reply;
  }
  static model::Reply OkSession(uint64_t revision, model::SessionResult result) {
    model::Reply reply;
    reply.revision = model::Revision(revision);
    reply.result = result;
    return reply;
  }
  static model::Reply Refusal(model::Reason reason, uint64_t revision = 1) {
    model::Reply reply = model::Reply::Failure({.reason = reason});
    reply.revision = model::Revision(revision);
    return reply;
  }

  template <class Body>
  static const Body& BodyOf(const io::Request& request) {
    if constexpr (std::is_constructible_v<model::QueryBody, Body>) {
      return std::get<Body>(std::get<model::Query>(request.body).body);
    } else {
      return std::get<Body>(std::get<model::Command>(request.body).body);
    }
  }
  static const model::Command& CommandOf(const io::Request& request) {
    return std::get<model::Command>(request.body);
  }

  // A call that blocks, on a thread of its own.
  template <class Call>
  static std::future<grpc::Status> Async(Call call) {
    return std::async(std::launch::async, std::move(call));
  }

  // The reason in a status's details; empty if it has none.
  static std::string ReasonIn(const grpc::Status& status) {
    internal::v1::Status details;
    internal::v1::ErrorInfo info;
    if (!details.ParseFromString(status.error_details()) || details.details_size() != 1) return {};
    if (!info.ParseFromString(details.details(0).value())) return {};
    return info.reason();
  }

  void Drain(base::Duration timeout) {
    std::vector<io::Event> events;
    io::Drain(&inbox_, timeout, &events);
    for (io::Event& event : events) {
      // What FillInbox put there has nobody to answer.
      const auto* batch = std::get_if<io::RequestBatch>(&event);
      if (batch == nullptr || batch->sink != nullptr) events_.push_back(std::move(event));
    }
  }

  std::atomic<int64_t> now_ns_{1'000'000'000};
  std::atomic<size_t> delivered_{0};
  base::Mutex mutex_;
  std::vector<std::string> counted_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::string> audited_ PANDO_GUARDED_BY(mutex_);
  std::string super_digest_;
  model::Acl administrators_ = {{model::kAdmin, {"world", "anyone"}}};
  net::Refusals refusals_{"client",
                          [this] { return base::Instant{base::Duration(now_ns_.load())}; }};
  io::Inbox inbox_;
  std::deque<io::Event> events_;
  std::unique_ptr<Server> server_;
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::TreeService::Stub> tree_;
  std::unique_ptr<v1::SessionService::Stub> sessions_;
};

}  // namespace pando::api

#endif  // PANDO_API_TESTING_LOOPBACK_H_
