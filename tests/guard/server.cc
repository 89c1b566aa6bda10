#include "server.h"

#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acl/scheme.h"
#include "base/check.h"
#include "base/rng.h"
#include "machine/machine.h"
#include "model/limits.h"

namespace pando::guard {
namespace {

// As busy a server turns, and as often its store is written: at 1,000 writes in half a second.
constexpr base::Duration kTurn = std::chrono::milliseconds(1);
constexpr uint64_t kRevisionsStoredTogether = 1'000;
// Longer than every election timeout.
constexpr base::Duration kElection = std::chrono::seconds(1);

class Nobody : public io::ReplySink {
 public:
  void Deliver(std::vector<io::Completion>) override {}
};

replica::Options Alone() {
  replica::Options options;
  options.id = model::ServerId(1);
  options.storage = model::StorageId(1);
  options.start = model::StartCount(1);
  options.self = {.id = options.id,
                  .storage = options.storage,
                  .peer_address = "guard:1",
                  .version_min = 1,
                  .version_max = 1};
  options.initial_membership.members = {options.self};
  options.value_bytes_max = model::kMiB;
  return options;
}

replica::Recovered Empty() {
  replica::Recovered recovered;
  recovered.machine = std::make_unique<machine::Machine>();
  recovered.oldest_change = model::Revision(1);
  recovered.raft.first_on_disk = model::Revision(1);
  return recovered;
}

}  // namespace

std::string PathOf(size_t number) {
  return absl::StrCat("/services/web/node-", absl::Dec(number, absl::kZeroPad4));
}

Server::Server(io::Egress* egress) : nobody_(std::make_shared<Nobody>()) {
  replica::Adapters adapters;
  adapters.log = this;
  adapters.store = this;
  adapters.egress = egress;
  adapters.post = [this](io::Event event) { inbox_.Post(std::move(event)); };
  replica_ = std::make_unique<replica::Replica>(Alone(), Empty(), std::move(adapters),
                                                replica::Observer(), base::Rng(1), now_);
  now_ = now_ + kElection;
  Turn();
  Run();
  CHECK(replica_->machine().cluster());
  for (size_t i = 0; i < kNodes; ++i) {
    Post(model::Create{
        .path = PathOf(i), .data = std::string(kValueBytes, 'd'), .create_parents = true});
    Run();
  }
  CHECK(replica_->machine().counts().nodes > kNodes);
}

Server::~Server() = default;

void Server::Post(model::CommandBody body) {
  model::Command command;
  command.identities = {acl::kAnyone};
  command.body = std::move(body);
  io::RequestBatch batch;
  batch.sink = nobody_;
  batch.requests.push_back({.body = std::move(command)});
  CHECK(inbox_.TryPost(std::move(batch)));
}

void Server::Run() {
  for (;;) {
    inbox_.Take([this] { return now_; }, now_, &events_);
    if (events_.empty()) return;
    Turn();
  }
}

void Server::Turn() {
  now_ = now_ + kTurn;
  for (io::Event& event : events_) replica_->Handle(now_, Wall(), std::move(event));
  events_.clear();
  replica_->Flush(now_, Wall());
}

base::WallTime Server::Wall() const {
  return {1'700'000'000'000 + now_.since_start / std::chrono::milliseconds(1)};
}

void Server::Append(io::Append append) { inbox_.Post(io::Persisted{append.id}); }

void Server::Write(io::StoreWrite write) {
  if (write.revision < stored_ + kRevisionsStoredTogether) return;
  stored_ = write.revision;
  inbox_.Post(io::Stored{.revision = stored_, .oldest_change = model::Revision(1)});
}

// A server alone that is never behind asks for nothing of this.
void Server::Read(model::Revision, size_t) { CHECK(false); }
void Server::Reset(model::Revision, model::Term) { CHECK(false); }
void Server::ReadChanges(model::Revision, size_t) { CHECK(false); }
void Server::StartScan(io::Scan) { CHECK(false); }
void Server::Install(io::InstallId) { CHECK(false); }
void Server::Discard(io::InstallId) { CHECK(false); }

}  // namespace pando::guard
