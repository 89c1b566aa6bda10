// The specification of watches: whatever happens, every stream gets the exact projection of the
// committed changes from its start, each once and in order, or it is told that it cannot.
//
// A World is a history of random changes to a small tree, a change log that is stored late, trimmed
// and read in random cuts, and clients whose Outboxes are randomly full. What a client must get is
// computed from the whole history, by other and simpler means than those under test.
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "gtest/gtest.h"
#include "watch/streams.h"

namespace pando::watch {
namespace {

using model::Change;
using model::ChangeBatch;
using model::ChangeKind;
using model::Reason;
using model::Revision;
using model::SessionId;
using model::StreamBatch;
using model::StreamId;
using model::WatchTarget;
using std::chrono::milliseconds;
using std::chrono::seconds;

using AclPtr = std::shared_ptr<const model::Acl>;

constexpr base::Duration kNoLeaderLimit = seconds(5);

// How often what the test is about came to pass, over all seeds.
struct Tally {
  size_t events = 0;
  size_t marks = 0;
  size_t refusals = 0;
  size_t reads = 0;
  size_t compacted = 0;
  size_t refused_starts = 0;
  size_t ended_by_once = 0;
  size_t no_leader = 0;
  size_t initial = 0;
  size_t to_the_end = 0;
};

struct Client {
  StreamId id;
  SessionId session;
  std::vector<model::Identity> identities;
  std::vector<WatchTarget> targets;
  Revision start;  // the first revision that it must get; none: its initial state is being sent
  Revision opened_at;

  std::vector<StreamBatch> received;
  std::optional<model::Error> end;
  bool closed = false;
  bool may_lag = false;  // its Outbox was full, or its start was in the past
  size_t room = 0;
  bool refused = false;  // and not drained since

  bool open() const { return !closed && !end; }
  Revision told() const { return received.empty() ? start - 1 : received.back().revision; }
};

// The events that a client must get of one revision.
struct Expected {
  Revision revision;
  std::vector<StreamBatch::Selected> selected;
};
struct Projection {
  std::vector<Expected> events;
  std::optional<Revision> last;  // the revision in which the last `once` target ends
};

// --- What must come, simply ---------------------------------------------------------------------

bool Reads(const model::Acl& acl, const Client& client) {
  for (const model::AclEntry& entry : acl) {
    if (!(entry.permissions & model::kRead)) continue;
    if (entry.identity == model::Identity{"world", "anyone"}) return true;
    for (const model::Identity& identity : client.identities) {
      if (identity == entry.identity) return true;
    }
  }
  return false;
}

bool Concerns(const WatchTarget& target, const Change& change) {
  const std::string below = target.path == "/" ? "/" : target.path + "/";
  const bool is_below = change.path.size() > below.size() && change.path.rfind(below, 0) == 0;
  switch (target.kind) {
    case WatchTarget::Kind::kNode:
      return change.path == target.path;
    case WatchTarget::Kind::kSubtree:
      return change.path == target.path || is_below;
    case WatchTarget::Kind::kChildren:
      return is_below && change.path.find('/', below.size()) == std::string::npos &&
             (change.kind == ChangeKind::kCreated || change.kind == ChangeKind::kDeleted);
  }
  return false;
}

Projection Project(const Client& client,
                   const std::vector<std::shared_ptr<const ChangeBatch>>& history) {
  Projection projection;
  std::vector<WatchTarget> targets = client.targets;
  for (const auto& batch : history) {
    if (batch->revision < client.start) continue;
    Expected expected{batch->revision, {}};
    for (uint32_t i = 0; i < batch->changes.size(); ++i) {
      const Change& change = batch->changes[i];
      bool matched = false;
      bool with_data = false;
      for (auto target = targets.begin(); target != targets.end();) {
        const bool children = target->kind == WatchTarget::Kind::kChildren;
        if (!Concerns(*target, change) ||
            !Reads(children ? *change.parent_acl : *change.acl, client)) {
          ++target;
          continue;
        }
        matched = true;
        if (target->with_data && Reads(*change.acl, client)) with_data = true;
        target = target->once ? targets.erase(target) : target + 1;
      }
      if (matched) expected.selected.push_back({i, with_data});
    }
    if (expected.selected.empty()) continue;
    projection.events.push_back(expected);
    if (!targets.empty()) continue;
    projection.last = batch->revision;
    break;
  }
  return projection;
}

// --- The world ------------------------------------------------------------------------------

class World : public Streams::Sink {
 public:
  World(uint64_t seed, Tally* tally) : rng_(seed), tally_(tally) {
    acls_ = {
        std::make_shared<const model::Acl>(model::OpenAcl()),
        std::make_shared<const model::Acl>(model::OpenAcl()),
        std::make_shared<const model::Acl>(model::Acl{{model::kAllPermissions, {"digest", "ann"}}}),
        std::make_shared<const model::Acl>(model::Acl{{model::kWrite, {"world", "anyone"}},
                                                      {model::kRead, {"digest", "ann"}},
                                                      {model::kRead, {"digest", "bob"}}}),
        std::make_shared<const model::Acl>(
            model::Acl{{model::kAllPermissions & ~model::kRead, {"world", "anyone"}}})};
    tree_["/"] = acls_[0];
    leaderless_ends_ = rng_.Chance(200);
    // What a former run of the server has left.
    const uint64_t former = rng_.Below(60);
    while (applied_.value() < former) Commit();
    stored_ = applied_;
    log_oldest_ = Revision(rng_.Between(1, applied_.value() + 1));
    const Bounds bounds{.window_bytes_max = rng_.Chance(300) ? 0 : rng_.Below(20'000),
                        .refill_changes_per_tick = rng_.Between(2, 60)};
    streams_.emplace(this, applied_, log_oldest_, kNoLeaderLimit, bounds);
    SetLeader(true);
  }

  void Run(size_t steps) {
    for (size_t i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
      Step();
      if (i % 50 == 0) CheckAll();
    }
    Quiesce();
    CheckAll();
    for (const auto& [id, client] : clients_) CheckComplete(client);
  }

  // Streams::Sink
  bool TryWrite(StreamId id, StreamBatch batch) override {
    Client& client = clients_.at(id);
    EXPECT_TRUE(client.open()) << id;
    EXPECT_TRUE(client.start) << id << " was written to before its initial state was sent";
    EXPECT_FALSE(client.refused) << id << " was written to before it drained";
    if (client.room == 0 || rng_.Chance(random_refusals_)) {
      client.refused = client.may_lag = true;
      ++tally_->refusals;
      return false;
    }
    --client.room;
    // The first mark of a stream from now on names the revision that it comes after.
    EXPECT_GE(batch.revision + (client.received.empty() ? 1 : 0), client.told() + 1) << id;
    EXPECT_LE(batch.revision, applied_) << id;
    client.received.push_back(std::move(batch));
    return true;
  }
  void End(StreamId id, model::Error error) override {
    Client& client = clients_.at(id);
    EXPECT_TRUE(client.open()) << id;
    client.end = std::move(error);
  }
  void ReadChanges(Revision from) override {
    EXPECT_FALSE(reading_) << "two reads in flight";
    EXPECT_LE(from, stored_) << "asked for what is not on disk";
    reading_ = from;
    ++tally_->reads;
  }

 private:
  // --- The tree's history

  std::string RandomPath() {
    static const char* const kNames[] = {"a", "ab", "b", "c"};
    std::string path;
    for (uint64_t depth = rng_.Below(4); depth > 0; --depth) {
      absl::StrAppend(&path, "/", kNames[rng_.Below(std::size(kNames))]);
    }
    return path.empty() ? "/" : path;
  }
  static std::string ParentOf(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
  }
  Change MakeChange(ChangeKind kind, const std::string& path) {
    Change change;
    change.kind = kind;
    change.path = path;
    change.acl = tree_.at(path);
    change.parent_acl = tree_.at(ParentOf(path));
    if (kind != ChangeKind::kDeleted && rng_.Chance(800)) {
      change.data = std::string(rng_.Below(100), 'x');
    }
    return change;
  }
  void Mutate(std::vector<Change>* changes) {
    const std::string path = RandomPath();
    const bool exists = tree_.count(path) > 0;
    if (!exists) {
      if (tree_.count(ParentOf(path)) == 0) return;
      tree_[path] = acls_[rng_.Below(acls_.size())];
      changes->push_back(MakeChange(ChangeKind::kCreated, path));
    } else if (rng_.Chance(300) && path != "/") {
      std::vector<std::string> doomed;
      for (const auto& [other, acl] : tree_) {
        if (other == path || other.rfind(path + "/", 0) == 0) doomed.push_back(other);
      }
      std::reverse(doomed.begin(), doomed.end());
      for (const std::string& node : doomed) {
        changes->push_back(MakeChange(ChangeKind::kDeleted, node));
        tree_.erase(node);
      }
    } else if (rng_.Chance(200)) {
      tree_[path] = acls_[rng_.Below(acls_.size())];
      changes->push_back(MakeChange(ChangeKind::kAclChanged, path));
    } else {
      changes->push_back(MakeChange(ChangeKind::kDataChanged, path));
    }
  }
  // The next revision's changes; null: none.
  std::shared_ptr<const ChangeBatch> Commit() {
    applied_ = applied_ + (rng_.Chance(100) ? 3 : 1);
    auto batch = std::make_shared<ChangeBatch>();
    batch->revision = applied_;
    for (uint64_t n = rng_.Below(4); n > 0; --n) Mutate(&batch->changes);
    for (Change& change : batch->changes) change.revision = applied_;
    if (batch->changes.empty()) return nullptr;
    history_.push_back(batch);
    return batch;
  }

  // --- What happens

  void Step() {
    const uint64_t dice = rng_.Below(100);
    if (dice < 35) {
      // First the commit: what it is due for is in the history when it is written.
      const std::shared_ptr<const ChangeBatch> batch = Commit();
      streams_->Publish(applied_, batch);
    } else if (dice < 42) {
      Store();
    } else if (dice < 50) {
      AnswerRead();
    } else if (dice < 56) {
      OpenStream();
    } else if (dice < 58) {
      if (Client* client = Pick()) {
        streams_->Close(client->id);
        client->closed = true;
      }
    } else if (dice < 72) {
      Drain(Pick());
    } else if (dice < 76) {
      FinishInitial(Pick());
    } else if (dice < 78) {
      if (leaderless_ends_) SetLeader(rng_.Chance(500));
    } else {
      Tick(milliseconds(rng_.Chance(500) ? 0 : rng_.Below(400)));
    }
    CheckDue();
  }

  void Tick(base::Duration passed) {
    now_ = now_ + passed;
    streams_->Tick(now_);
  }

  void SetLeader(bool known) {
    if (!known && !leaderless_since_) leaderless_since_ = now_;
    if (known) leaderless_since_.reset();
    streams_->SetLeader(known, now_);
  }

  void Store() {
    stored_ = Revision(rng_.Between(stored_.value(), applied_.value()));
    if (rng_.Chance(300)) TrimLog();
    streams_->Stored(stored_, log_oldest_);
  }
  void TrimLog() {
    const uint64_t most = rng_.Chance(50) ? stored_.value() + 1 : log_oldest_.value() + 20;
    log_oldest_ = Revision(rng_.Between(
        log_oldest_.value(), std::clamp(most, log_oldest_.value(), stored_.value() + 1)));
  }

  void AnswerRead() {
    if (!reading_) return;
    const Revision from = *reading_;
    reading_.reset();
    if (rng_.Chance(100)) TrimLog();
    Revision through = from - 1;
    std::vector<std::shared_ptr<const ChangeBatch>> batches;
    if (from >= log_oldest_) {
      through = Revision(rng_.Between(from.value(), stored_.value()));
      if (rng_.Chance(500)) through = std::min(through, from + 5);
      for (const auto& batch : history_) {
        if (batch->revision < from || batch->revision > stored_) continue;
        if (batch->revision > through) {
          if (!batches.empty()) break;
          through = batch->revision;  // at least one, if there is one
        }
        batches.push_back(batch);
      }
    }
    streams_->ChangesRead(from, through, log_oldest_, std::move(batches));
  }

  void OpenStream() {
    Streams::Open open;
    open.id = StreamId(++last_stream_);
    open.session = SessionId(rng_.Below(4));
    if (rng_.Chance(500)) open.identities.push_back({"digest", "ann"});
    if (rng_.Chance(300)) open.identities.push_back({"digest", "bob"});
    const bool all_once = rng_.Chance(200);
    for (uint64_t n = rng_.Between(1, 4); n > 0; --n) {
      open.targets.push_back({.path = RandomPath(),
                              .kind = static_cast<WatchTarget::Kind>(rng_.Between(1, 3)),
                              .with_data = rng_.Chance(400),
                              .once = all_once || rng_.Chance(200)});
    }
    open.send_initial = rng_.Chance(250);
    if (!open.send_initial && rng_.Chance(700)) {
      open.start_revision = Revision(rng_.Between(1, applied_.value() + 5));
    }

    Client& client = clients_[open.id];
    client.id = open.id;
    client.session = open.session;
    client.identities = open.identities;
    client.targets = open.targets;
    client.opened_at = applied_;
    client.room = rng_.Below(6);
    if (!open.send_initial) {
      client.start = open.start_revision ? open.start_revision : applied_ + 1;
    }
    client.may_lag = open.send_initial || client.start <= applied_;
    const Revision start = client.start;
    const model::Error error = streams_->Add(std::move(open));
    if (error.ok()) return;
    ++tally_->refused_starts;
    EXPECT_EQ(error.reason, Reason::kCompacted);
    EXPECT_LT(start, error.oldest);
    EXPECT_LE(error.oldest, log_oldest_) << "refused though the change log has it";
    clients_.erase(StreamId(last_stream_));
  }

  Client* Pick() {
    std::vector<Client*> open;
    for (auto& [id, client] : clients_) {
      if (client.open()) open.push_back(&client);
    }
    return open.empty() ? nullptr : open[rng_.Below(open.size())];
  }

  void Drain(Client* client) {
    if (client == nullptr) return;
    client->room = rng_.Below(8);
    if (!client->refused && !rng_.Chance(100)) return;
    client->refused = false;
    streams_->Drained(client->id);
  }

  void FinishInitial(Client* client) {
    if (client == nullptr || client->start) return;
    const Revision state(rng_.Between(client->opened_at.value(), applied_.value()));
    client->start = state + 1;
    ++tally_->initial;
    streams_->InitialDone(client->id, state);
  }

  // Every obstacle goes away: then every stream must come up to the applied revision, by no more
  // than the ticks that NextDeadline asks for.
  void Quiesce() {
    random_refusals_ = 0;
    SetLeader(true);
    for (auto& [id, client] : clients_) {
      if (client.open()) FinishInitial(&client);
    }
    bool busy = true;
    for (int round = 0; busy && round < 10'000; ++round) {
      busy = reading_ || streams_->NextDeadline() <= now_;
      for (auto& [id, client] : clients_) {
        client.room = 1000;
        if (!client.open() || !std::exchange(client.refused, false)) continue;
        busy = true;
        streams_->Drained(id);
      }
      AnswerRead();
      Tick(milliseconds(0));
    }
    EXPECT_FALSE(busy);
    // Marks come round after round; who is closed in between may shift a stream to the next one.
    for (int i = 0; i < 2; ++i) Tick(seconds(1));
  }

  // --- What must hold

  void CheckAll() {
    size_t open = 0;
    size_t targets = 0;
    for (const auto& [id, client] : clients_) {
      CheckReceived(client);
      if (!client.open()) continue;
      ++open;
      targets += TargetsLeft(client);
    }
    EXPECT_EQ(streams_->size(), open);
    EXPECT_EQ(streams_->targets(), targets);
  }

  size_t TargetsLeft(const Client& client) const {
    if (!client.start) return client.targets.size();
    size_t left = client.targets.size();
    for (const WatchTarget& target : client.targets) {
      if (!target.once) continue;
      Client alone = client;
      alone.targets = {target};
      const std::optional<Revision> last = Project(alone, history_).last;
      if (last && *last <= client.told()) --left;
    }
    return left;
  }

  // What has come so far is a prefix of what must come, and every message tells the truth.
  void CheckReceived(const Client& client) {
    if (!client.start) return;
    const Projection projection = Project(client, history_);
    size_t events = 0;
    for (const StreamBatch& got : client.received) {
      ASSERT_GE(got.revision + 1, client.start) << client.id;
      if (got.batch != nullptr) {
        ASSERT_LT(events, projection.events.size()) << client.id << " got too much";
        const Expected& want = projection.events[events++];
        ASSERT_EQ(got.revision, want.revision) << client.id;
        ASSERT_EQ(got.batch->revision, want.revision) << client.id;
        ASSERT_EQ(got.selected.size(), want.selected.size()) << client.id << " " << got.revision;
        for (size_t i = 0; i < want.selected.size(); ++i) {
          ASSERT_EQ(got.selected[i].change, want.selected[i].change) << client.id;
          ASSERT_EQ(got.selected[i].with_data, want.selected[i].with_data) << client.id;
        }
      }
      const bool all_before =
          events == projection.events.size() || projection.events[events].revision > got.revision;
      ASSERT_TRUE(all_before) << client.id << " missed an event up to " << got.revision;
    }
    if (client.end) CheckEnd(client, projection, events);
  }

  void CheckEnd(const Client& client, const Projection& projection, size_t events) {
    switch (client.end->reason) {
      case Reason::kOk:
        ASSERT_TRUE(projection.last) << client.id;
        ASSERT_EQ(events, projection.events.size()) << client.id;
        break;
      case Reason::kCompacted:
        ASSERT_TRUE(client.may_lag) << client.id;
        ASSERT_GT(client.end->oldest, client.told() + 1) << client.id;
        ASSERT_LE(client.end->oldest, log_oldest_) << client.id;
        break;
      case Reason::kNoLeader:
        ASSERT_TRUE(leaderless_ends_) << client.id;
        break;
      default:
        FAIL() << client.id << " ended with " << model::ReasonName(client.end->reason);
    }
  }

  // After Quiesce: nothing is missing, and the client knows it.
  void CheckComplete(const Client& client) {
    for (const StreamBatch& got : client.received) ++(got.batch ? tally_->events : tally_->marks);
    if (client.closed) return;
    if (client.end) {
      if (client.end->reason == Reason::kOk) ++tally_->ended_by_once;
      if (client.end->reason == Reason::kCompacted) ++tally_->compacted;
      if (client.end->reason == Reason::kNoLeader) ++tally_->no_leader;
      return;
    }
    ++tally_->to_the_end;
    const Projection projection = Project(client, history_);
    ASSERT_FALSE(projection.last) << client.id << " should have ended";
    ASSERT_EQ(client.told(), std::max(applied_, client.start - 1)) << client.id;
  }

  // A reply must not overtake an event that its session was due.
  void CheckDue() {
    for (uint64_t s = 1; s < 4; ++s) {
      const Revision due = streams_->DueRevision(SessionId(s));
      ASSERT_LE(due, applied_);
      for (const auto& [id, client] : clients_) {
        if (client.session != SessionId(s) || client.closed || !client.start) continue;
        if (client.end) {
          if (client.end->reason != Reason::kOk) continue;
          ASSERT_GE(due, client.told()) << id;
          continue;
        }
        if (rng_.Chance(900)) continue;  // it is slow
        const Projection projection = Project(client, history_);
        if (projection.events.empty()) continue;
        ASSERT_GE(due, projection.events.back().revision) << id;
      }
    }
  }

  base::Rng rng_;
  Tally* const tally_;
  base::Instant now_{seconds(1000)};
  std::vector<AclPtr> acls_;
  std::map<std::string, AclPtr> tree_;
  std::vector<std::shared_ptr<const ChangeBatch>> history_;
  Revision applied_;
  Revision stored_;
  Revision log_oldest_;
  std::optional<Revision> reading_;
  std::map<StreamId, Client> clients_;
  uint64_t last_stream_ = 0;
  uint64_t random_refusals_ = 50;
  std::optional<base::Instant> leaderless_since_;
  bool leaderless_ends_ = false;
  std::optional<Streams> streams_;
};

TEST(StreamsRandomTest, EveryStreamGetsTheExactProjectionOfTheChangesFromItsStart) {
  Tally tally;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    World(seed, &tally).Run(600);
    if (HasFailure()) return;
  }
  // A test in which nothing happens proves nothing.
  EXPECT_GT(tally.events, 10'000u);
  EXPECT_GT(tally.marks, 3'000u);
  EXPECT_GT(tally.refusals, 2'000u);
  EXPECT_GT(tally.reads, 1'500u);
  EXPECT_GT(tally.compacted, 300u);
  EXPECT_GT(tally.refused_starts, 600u);
  EXPECT_GT(tally.ended_by_once, 100u);
  EXPECT_GT(tally.no_leader, 10u);
  EXPECT_GT(tally.initial, 500u);
  EXPECT_GT(tally.to_the_end, 1'000u);
}

}  // namespace
}  // namespace pando::watch
