// OperatorDesk: answers those who look after a server, by four-letter words and by commands, if the
// word is enabled. The sessions and the members have to be asked of the core; all else is at hand.
//
// One thread's: that of its Host.
#ifndef PANDO_ZOOKEEPER_OPERATOR_DESK_H_
#define PANDO_ZOOKEEPER_OPERATOR_DESK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "io/client.h"
#include "zookeeper/dump.h"
#include "zookeeper/four_letter.h"
#include "zookeeper/overview.h"
#include "zookeeper/survey.h"

namespace pando::zookeeper {

// As HTTP has it.
struct CommandAnswer {
  int status = 200;
  const char* type = "application/json";
  std::string body;
};

class OperatorDesk {
 public:
  // What it needs of its server.
  class Host {
   public:
    virtual ~Host() = default;
    // Without what has to be asked.
    virtual Overview Look() = 0;
    virtual void ResetServerStats() = 0;
    virtual void ResetConnectionStats() = 0;
    // A lane for questions to the core, and its end.
    virtual uint64_t OpenLane() = 0;
    virtual void CloseLane(uint64_t lane) = 0;
    // False: there is no room.
    virtual bool Ask(uint64_t lane, std::vector<io::Request> requests) = 0;
  };

  // At the same time. A dump holds all sessions and their nodes; the members are few.
  static constexpr size_t kDumpsMax = 4;
  static constexpr size_t kSurveysMax = 64;

  OperatorDesk(std::vector<Word> enabled, Host* host) : enabled_(std::move(enabled)), host_(host) {}

  // `reply` is called with the answer, now or later.
  void AnswerWord(Word word, std::function<void(std::string)> reply);
  // `name` is what comes after /commands/, "" for the list of them.
  void AnswerCommand(std::string_view name, std::function<void(CommandAnswer)> reply);

  // False: that lane is none of its own.
  bool OnCompletion(io::Completion* completion);

 private:
  using OnOverview = std::function<void(const Overview&)>;
  struct Waiting {
    Asks asks;
    std::variant<Dump, Survey> questions;
    OnOverview reply;
  };

  void Act(Word word);
  bool HasRoomFor(Asks asks) const;
  void LookFor(Asks asks, OnOverview reply);
  void GoOn(uint64_t lane);
  Overview Busy(Asks asks);

  const std::vector<Word> enabled_;
  Host* const host_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Waiting>> waiting_;  // by their lanes
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_OPERATOR_DESK_H_
