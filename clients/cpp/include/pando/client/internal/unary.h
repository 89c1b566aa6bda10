// What Session::Call needs of a unary rpc: its types are the caller's, the tries are the session's.
// Not for use by itself.
#ifndef PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_INTERNAL_UNARY_H_
#define PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_INTERNAL_UNARY_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "pando/v1/common.pb.h"

namespace pando::client::internal {

// PrepareAsyncX of a generated stub.
template <class Stub, class Request, class Response>
using UnaryMethod = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (Stub::*)(
    grpc::ClientContext*, const Request&, grpc::CompletionQueue*);

// One try, on one server.
class UnaryTry {
 public:
  virtual ~UnaryTry() = default;
  // The queue gives `tag` back when `status` is there.
  virtual void Start(const std::shared_ptr<grpc::Channel>& channel, const v1::RequestHeader& header,
                     grpc::CompletionQueue* queue, void* tag) = 0;
  // Of the response.
  virtual const v1::ResponseHeader& header() const = 0;
  // Its response is the call's.
  virtual void Keep() = 0;

  grpc::ClientContext context;
  grpc::Status status;
};

// A call, however many tries it takes.
class UnaryCall {
 public:
  virtual ~UnaryCall() = default;
  // A try lives no longer than its call.
  virtual std::shared_ptr<UnaryTry> NewTry() = 0;
};

template <class Stub, class Request, class Response>
class UnaryCallOf final : public UnaryCall {
 public:
  UnaryCallOf(UnaryMethod<Stub, Request, Response> method, Request request)
      : method_(method), request_(std::move(request)) {}

  std::shared_ptr<UnaryTry> NewTry() override { return std::make_shared<Try>(this); }

  Response& response() { return response_; }

 private:
  class Try final : public UnaryTry {
   public:
    explicit Try(UnaryCallOf* call) : call_(call) {}

    void Start(const std::shared_ptr<grpc::Channel>& channel, const v1::RequestHeader& header,
               grpc::CompletionQueue* queue, void* tag) override {
      Request request = call_->request_;
      const v1::Consistency consistency = request.header().consistency();
      *request.mutable_header() = header;
      if (consistency != v1::CONSISTENCY_UNSPECIFIED) {
        request.mutable_header()->set_consistency(consistency);
      }
      Stub stub(channel);
      reader_ = (stub.*call_->method_)(&context, request, queue);
      reader_->StartCall();
      reader_->Finish(&response_, &status, tag);
    }

    const v1::ResponseHeader& header() const override { return response_.header(); }

    void Keep() override { call_->response_ = std::move(response_); }

   private:
    UnaryCallOf* const call_;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader_;
    Response response_;
  };

  const UnaryMethod<Stub, Request, Response> method_;
  const Request request_;
  Response response_;
};

}  // namespace pando::client::internal

#endif  // PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_INTERNAL_UNARY_H_
