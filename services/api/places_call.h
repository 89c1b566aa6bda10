// PlacesCall: a call that reads a whole queue (recipe/queue.h), page by page: Describe and Leader.
#ifndef PANDO_API_PLACES_CALL_H_
#define PANDO_API_PLACES_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/call.h"
#include "base/mutex.h"
#include "io/client.h"
#include "recipe/queue.h"

namespace pando::api {

// Thread-safe.
class PlacesCall : public grpc::ServerUnaryReactor,
                   public io::ReplySink,
                   public std::enable_shared_from_this<PlacesCall> {
 public:
  // Fills in the response, of the revision of the last page. The head is the first.
  using WriteResponse = std::function<void(model::Revision, const std::vector<recipe::Place>&)>;

  static grpc::ServerUnaryReactor* Start(const Call& call, const v1::RequestHeader& header,
                                         const std::string& name, WriteResponse write);

  PlacesCall(const Call& call, const std::string& name, WriteResponse write);

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override { self_.reset(); }

 private:
  void PostPage() PANDO_REQUIRES(mutex_);
  void End(const model::Error& error) PANDO_REQUIRES(mutex_);

  const Call call_;
  const WriteResponse write_;

  base::Mutex mutex_;
  Caller caller_ PANDO_GUARDED_BY(mutex_);
  recipe::Listing listing_ PANDO_GUARDED_BY(mutex_);
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<PlacesCall> self_;  // until OnDone
};

}  // namespace pando::api

#endif  // PANDO_API_PLACES_CALL_H_
