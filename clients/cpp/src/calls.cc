// The calls that travel on the Pipeline.
#include <utility>

#include "core.h"
#include "errors.h"
#include "operation.h"
#include "pando/client/session.h"

namespace pando::client {
namespace {

// Where a Pipeline has a request, and where the answer to it.
template <class Request, class Response>
struct Method {
  Request* (v1::PipelineOperation::*request)();
  Response* (v1::PipelineResult::*response)();
  bool is_write;
};

constexpr Method<v1::CreateRequest, v1::CreateResponse> kCreate{
    &v1::PipelineOperation::mutable_create, &v1::PipelineResult::mutable_create, true};
constexpr Method<v1::GetRequest, v1::GetResponse> kGet{&v1::PipelineOperation::mutable_get,
                                                       &v1::PipelineResult::mutable_get, false};
constexpr Method<v1::SetRequest, v1::SetResponse> kSet{&v1::PipelineOperation::mutable_set,
                                                       &v1::PipelineResult::mutable_set, true};
constexpr Method<v1::DeleteRequest, v1::DeleteResponse> kDelete{
    &v1::PipelineOperation::mutable_delete_, &v1::PipelineResult::mutable_delete_, true};
constexpr Method<v1::ListRequest, v1::ListResponse> kList{&v1::PipelineOperation::mutable_list,
                                                          &v1::PipelineResult::mutable_list, false};
constexpr Method<v1::GetAclRequest, v1::GetAclResponse> kGetAcl{
    &v1::PipelineOperation::mutable_get_acl, &v1::PipelineResult::mutable_get_acl, false};
constexpr Method<v1::SetAclRequest, v1::SetAclResponse> kSetAcl{
    &v1::PipelineOperation::mutable_set_acl, &v1::PipelineResult::mutable_set_acl, true};
constexpr Method<v1::TransactRequest, v1::TransactResponse> kTransact{
    &v1::PipelineOperation::mutable_transact, &v1::PipelineResult::mutable_transact, true};
constexpr Method<v1::SyncRequest, v1::SyncResponse> kSync{&v1::PipelineOperation::mutable_sync,
                                                          &v1::PipelineResult::mutable_sync, false};

template <class Request, class Response>
void Ask(Core* core, const Method<Request, Response>& method, Request request,
         Callback<Response> done, const CallOptions& options) {
  auto operation = std::make_shared<Operation>();
  operation->is_write = method.is_write;
  operation->linearizable =
      !method.is_write &&
      (options.linearizable || request.header().consistency() == v1::CONSISTENCY_LINEARIZABLE);
  operation->timeout = core->TimeoutOf(options.timeout);
  request.clear_header();
  *(operation->message.*method.request)() = std::move(request);
  operation->done = [done = std::move(done), response = method.response](
                        absl::StatusOr<v1::PipelineResult*> result,
                        const v1::ResponseHeader& header) mutable {
    if (!result.ok()) return done(result.status());
    Response answer = std::move(*((*result)->*response)());
    *answer.mutable_header() = header;
    done(std::move(answer));
  };
  core->Submit(std::move(operation));
}

}  // namespace

// --- Many at once --------------------------------------------------------------------------------

void Session::AsyncCreate(v1::CreateRequest request, Callback<v1::CreateResponse> done,
                          CallOptions options) {
  Ask(core_.get(), kCreate, std::move(request), std::move(done), options);
}

void Session::AsyncGet(v1::GetRequest request, Callback<v1::GetResponse> done,
                       CallOptions options) {
  Ask(core_.get(), kGet, std::move(request), std::move(done), options);
}

void Session::AsyncSet(v1::SetRequest request, Callback<v1::SetResponse> done,
                       CallOptions options) {
  Ask(core_.get(), kSet, std::move(request), std::move(done), options);
}

void Session::AsyncDelete(v1::DeleteRequest request, Callback<v1::DeleteResponse> done,
                          CallOptions options) {
  Ask(core_.get(), kDelete, std::move(request), std::move(done), options);
}

void Session::AsyncList(v1::ListRequest request, Callback<v1::ListResponse> done,
                        CallOptions options) {
  Ask(core_.get(), kList, std::move(request), std::move(done), options);
}

void Session::AsyncGetAcl(v1::GetAclRequest request, Callback<v1::GetAclResponse> done,
                          CallOptions options) {
  Ask(core_.get(), kGetAcl, std::move(request), std::move(done), options);
}

void Session::AsyncSetAcl(v1::SetAclRequest request, Callback<v1::SetAclResponse> done,
                          CallOptions options) {
  Ask(core_.get(), kSetAcl, std::move(request), std::move(done), options);
}

void Session::AsyncTransact(v1::TransactRequest request, Callback<v1::TransactResponse> done,
                            CallOptions options) {
  Ask(core_.get(), kTransact, std::move(request), std::move(done), options);
}

void Session::AsyncSync(Callback<v1::SyncResponse> done, CallOptions options) {
  Ask(core_.get(), kSync, v1::SyncRequest(), std::move(done), options);
}

// --- One at a time -------------------------------------------------------------------------------

absl::StatusOr<v1::CreateResponse> Session::Create(v1::CreateRequest request, CallOptions options) {
  return Await<v1::CreateResponse>(
      [&](auto done) { AsyncCreate(std::move(request), std::move(done), options); });
}

absl::StatusOr<v1::GetResponse> Session::Get(v1::GetRequest request, CallOptions options) {
  return Await<v1::GetResponse>(
      [&](auto done) { AsyncGet(std::move(request), std::move(done), options); });
}

absl::StatusOr<v1::SetResponse> Session::Set(v1::SetRequest request, CallOptions options) {
  return Await<v1::SetResponse>(
      [&](auto done) { AsyncSet(std::move(request), std::move(done), options); });
}

absl::StatusOr<v1::DeleteResponse> Session::Delete(v1::DeleteRequest request, CallOptions options) {
  return Await<v1::DeleteResponse>(
      [&](auto done) { AsyncDelete(std::move(request), std::move(done), options); });
}

absl::StatusOr<v1::ListResponse> Session::List(v1::ListRequest request, CallOptions options) {
  return Await<v1::ListResponse>(
      [&](auto done) { AsyncList(std::move(request), std::move(done), options); });
}

absl::StatusOr<std::vector<v1::ListEntry>> Session::Children(v1::ListRequest request,
                                                             CallOptions options) {
  std::vector<v1::ListEntry> children;
  do {
    absl::StatusOr<v1::ListResponse> page = List(request, options);
    if (!page.ok()) return page.status();
    std::move(page->mutable_entries()->begin(), page->mutable_entries()->end(),
              std::back_inserter(children));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return children;
}

absl::StatusOr<v1::GetAclResponse> Session::GetAcl(v1::GetAclRequest request, CallOptions options) {
  return Await<v1::GetAclResponse>(
      [&](auto done) { AsyncGetAcl(std::move(request), std::move(done), options); });
}

absl::StatusOr<v1::SetAclResponse> Session::SetAcl(v1::SetAclRequest request, CallOptions options) {
  return Await<v1::SetAclResponse>(
      [&](auto done) { AsyncSetAcl(std::move(request), std::move(done), options); });
}

absl::StatusOr<v1::TransactResponse> Session::Transact(v1::TransactRequest request,
                                                       CallOptions options) {
  return Await<v1::TransactResponse>(
      [&](auto done) { AsyncTransact(std::move(request), std::move(done), options); });
}

absl::StatusOr<v1::SyncResponse> Session::Sync(CallOptions options) {
  return Await<v1::SyncResponse>([&](auto done) { AsyncSync(std::move(done), options); });
}

absl::StatusOr<Subtree> Session::Walk(v1::WalkRequest request, CallOptions options) {
  return Await<Subtree>(
      [&](auto done) { AsyncWalk(std::move(request), std::move(done), options); });
}

absl::StatusOr<std::unique_ptr<Watch>> Session::Watch(std::vector<v1::WatchTarget> targets,
                                                      WatchOptions options) {
  return Await<std::unique_ptr<client::Watch>>(
      [&](auto done) { AsyncWatch(std::move(targets), std::move(done), std::move(options)); });
}

}  // namespace pando::client
