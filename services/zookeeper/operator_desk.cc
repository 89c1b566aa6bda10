#include "zookeeper/operator_desk.h"

#include <utility>

#include "zookeeper/commands.h"

namespace pando::zookeeper {
namespace {

constexpr int kForbidden = 403;

}  // namespace

void OperatorDesk::AnswerWord(Word word, std::function<void(std::string)> reply) {
  if (!IsEnabled(word, enabled_)) return reply(NotEnabled(word) + "\n");
  Act(word);
  LookFor(word, [word, reply = std::move(reply)](const Overview& overview) {
    reply(zookeeper::AnswerWord(word, overview));
  });
}

void OperatorDesk::AnswerCommand(std::string_view name, std::function<void(CommandAnswer)> reply) {
  if (name.empty()) return reply({.type = "text/html", .body = ListCommands(enabled_)});
  const Command* command = FindCommand(name);
  if (command == nullptr) {
    return reply({.body = RefuseCommand(name, "Unknown command: " + std::string(name))});
  }
  const Word word = WordOf(*command);
  if (!IsEnabled(word, enabled_)) {
    return reply({.status = kForbidden, .body = RefuseCommand(name, NotEnabled(word))});
  }
  Act(word);
  LookFor(word, [command, reply = std::move(reply)](const Overview& overview) {
    reply({.body = zookeeper::AnswerCommand(*command, overview)});
  });
}

void OperatorDesk::Act(Word word) {
  if (word == Word::kSrst) host_->ResetServerStats();
  if (word == Word::kCrst) host_->ResetConnectionStats();
}

void OperatorDesk::LookFor(Word word, OnOverview reply) {
  if (word != Word::kDump) return reply(host_->Look());
  if (dumps_.size() >= kDumpsMax) return reply(Busy());
  const uint64_t lane = host_->OpenLane();
  dumps_.emplace(lane, std::make_unique<Waiting>(Waiting{{}, std::move(reply)}));
  GoOn(lane);
}

// Of a server that has no room for the question.
Overview OperatorDesk::Busy() {
  Overview overview = host_->Look();
  overview.facts.serving = false;
  return overview;
}

void OperatorDesk::GoOn(uint64_t lane) {
  std::vector<io::Request> requests = dumps_.at(lane)->dump.Next(lane);
  const bool done = requests.empty();
  if (!done && host_->Ask(lane, std::move(requests))) return;
  const std::unique_ptr<Waiting> waiting = std::move(dumps_.at(lane));
  dumps_.erase(lane);
  host_->CloseLane(lane);
  Overview overview = done ? host_->Look() : Busy();
  if (done) overview.sessions = waiting->dump.Take();
  waiting->reply(overview);
}

bool OperatorDesk::OnCompletion(io::Completion* completion) {
  const auto found = dumps_.find(completion->tag);
  if (found == dumps_.end()) return false;
  if (found->second->dump.Answer(std::move(completion->reply))) GoOn(completion->tag);
  return true;
}

}  // namespace pando::zookeeper
