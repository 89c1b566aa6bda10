// Native watches, up to the Outboxes of their streams: beyond these is gRPC.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "acl/scheme.h"
#include "base/check.h"
#include "io/client.h"
#include "io/event.h"
#include "server.h"
#include "workload.h"

namespace pando::guard {
namespace {

constexpr uint64_t kStreams = 1'000;

class Outbox : public io::Stream {
 public:
  bool TryWrite(model::StreamBatch batch) override {
    selected_ += batch.selected.size();
    return true;
  }
  bool TryWriteInitial(model::Revision, model::WalkResult) override { return false; }
  void WriteInitialDone(model::Revision, model::WalkResult) override {}
  void End(model::Error) override { CHECK(false); }

  size_t selected() const { return selected_; }

 private:
  size_t selected_ = 0;
};

class Watched : public io::Egress {
 public:
  Watched() : server_(this) {
    for (uint64_t id = 1; id <= kStreams; ++id) {
      outboxes_.push_back(std::make_shared<Outbox>());
      io::WatchOpen open;
      open.stream = model::StreamId(id);
      open.outbox = outboxes_.back();
      open.identities = {acl::kAnyone};
      open.targets = {
          {.path = PathOf(0), .kind = model::WatchTarget::Kind::kNode, .with_data = true}};
      server_.inbox()->Post(std::move(open));
    }
    server_.Run();
  }

  void Set() {
    server_.Post(model::Set{.path = PathOf(0), .data = std::string(kValueBytes, 'e')});
    server_.Run();
    ++sets_;
    CHECK(outboxes_.front()->selected() == sets_);
    CHECK(outboxes_.back()->selected() == sets_);
  }

  // io::Egress
  void Send(std::vector<Parcel>) override {}

 private:
  std::vector<std::shared_ptr<Outbox>> outboxes_;
  size_t sets_ = 0;
  Server server_;
};

}  // namespace

Workload MakeFanOut() {
  return {.turn = [watched = std::make_shared<Watched>()] { watched->Set(); }};
}

}  // namespace pando::guard
