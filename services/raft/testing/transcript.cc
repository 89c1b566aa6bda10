#include "raft/testing/transcript.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "raft/testing/describe.h"

namespace pando::raft {
namespace {

using Words = std::vector<std::string>;

constexpr size_t kTurnsMax = 1'000;  // of one `settle`
constexpr size_t kAlikeTold = 4;     // lines in a row that begin alike; of more the ends are told

uint64_t Number(const std::string& word) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(word, &number)) ADD_FAILURE() << word << " is no number";
  return number;
}

std::vector<uint64_t> Numbers(const std::string& list) {
  std::vector<uint64_t> numbers;
  if (list.empty()) return numbers;
  for (const std::string& word : Words(absl::StrSplit(list, ','))) numbers.push_back(Number(word));
  return numbers;
}

// The value of `name=value`; empty: it is not there.
std::string Option(const Words& words, const std::string& name) {
  for (const std::string& word : words) {
    if (word.compare(0, name.size() + 1, name + "=") == 0) return word.substr(name.size() + 1);
  }
  return "";
}

bool Has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Whether a message goes between two of `pairs`, each "A->B", where * is everybody.
std::function<bool(const Ensemble::Flight&)> Between(const Words& pairs) {
  return [pairs](const Ensemble::Flight& flight) {
    const auto is = [](const std::string& end, model::ServerId id) {
      return end == "*" || Number(end) == id.value();
    };
    return std::any_of(pairs.begin(), pairs.end(), [&](const std::string& pair) {
      const Words ends = absl::StrSplit(pair, "->");
      return ends.size() == 2 && is(ends[0], flight.from) && is(ends[1], flight.to);
    });
  };
}

std::string Beginning(const std::string& line) {
  const Words words = absl::StrSplit(line, ' ');
  return words.size() < 2 ? line : absl::StrCat(words[0], " ", words[1]);
}

std::vector<std::string> Folded(std::vector<std::string> lines) {
  std::vector<std::string> folded;
  for (size_t first = 0, end = 0; first < lines.size(); first = end) {
    while (end < lines.size() && Beginning(lines[end]) == Beginning(lines[first])) ++end;
    if (end - first <= kAlikeTold) {
      for (size_t i = first; i < end; ++i) folded.push_back(std::move(lines[i]));
      continue;
    }
    folded.push_back(std::move(lines[first]));
    folded.push_back(absl::StrCat(".. ", end - first - 2, " more .."));
    folded.push_back(std::move(lines[end - 1]));
  }
  return folded;
}

}  // namespace

std::vector<std::string> Transcript::Run(const std::string& command) {
  Words words = absl::StrSplit(command, ' ', absl::SkipEmpty());
  const std::string verb = words.front();
  words.erase(words.begin());
  in_short_ = verb == "settle" || verb == "run" || verb == "elect";
  if (ensemble_ == nullptr && verb != "ensemble") {
    Say("there is no ensemble yet");
  } else if (verb == "ensemble") {
    MakeEnsemble(words);
  } else if (!Obey(verb, words) && !Change(verb, words)) {
    Say("this is no command");
  }
  if (ensemble_ != nullptr) ensemble_->Settle();
  return Folded(std::exchange(said_, {}));
}

// Time, messages, disks and lives, and what is told of them. False: it is none of these.
bool Transcript::Obey(const std::string& verb, const Words& words) {
  const auto id = [&words](size_t i) { return Number(words.at(i)); };
  if (verb == "tick") {
    Tick(id(0), words.at(1));
  } else if (verb == "deliver" || verb == "drop" || verb == "repeat") {
    MoveMessages(verb, words);
  } else if (verb == "persist") {
    Persist(id(0), words.size() > 1 ? id(1) : ~uint64_t{0});
  } else if (verb == "settle") {
    Settle();
  } else if (verb == "run") {
    ensemble_->Run(milliseconds(id(0)));
  } else if (verb == "elect") {
    Tick(id(0), "election");
    Settle();
  } else if (verb == "cut") {
    for (const std::string& pair : words) {
      const Words ends = absl::StrSplit(pair, "->");
      ensemble_->Cut(Number(ends.at(0)), Number(ends.at(1)));
    }
  } else if (verb == "heal") {
    ensemble_->Heal();
  } else if (verb == "lost") {
    ensemble_->LoseChannel(id(0), id(1));
  } else if (verb == "reconnect") {
    ensemble_->Reconnect(id(0), id(1));
  } else if (verb == "crash") {
    ensemble_->Crash(id(0));
  } else if (verb == "restart") {
    Restart(id(0));
  } else if (verb == "disk") {
    GiveDisk(words);
  } else if (verb == "state") {
    for (uint64_t server = 1; server <= servers_; ++server) TellState(server);
  } else if (verb == "log") {
    for (const std::string& word : words) TellLog(Number(word));
  } else if (verb == "progress") {
    TellProgress(id(0));
  } else {
    return false;
  }
  return true;
}

// What clients and operators ask for. False: it is none of these.
bool Transcript::Change(const std::string& verb, const Words& words) {
  const auto id = [&words](size_t i) { return Number(words.at(i)); };
  const auto say = [this](const absl::Status& status) {
    if (!status.ok()) Say(std::string(status.message()));
  };
  if (verb == "propose") {
    const std::string bytes = Option(words, "bytes");
    const uint64_t count = words.size() > 2 && words[2].find('=') == std::string::npos ? id(2) : 1;
    std::string payload = words.at(1);
    if (!bytes.empty()) payload.resize(Number(bytes), '.');
    for (uint64_t i = 0; i < count; ++i) say(ensemble_->TryPropose(id(0), payload).status());
  } else if (verb == "read") {
    ensemble_->Read(id(0));
  } else if (verb == "store") {
    ensemble_->Store(id(0), Has(words, "drop"));
  } else if (verb == "install") {
    ensemble_->InstallSnapshot(id(0), id(1));
    ensemble_->TellSnapshotSent(id(0), id(1), true);
  } else if (verb == "failed") {
    ensemble_->TellSnapshotSent(id(0), id(1), false);
  } else if (verb == "add" || verb == "promote" || verb == "remove") {
    say(ensemble_->ProposeMembership(id(0), Changed(verb, id(0), id(1))).status());
  } else if (verb == "transfer") {
    say(ensemble_->Transfer(id(0), id(1)));
  } else if (verb == "capacity") {
    ensemble_->RaftAt(id(0)).SetCapacity({.no_space = Has(words, "no-space"),
                                          .overloaded = Has(words, "overloaded"),
                                          .stalled = Has(words, "stalled")});
  } else {
    return false;
  }
  return true;
}

void Transcript::MakeEnsemble(const Words& words) {
  std::vector<uint64_t> voters;
  for (uint64_t id = 1; id <= Number(words.at(0)); ++id) voters.push_back(id);
  const std::vector<uint64_t> learners = Numbers(Option(words, "learners"));
  const std::vector<uint64_t> spares = Numbers(Option(words, "spares"));
  servers_ = voters.size() + learners.size() + spares.size();
  ensemble_ = std::make_unique<Ensemble>(VotersOf(voters, learners), spares);
  const std::string tail = Option(words, "tail");
  const std::string append = Option(words, "append");
  if (!tail.empty()) ensemble_->config.tail_bytes_max = Number(tail);
  const std::string uncommitted = Option(words, "uncommitted");
  if (!append.empty()) ensemble_->config.append_bytes_max = Number(append);
  if (!uncommitted.empty()) ensemble_->config.uncommitted_bytes_max = Number(uncommitted);
  for (uint64_t id = 1; id <= servers_; ++id) {
    ensemble_->Crash(id);  // so that all have these settings
    ensemble_->Start(id);
    ensemble_->At(id).slow_disk = true;
  }
  ensemble_->observer = [this](const Ensemble::Server& server, const Output& output) {
    for (std::string& line : Describe(server.id, output, !in_short_)) Say(std::move(line));
  };
}

void Transcript::Tick(uint64_t id, const std::string& duration) {
  base::Duration passed;
  if (duration == "heartbeat") {
    passed = ensemble_->config.heartbeat;
  } else if (duration == "election") {
    passed = ensemble_->config.election_max;
  } else {
    passed = milliseconds(Number(duration));
  }
  ensemble_->TickAlone(id, passed);
}

void Transcript::MoveMessages(const std::string& verb, const Words& words) {
  const auto which = Between(words);
  auto& flights = ensemble_->flights();
  if (verb == "deliver") {
    ensemble_->Deliver(which);
  } else if (verb == "drop") {
    std::erase_if(flights, which);
  } else {
    std::vector<Ensemble::Flight> copies;
    std::copy_if(flights.begin(), flights.end(), std::back_inserter(copies), which);
    flights.insert(flights.end(), copies.begin(), copies.end());
  }
}

void Transcript::Persist(uint64_t id, uint64_t count) {
  for (uint64_t i = 0; i < count && !ensemble_->At(id).unsynced.empty(); ++i) {
    ensemble_->SyncOne(id);
  }
}

void Transcript::Settle() {
  for (size_t turn = 0; turn < kTurnsMax; ++turn) {
    ensemble_->Settle();
    bool idle = ensemble_->flights().empty();
    for (uint64_t id = 1; id <= servers_; ++id) idle &= ensemble_->At(id).unsynced.empty();
    if (idle) return;
    for (uint64_t id = 1; id <= servers_; ++id) {
      if (ensemble_->Runs(id)) ensemble_->Sync(id);
    }
    ensemble_->Deliver([](const Ensemble::Flight&) { return true; });
  }
  Say("it does not settle");
}

void Transcript::Restart(uint64_t id) {
  ensemble_->Start(id);
  const model::ServerId by = ensemble_->At(id).refused_by;
  if (!ensemble_->Runs(id)) {
    Say(absl::StrCat(id, " has lost what it acknowledged to ", by.value(), ", and stops"));
  }
}

void Transcript::GiveDisk(const Words& words) {
  std::vector<model::Entry> log;
  if (words.at(1) == "same") {
    for (const auto& [index, entry] : ensemble_->At(Number(words.at(0))).log) log.push_back(entry);
  } else {
    for (const uint64_t term : Numbers(words.at(1))) {
      log.push_back(
          {model::Revision(log.size() + 1), model::Term(term), model::EntryKind::kCommand, "x"});
    }
  }
  const std::string term = Option(words, "term");
  const std::string vote = Option(words, "vote");
  ensemble_->ReplaceDisk(Number(words.at(0)), model::Term(term.empty() ? 0 : Number(term)),
                         model::ServerId(vote.empty() ? 0 : Number(vote)), std::move(log));
}

// The membership in force at `leader`, after `verb` was done to `id`.
model::Membership Transcript::Changed(const std::string& verb, uint64_t leader, uint64_t id) {
  std::vector<uint64_t> voters;
  std::vector<uint64_t> learners;
  for (const model::Member& member : ensemble_->RaftAt(leader).membership().members) {
    if (member.id.value() == id) continue;
    (member.role == model::Member::Role::kVoter ? voters : learners).push_back(member.id.value());
  }
  if (verb == "add") learners.push_back(id);
  if (verb == "promote") voters.push_back(id);
  return VotersOf(std::move(voters), std::move(learners));
}

void Transcript::TellState(uint64_t id) {
  const Ensemble::Server& server = ensemble_->At(id);
  if (server.raft == nullptr) return Say(absl::StrCat(id, " does not run"));
  const Raft& raft = *server.raft;
  std::string line = absl::StrCat(id, " ", RoleName(raft.role()), " in term ", raft.term().value());
  if (raft.leader() && raft.leader().value() != id) {
    absl::StrAppend(&line, " of ", raft.leader().value());
  }
  absl::StrAppend(&line, ", last ", raft.last_index().value(), ", committed ",
                  raft.committed().value(), ", applied ", server.applied_index.value(), ", ",
                  Describe(raft.membership()));
  if (raft.leader_no_space()) line += ", no space";
  if (raft.leader_overloaded()) line += ", overloaded";
  Say(std::move(line));
}

// The terms of the log on disk, as the paper draws them.
void Transcript::TellLog(uint64_t id) {
  const Ensemble::Server& server = ensemble_->At(id);
  std::string line = absl::StrCat(id, ":");
  if (server.stored) absl::StrAppend(&line, " (", server.stored.value(), " stored)");
  for (const auto& [index, entry] : server.log) absl::StrAppend(&line, " ", entry.term.value());
  Say(std::move(line));
}

void Transcript::TellProgress(uint64_t id) {
  for (uint64_t peer = 1; peer <= servers_; ++peer) {
    const Progress* progress = ensemble_->RaftAt(id).FindProgress(model::ServerId(peer));
    if (progress != nullptr) Say(absl::StrCat(id, " of ", peer, ": ", Describe(*progress)));
  }
}

}  // namespace pando::raft
