#include "sim/cluster_client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/command.h"

namespace pando::sim {
namespace {

using model::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Call::Step::Kind;

constexpr int kTriesMax = 12;
constexpr uint64_t kNodes = 6;
const std::vector<model::Identity> kAnyone = {{"world", "anyone"}};

// The answer is about the server that was asked, not about the call.
bool IsPassing(Reason reason) {
  switch (reason) {
    case Reason::kNoLeader:
    case Reason::kBehind:
    case Reason::kTimeout:
    case Reason::kOverloaded:
    case Reason::kNoSpace:
      return true;
    default:
      return false;
  }
}

}  // namespace

// --- Calls --------------------------------------------------------------------------------------

void ClusterClient::Start() {
  server_ = world_->pick();
  Next();
  Beat();
}

void ClusterClient::Send(io::Request request, base::Duration patience, Callback callback) {
  const uint64_t tag = request.tag = ++last_tag_;
  request.deadline = world_->schedule->now() + patience / 2;
  waiting_[tag] = std::move(callback);
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.requests.push_back(std::move(request));
  server_->Post(std::move(batch));
  // A server that dies says nothing.
  world_->schedule->After(patience, [self = shared_from_this(), tag] {
    const auto found = self->waiting_.find(tag);
    if (found == self->waiting_.end()) return;
    const Callback call = std::move(found->second);
    self->waiting_.erase(found);
    call(model::Reply::Failure({.reason = Reason::kTimeout, .maybe_applied = true}));
  });
}

void ClusterClient::Deliver(std::vector<io::Completion> completions) {
  for (const io::Completion& completion : completions) {
    const auto found = waiting_.find(completion.tag);
    if (found == waiting_.end()) continue;
    const Callback callback = std::move(found->second);
    waiting_.erase(found);
    callback(completion.reply);
  }
}

void ClusterClient::Next() {
  if (stopping_ || attempt_) return;
  if (!session_) return OpenSession();
  if (rng_.Chance(5)) CloseSession();
  Begin();
}

void ClusterClient::OpenSession() {
  model::Command command;
  command.identities = kAnyone;
  command.body =
      model::OpenSession{static_cast<int64_t>(rng_.Between(2'000, 6'000)), std::string(32, 't')};
  io::Request request;
  request.body = std::move(command);
  Send(std::move(request), seconds(2), [this](const model::Reply& reply) {
    if (reply.ok()) {
      const auto& result = std::get<model::SessionResult>(reply.result);
      session_ = result.session;
      timeout_ = milliseconds(result.timeout_ms);
      last_request_ = 0;
      ++session_number_;
    } else {
      server_ = world_->pick();
    }
    world_->schedule->After(milliseconds(rng_.Between(10, 200)),
                            [self = shared_from_this()] { self->Next(); });
  });
}

void ClusterClient::Beat() {
  if (session_) {
    io::Request request;
    request.token_hash = std::string(32, 't');
    request.body = io::KeepAlive{session_};
    Send(std::move(request), milliseconds(700),
         [this, session = session_, invoked = world_->schedule->now()](const model::Reply& reply) {
           if (session != session_) return;
           if (reply.ok()) {
             const auto& result = std::get<model::SessionResult>(reply.result);
             const bool promised = result.time_left_ms > 0 && !closing_;
             if (promised) world_->truth->Beat(session, invoked, timeout_);
           } else if (reply.error.reason == Reason::kSessionExpired) {
             LoseSession();
           } else if (!attempt_) {
             server_ = world_->pick();
           }
         });
  }
  world_->schedule->After(milliseconds(rng_.Between(300, 900)),
                          [self = shared_from_this()] { self->Beat(); });
}

void ClusterClient::LoseSession() {
  session_ = {};
  closing_ = false;
}

// Nobody waits for the answer: the next call may be before it or after it.
void ClusterClient::CloseSession() {
  closing_ = true;
  world_->truth->Closing(session_);
  model::Command command;
  command.identities = kAnyone;
  command.session = session_;
  command.body = model::CloseSession{session_};
  io::Request request;
  request.token_hash = std::string(32, 't');
  request.body = std::move(command);
  Send(std::move(request), seconds(2), [](const model::Reply&) {});
}

// --- One call -----------------------------------------------------------------------------------

void ClusterClient::Compose(model::Command* command) {
  Call& call = attempt_->call;
  const auto data = [this] { return absl::StrCat("c", number_, "-", ++last_data_); };
  const auto node = [this] { return absl::StrCat("/n", rng_.Below(kNodes)); };
  const uint64_t dice = rng_.Below(100);
  attempt_->in_history = true;
  if (dice < 30) {
    call.then_steps = {{Kind::kCreate, node(), data()}};
    command->body = model::Create{.path = call.then_steps[0].node, .data = call.then_steps[0].data};
  } else if (dice < 55) {
    call.then_steps = {{Kind::kSet, node(), data()}};
    command->body = model::Set{call.then_steps[0].node, call.then_steps[0].data};
  } else if (dice < 70) {
    call.then_steps = {{Kind::kDelete, node(), ""}};
    command->body = model::Delete{.path = call.then_steps[0].node};
  } else if (dice < 85) {
    // Writes one node if another is what it was a moment ago, and that one otherwise.
    const std::string a = node();
    const std::string b = node();
    const Register now = world_->truth->At(a, seen_);
    model::Transaction transaction;
    model::Compare compare{.path = a, .number = 0};
    if (now) {
      compare.subject = model::Compare::Subject::kData;
      compare.bytes = now;
    }
    transaction.compares = {compare};
    call.compares = {{a, now}};
    call.then_steps = {{Kind::kSet, b, data()}};
    call.else_steps = {{Kind::kSet, a, data()}};
    transaction.then_operations = {model::Set{b, call.then_steps[0].data}};
    transaction.else_operations = {model::Set{a, call.else_steps[0].data}};
    command->body = std::move(transaction);
  } else {
    // A node that goes by itself: with the session, or after a while.
    attempt_->in_history = false;
    const bool ephemeral = rng_.Chance(600);
    command->body =
        model::Create{.path = absl::StrCat(ephemeral ? "/e" : "/t", number_, "-"),
                      .data = data(),
                      .kind = ephemeral ? model::NodeKind::kEphemeral : model::NodeKind::kTtl,
                      .sequential = true,
                      .ttl_ms = ephemeral ? 0 : static_cast<int64_t>(rng_.Between(1, 5'000))};
  }
}

void ClusterClient::Begin() {
  // Not emplace(): for clang 14 a nested struct with initial values has no default constructor yet
  // where the class has an optional of it.
  attempt_ = Attempt{};
  ++world_->calls;
  attempt_->call.invoked = world_->schedule->now();
  attempt_->told = world_->told;
  io::Request& request = attempt_->request;
  request.token_hash = std::string(32, 't');
  attempt_->is_write = rng_.Chance(600);
  if (attempt_->is_write) {
    model::Command command;
    command.identities = kAnyone;
    Compose(&command);
    command.session = session_;
    command.request = command.first_outstanding = model::RequestId(++last_request_);
    command.request_hash = codec::HashBody(command.body);
    request.body = std::move(command);
  } else {
    attempt_->path = absl::StrCat("/n", rng_.Below(kNodes));
    attempt_->call.then_steps = {{Kind::kGet, attempt_->path, ""}};
    request.body = model::Query{
        .identities = kAnyone, .session = session_, .body = model::Get{attempt_->path}};
    attempt_->in_history = rng_.Chance(500);
    if (attempt_->in_history) request.consistency = io::Consistency::kLinearizable;
    if (rng_.Chance(700)) request.min_revision = attempt_->min_revision = seen_;
  }
  attempt_->call.name =
      absl::StrCat("client ", number_, " ", attempt_->is_write ? "write " : "read ",
                   attempt_->call.then_steps.empty() ? "" : attempt_->call.then_steps[0].node, " ",
                   attempt_->call.then_steps.empty() ? "" : attempt_->call.then_steps[0].data,
                   " at ", attempt_->call.invoked.since_start.count() / 1'000'000, " ms");
  Try();
}

void ClusterClient::Try() {
  ++attempt_->tries;
  Send(attempt_->request, seconds(2), [this](const model::Reply& reply) { OnReply(reply); });
}

void ClusterClient::OnReply(const model::Reply& reply) {
  if (IsPassing(reply.error.reason)) {
    attempt_->maybe |= reply.error.maybe_applied;
    return Again();
  }
  if (reply.error.reason == Reason::kSessionExpired) {
    LoseSession();
    return Finish(nullptr);
  }
  // A fresh server may not have heard of a session yet that a snapshot brings.
  if (reply.error.reason == Reason::kUnauthenticated) return Again();
  Finish(&reply);
}

void ClusterClient::Again() {
  server_ = world_->pick();
  if (attempt_->tries >= kTriesMax || (stopping_ && attempt_->tries >= 3)) {
    // Nobody knows what became of it: its session is given up, so that no retry can follow.
    if (attempt_->is_write) LoseSession();
    return Finish(nullptr);
  }
  world_->schedule->After(milliseconds(rng_.Between(5, 150)), [self = shared_from_this()] {
    if (self->attempt_) self->Try();
  });
}

Call::Outcome ClusterClient::OutcomeOf(const model::Reply& reply) const {
  Call::Outcome outcome;
  if (!reply.ok() && attempt_->is_write) outcome.failed = 0;
  if (const auto* result = std::get_if<model::TransactionResult>(&reply.result)) {
    outcome.compared_true = result->compared_true;
  }
  if (!attempt_->is_write) {
    outcome.read = {Register()};
    if (reply.ok()) outcome.read = {std::get<model::OperationResult>(reply.result).data};
  }
  return outcome;
}

// Null: its outcome is not known.
void ClusterClient::Finish(const model::Reply* reply) {
  Attempt attempt = *std::move(attempt_);
  attempt_.emplace(attempt);  // for OutcomeOf
  if (reply != nullptr) {
    ++done_;
    if (world_->trace) {
      world_->trace(absl::StrCat(attempt.call.name, ": ", model::ReasonName(reply->error.reason),
                                 " at revision ", reply->revision.value()));
    }
    attempt.call.returned = world_->schedule->now();
    attempt.call.outcome = OutcomeOf(*reply);
    if (attempt.is_write) {
      const Truth::Record* record = world_->truth->Find(reply->revision);
      if (record == nullptr) Violated(attempt.call.name + ": answered and not committed");
      if (reply->revision <= attempt.told) {
        Violated(attempt.call.name + ": took effect before it was asked for");
      }
      if (reply->ok() && record->changes == nullptr) {
        Violated(attempt.call.name + ": acknowledged, and nothing was changed");
      }
    } else {
      CheckRead(*reply);
    }
    if (attempt.is_write || attempt.in_history) {
      world_->told = std::max(world_->told, reply->revision);
    }
    seen_ = std::max(seen_, reply->revision);
  }
  if (attempt.in_history && (attempt.is_write || reply != nullptr)) {
    world_->history->push_back(std::move(attempt.call));
  }
  attempt_.reset();
  const base::Duration pause = milliseconds(world_->quick ? 20 : rng_.Between(20, 900));
  world_->schedule->After(pause, [self = shared_from_this()] { self->Next(); });
}

void ClusterClient::CheckRead(const model::Reply& reply) const {
  const Attempt& attempt = *attempt_;
  const Register got =
      reply.ok() ? std::get<model::OperationResult>(reply.result).data : Register();
  if (reply.revision < attempt.min_revision) {
    Violated(attempt.call.name + ": read backwards");
  }
  if (attempt.in_history && reply.revision < attempt.told) {
    Violated(absl::StrCat(attempt.call.name, ": a LINEARIZABLE read of revision ",
                          reply.revision.value(), ", but somebody was told ",
                          attempt.told.value()));
  }
  if (got != world_->truth->At(attempt.path, reply.revision)) {
    Violated(absl::StrCat(attempt.call.name, ": not what was there at revision ",
                          reply.revision.value()));
  }
}

}  // namespace pando::sim
