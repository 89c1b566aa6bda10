#include "sim/linearizability.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::sim {
namespace {

using Kind = Call::Step::Kind;
// Values of the nodes at hand: 0 is absent, others are names of data.
using Values = std::vector<uint32_t>;

// --- A call in numbers --------------------------------------------------------------------------

struct Step {
  Kind kind;
  size_t node;
  uint32_t value;
};
struct CompiledCall {
  const Call* call = nullptr;
  std::vector<std::pair<size_t, uint32_t>> compares;
  std::vector<Step> then_steps;
  std::vector<Step> else_steps;
  std::vector<uint32_t> read;
};

// The calls on nodes that hang together, and their names.
class Compiler {
 public:
  CompiledCall Compile(const Call& call) {
    CompiledCall out;
    out.call = &call;
    for (const Call::Compare& compare : call.compares) {
      out.compares.emplace_back(Node(compare.node), Value(compare.equals));
    }
    for (const Call::Step& step : call.then_steps) out.then_steps.push_back(Compile(step));
    for (const Call::Step& step : call.else_steps) out.else_steps.push_back(Compile(step));
    if (call.outcome) {
      for (const Register& read : call.outcome->read) out.read.push_back(Value(read));
    }
    return out;
  }
  size_t nodes() const { return nodes_.size(); }

 private:
  Step Compile(const Call::Step& step) {
    return {step.kind, Node(step.node), Value(Register(step.data))};
  }
  size_t Node(const std::string& name) {
    return nodes_.try_emplace(name, nodes_.size()).first->second;
  }
  uint32_t Value(const Register& value) {
    if (!value) return 0;
    return values_.try_emplace(*value, static_cast<uint32_t>(values_.size() + 1)).first->second;
  }

  std::map<std::string, size_t> nodes_;
  std::map<std::string, uint32_t> values_;
};

// Runs the call on `values`. False: its caller was told something else.
bool Run(const CompiledCall& call, Values* values) {
  const bool compared_true =
      std::all_of(call.compares.begin(), call.compares.end(),
                  [&](const auto& compare) { return (*values)[compare.first] == compare.second; });
  const std::optional<Call::Outcome>& told = call.call->outcome;
  if (told && told->compared_true != compared_true) return false;
  const std::vector<Step>& steps = compared_true ? call.then_steps : call.else_steps;
  Values after = *values;
  std::optional<size_t> failed;
  std::vector<uint32_t> read;
  for (size_t i = 0; i < steps.size() && !failed; ++i) {
    uint32_t& value = after[steps[i].node];
    const bool present = value != 0;
    switch (steps[i].kind) {
      case Kind::kGet:
        read.push_back(value);
        break;
      case Kind::kCreate:
        if (present) failed = i;
        value = steps[i].value;
        break;
      case Kind::kSet:
        if (!present) failed = i;
        value = steps[i].value;
        break;
      case Kind::kDelete:
        if (!present) failed = i;
        value = 0;
    }
  }
  if (told && told->failed != failed) return false;
  if (told && !failed && read != call.read) return false;
  if (!failed) *values = std::move(after);
  return true;
}

// --- The search ---------------------------------------------------------------------------------

// Invocations and returns in the order of time, as a list that calls are lifted out of and put
// back into.
class Search {
 public:
  Search(std::vector<CompiledCall> calls, size_t nodes, uint64_t* tries_left)
      : calls_(std::move(calls)),
        values_(nodes, 0),
        done_((calls_.size() + 63) / 64, 0),
        tries_left_(tries_left) {
    struct Event {
      base::Instant at;
      bool is_return;
      size_t call;
    };
    std::vector<Event> events;
    for (size_t i = 0; i < calls_.size(); ++i) {
      const Call& call = *calls_[i].call;
      CHECK(call.invoked <= call.returned);
      events.push_back({call.invoked, false, i});
      events.push_back({call.returned, true, i});
      if (MustTakeEffect(i)) ++must_;
    }
    // At the same time, calls are concurrent.
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return std::tuple(a.at, a.is_return, a.call) < std::tuple(b.at, b.is_return, b.call);
    });
    entries_.resize(events.size() + 2);
    invoke_of_.resize(calls_.size());
    return_of_.resize(calls_.size());
    for (size_t i = 0; i < events.size(); ++i) {
      entries_[i + 1] = {events[i].call, events[i].is_return, i, i + 2};
      (events[i].is_return ? return_of_ : invoke_of_)[events[i].call] = i + 1;
    }
    entries_[0].next = 1;
  }

  Linearizability::Verdict Run() {
    const size_t end = entries_.size() - 1;
    size_t at = entries_[0].next;
    while (must_ > 0) {
      if (*tries_left_ == 0) return Linearizability::Verdict::kGaveUp;
      --*tries_left_;
      if (at != end && !entries_[at].is_return) {
        if (Take(entries_[at].call)) {
          at = entries_[0].next;
        } else {
          at = entries_[at].next;
        }
        continue;
      }
      // The first return of a call that is not taken: one of those before it was wrong.
      if (at != end && stack_.size() >= deepest_) {
        deepest_ = stack_.size();
        stuck_at_ = entries_[at].call;
      }
      if (stack_.empty()) return Linearizability::Verdict::kNo;
      at = entries_[TakeBack()].next;
    }
    return Linearizability::Verdict::kYes;
  }

  // The calls that were under way when the search could not get further.
  std::string Report() const {
    if (!stuck_at_) return "";
    const Call& stuck = *calls_[*stuck_at_].call;
    std::string report = absl::StrCat("cannot explain: ", stuck.name, "\n");
    for (const CompiledCall& call : calls_) {
      if (call.call == &stuck || call.call->invoked > stuck.returned ||
          call.call->returned < stuck.invoked) {
        continue;
      }
      absl::StrAppend(&report, "  beside it: ", call.call->name, "\n");
    }
    return report;
  }

 private:
  struct Entry {
    size_t call = 0;
    bool is_return = false;
    size_t previous = 0;
    size_t next = 0;
  };
  struct Taken {
    size_t call;
    Values before;
  };

  bool MustTakeEffect(size_t call) const {
    return calls_[call].call->outcome || calls_[call].call->returned != base::kNever;
  }

  bool Take(size_t call) {
    Values before = values_;
    if (!sim::Run(calls_[call], &values_)) return false;
    done_[call / 64] ^= uint64_t{1} << (call % 64);
    if (!tried_.insert(Key()).second) {
      done_[call / 64] ^= uint64_t{1} << (call % 64);
      values_ = std::move(before);
      return false;
    }
    stack_.push_back({call, std::move(before)});
    Lift(invoke_of_[call]);
    Lift(return_of_[call]);
    if (MustTakeEffect(call)) --must_;
    return true;
  }
  // Returns the entry of its invocation.
  size_t TakeBack() {
    const size_t call = stack_.back().call;
    values_ = std::move(stack_.back().before);
    stack_.pop_back();
    done_[call / 64] ^= uint64_t{1} << (call % 64);
    PutBack(return_of_[call]);
    PutBack(invoke_of_[call]);
    if (MustTakeEffect(call)) ++must_;
    return invoke_of_[call];
  }
  void Lift(size_t entry) {
    entries_[entries_[entry].previous].next = entries_[entry].next;
    entries_[entries_[entry].next].previous = entries_[entry].previous;
  }
  void PutBack(size_t entry) {
    entries_[entries_[entry].previous].next = entry;
    entries_[entries_[entry].next].previous = entry;
  }
  std::string Key() const {
    std::string key(reinterpret_cast<const char*>(done_.data()), done_.size() * sizeof(uint64_t));
    key.append(reinterpret_cast<const char*>(values_.data()), values_.size() * sizeof(uint32_t));
    return key;
  }

  std::vector<CompiledCall> calls_;
  std::vector<Entry> entries_;  // a list, between two ends
  std::vector<size_t> invoke_of_;
  std::vector<size_t> return_of_;
  Values values_;
  std::vector<uint64_t> done_;
  size_t must_ = 0;  // calls left that have taken effect for sure
  std::vector<Taken> stack_;
  std::unordered_set<std::string> tried_;
  uint64_t* const tries_left_;
  size_t deepest_ = 0;
  std::optional<size_t> stuck_at_;
};

// --- Nodes that hang together -------------------------------------------------------------------

std::vector<std::string> NodesOf(const Call& call) {
  std::vector<std::string> nodes;
  for (const Call::Compare& compare : call.compares) nodes.push_back(compare.node);
  for (const auto* steps : {&call.then_steps, &call.else_steps}) {
    for (const Call::Step& step : *steps) nodes.push_back(step.node);
  }
  return nodes;
}

// Calls by group; groups share no node.
std::vector<std::vector<const Call*>> Partition(const std::vector<Call>& calls) {
  std::vector<size_t> leader(calls.size());
  std::iota(leader.begin(), leader.end(), size_t{0});
  const auto find = [&leader](size_t i) {
    while (leader[i] != i) i = leader[i] = leader[leader[i]];
    return i;
  };
  std::map<std::string, size_t> first_of;
  for (size_t i = 0; i < calls.size(); ++i) {
    for (const std::string& node : NodesOf(calls[i])) {
      const size_t first = first_of.try_emplace(node, i).first->second;
      leader[find(i)] = find(first);
    }
  }
  std::map<size_t, std::vector<const Call*>> groups;
  for (size_t i = 0; i < calls.size(); ++i) groups[find(i)].push_back(&calls[i]);
  std::vector<std::vector<const Call*>> out;
  for (auto& [first, group] : groups) out.push_back(std::move(group));
  return out;
}

}  // namespace

Linearizability CheckLinearizable(const std::vector<Call>& calls, uint64_t tries_max) {
  Linearizability result;
  uint64_t tries_left = tries_max;
  for (const std::vector<const Call*>& group : Partition(calls)) {
    Compiler compiler;
    std::vector<CompiledCall> compiled;
    for (const Call* call : group) compiled.push_back(compiler.Compile(*call));
    Search search(std::move(compiled), compiler.nodes(), &tries_left);
    const Linearizability::Verdict verdict = search.Run();
    if (verdict == Linearizability::Verdict::kYes) continue;
    if (verdict == Linearizability::Verdict::kNo) result.report = search.Report();
    result.verdict = verdict;
    break;
  }
  result.tried = tries_max - tries_left;
  return result;
}

}  // namespace pando::sim
