#include "zookeeper/operator_desk.h"

#include <algorithm>
#include <utility>

#include "zookeeper/commands.h"

namespace pando::zookeeper {
namespace {

constexpr int kForbidden = 403;

}  // namespace

void OperatorDesk::AnswerWord(Word word, std::function<void(std::string)> reply) {
  if (!IsEnabled(word, enabled_)) return reply(NotEnabled(word) + "\n");
  Act(word);
  LookFor(AsksOf(word), [word, reply = std::move(reply)](const Overview& overview) {
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
  LookFor(AsksOf(*command), [command, reply = std::move(reply)](const Overview& overview) {
    reply({.body = zookeeper::AnswerCommand(*command, overview)});
  });
}

void OperatorDesk::Act(Word word) {
  if (word == Word::kSrst) host_->ResetServerStats();
  if (word == Word::kCrst) host_->ResetConnectionStats();
}

bool OperatorDesk::HasRoomFor(Asks asks) const {
  const auto same = std::count_if(waiting_.begin(), waiting_.end(),
                                  [asks](const auto& one) { return one.second->asks == asks; });
  return static_cast<size_t>(same) < (asks == Asks::kSessions ? kDumpsMax : kSurveysMax);
}

void OperatorDesk::LookFor(Asks asks, OnOverview reply) {
  if (asks == Asks::kNothing) return reply(host_->Look());
  if (!HasRoomFor(asks)) return reply(Busy(asks));
  const uint64_t lane = host_->OpenLane();
  auto waiting = std::make_unique<Waiting>(Waiting{asks, Dump(), std::move(reply)});
  if (asks == Asks::kEnsemble) waiting->questions = Survey();
  waiting_.emplace(lane, std::move(waiting));
  GoOn(lane);
}

// Of a server that has no room for the question. What has been left out of the sessions cannot be
// seen in their list; that there are no members can.
Overview OperatorDesk::Busy(Asks asks) {
  Overview overview = host_->Look();
  if (asks == Asks::kSessions) overview.facts.serving = false;
  return overview;
}

void OperatorDesk::GoOn(uint64_t lane) {
  Waiting& asking = *waiting_.at(lane);
  std::vector<io::Request> requests =
      std::visit([lane](auto& one) { return one.Next(lane); }, asking.questions);
  const bool done = requests.empty();
  if (!done && host_->Ask(lane, std::move(requests))) return;
  const std::unique_ptr<Waiting> waiting = std::move(waiting_.at(lane));
  waiting_.erase(lane);
  host_->CloseLane(lane);
  Overview overview = done ? host_->Look() : Busy(waiting->asks);
  if (auto* dump = std::get_if<Dump>(&waiting->questions); done && dump != nullptr) {
    overview.sessions = dump->Take();
  } else if (auto* survey = std::get_if<Survey>(&waiting->questions); done && survey != nullptr) {
    overview.ensemble = survey->Take();
  }
  waiting->reply(overview);
}

bool OperatorDesk::OnCompletion(io::Completion* completion) {
  const auto found = waiting_.find(completion->tag);
  if (found == waiting_.end()) return false;
  const bool last = std::visit([&](auto& one) { return one.Answer(std::move(completion->reply)); },
                               found->second->questions);
  if (last) GoOn(completion->tag);
  return true;
}

}  // namespace pando::zookeeper
