// Server: a server alone in its ensemble, between a disk and a store that keep nothing and an
// egress of the caller's. Its Replica and its Inbox are the real ones, and it turns as
// server/core_thread.h does; time passes by the turn.
#ifndef PANDO_TESTS_GUARD_SERVER_H_
#define PANDO_TESTS_GUARD_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/client.h"
#include "io/inbox.h"
#include "io/log.h"
#include "io/store.h"
#include "model/command.h"
#include "replica/replica.h"

namespace pando::guard {

inline constexpr size_t kNodes = 1'000;
inline constexpr size_t kValueBytes = 100;

// Of node `number`, that every Server has.
std::string PathOf(size_t number);

class Server : private io::Log, private io::Store {
 public:
  // It leads, and has its nodes. `egress` outlives it.
  explicit Server(io::Egress* egress);
  ~Server() override;

  io::Inbox* inbox() { return &inbox_; }
  // Turns until nothing is left to do.
  void Run();
  base::Instant now() const { return now_; }
  model::Revision applied() const { return replica_->machine().applied(); }

  // Posts a command, without a lane; nobody hears of its reply.
  void Post(model::CommandBody body);

 private:
  void Turn();
  base::WallTime Wall() const;

  // io::Log: on the disk at once.
  void Append(io::Append append) override;
  void DropPrefix(model::Revision) override {}
  void Read(model::Revision, size_t) override;
  void Reset(model::Revision, model::Term) override;

  // io::Store: stored now and then.
  void Write(io::StoreWrite write) override;
  void ReadChanges(model::Revision, size_t) override;
  void StartScan(io::Scan) override;
  void Install(io::InstallId) override;
  void Discard(io::InstallId) override;

  base::Instant now_;
  io::Inbox inbox_;
  std::vector<io::Event> events_;
  std::shared_ptr<io::ReplySink> nobody_;
  model::Revision stored_;
  std::unique_ptr<replica::Replica> replica_;
};

}  // namespace pando::guard

#endif  // PANDO_TESTS_GUARD_SERVER_H_
