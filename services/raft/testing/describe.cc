#include "raft/testing/describe.h"

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/membership.h"

namespace pando::raft {
namespace {

// Longer lists are told by their ends.
constexpr size_t kEntriesTold = 6;

std::string At(model::Revision index, model::Term term) {
  return absl::StrCat(index.value(), "@", term.value());
}

// `get` makes an entry of an element.
template <class List, class Get>
std::string DescribeAll(const List& list, Get get) {
  if (list.size() > kEntriesTold) {
    return absl::StrCat(Describe(get(list.front())), " .. ", Describe(get(list.back())));
  }
  std::string text;
  for (const auto& element : list) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", Describe(get(element)));
  }
  return text;
}

struct Describer {
  std::string operator()(const VoteRequest& m) {
    return absl::StrCat(m.pre_vote ? "pre-vote?" : "vote?", " term ", m.term.value(), ", log ends ",
                        At(m.last, m.last_term), m.transfer ? ", told to" : "");
  }
  std::string operator()(const VoteReply& m) {
    return absl::StrCat(m.pre_vote ? "pre-vote " : "vote ", m.granted ? "yes" : "no", ", term ",
                        m.term.value());
  }
  std::string operator()(const AppendRequest& m) {
    return absl::StrCat("append term ", m.term.value(), " after ", At(m.previous, m.previous_term),
                        ": [", DescribeAll(m.entries, [](const EntryRef& e) { return *e; }),
                        "], committed ", m.committed.value());
  }
  std::string operator()(const AppendReply& m) {
    if (m.accepted) {
      return absl::StrCat("taken up to ", m.match.value(), ", term ", m.term.value());
    }
    return absl::StrCat("refused after ", m.previous.value(), ", may agree at ",
                        At(m.hint, m.hint_term), ", term ", m.term.value());
  }
  std::string operator()(const Heartbeat& m) {
    return absl::StrCat("heartbeat term ", m.term.value(), " round ", m.round, ", committed ",
                        m.committed.value(), m.no_space ? ", no space" : "",
                        m.overloaded ? ", overloaded" : "");
  }
  std::string operator()(const HeartbeatReply& m) {
    return absl::StrCat("alive term ", m.term.value(), " round ", m.round, ", verified ",
                        m.verified.value(), m.no_space ? ", no space" : "",
                        m.stalled ? ", stalled" : "");
  }
  std::string operator()(const StandNow& m) {
    return absl::StrCat("stand now, term ", m.term.value());
  }
  // Its id begins anywhere.
  std::string operator()(const ReadRequest& m) {
    return absl::StrCat("read? term ", m.term.value());
  }
  std::string operator()(const ReadReply& m) {
    return absl::StrCat("read at ", m.index.value(), ", term ", m.term.value());
  }
};

}  // namespace

std::string Describe(const model::Entry& entry) {
  const std::string at = At(entry.index, entry.term);
  switch (entry.kind) {
    case model::EntryKind::kNoop:
      return absl::StrCat(at, " -");
    case model::EntryKind::kMembership: {
      model::Membership membership;
      CHECK(codec::DecodeMembership(entry.payload, &membership));
      return absl::StrCat(at, " ", Describe(membership));
    }
    case model::EntryKind::kCommand:
      return absl::StrCat(at, " ", entry.payload.substr(0, 10));
  }
  return at;
}

std::string Describe(const model::Membership& membership) {
  std::string text = "{";
  for (const model::Member& member : membership.members) {
    absl::StrAppend(&text, text.size() > 1 ? " " : "",
                    member.role == model::Member::Role::kLearner ? "+" : "", member.id.value());
  }
  return text + "}";
}

std::string Describe(const Message& message) { return std::visit(Describer(), message); }

std::string Describe(const Progress& progress) {
  constexpr const char* kStates[] = {"probe", "replicate", "snapshot"};
  return absl::StrCat(kStates[static_cast<int>(progress.state())], ", match ",
                      progress.match().value(), ", next ", progress.next().value(),
                      progress.MaySend() ? "" : ", waits",
                      progress.HasRoom() ? "" : ", has no room");
}

std::vector<std::string> Describe(model::ServerId server, const Output& output, bool all) {
  std::vector<std::string> lines;
  const std::string id = absl::StrCat(server.value());
  if (all && output.append) {
    std::string line = id + " writes";
    if (const auto& vote = output.append->vote) {
      absl::StrAppend(&line, " term ", vote->term.value());
      if (vote->vote) absl::StrAppend(&line, " vote for ", vote->vote.value());
    }
    if (!output.append->entries.empty()) {
      absl::StrAppend(&line, " [",
                      DescribeAll(output.append->entries, [](const EntryRef& e) { return *e; }),
                      "]");
    }
    lines.push_back(std::move(line));
  }
  if (output.role) {
    std::string line = absl::StrCat(id, " is ", RoleName(output.role->role), " in term ",
                                    output.role->term.value());
    if (output.role->leader && output.role->leader != server) {
      absl::StrAppend(&line, " of ", output.role->leader.value());
    }
    lines.push_back(std::move(line));
  }
  for (const auto& [to, message] : output.messages) {
    if (all) lines.push_back(absl::StrCat(id, "->", to.value(), " ", Describe(message)));
  }
  if (!output.committed.empty()) {
    lines.push_back(
        absl::StrCat(id, " applies [",
                     DescribeAll(output.committed, [](const EntryRef& e) { return *e; }), "]"));
  }
  for (const ReadGrant& grant : output.reads) {
    lines.push_back(absl::StrCat(id, " may read at ", grant.index.value()));
  }
  for (const model::ServerId to : output.snapshots) {
    lines.push_back(absl::StrCat(id, " asks for a snapshot for ", to.value()));
  }
  for (const LogRead& read : output.log_reads) {
    if (all) lines.push_back(absl::StrCat(id, " reads its log from ", read.first.value()));
  }
  return lines;
}

}  // namespace pando::raft
