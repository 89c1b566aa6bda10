// A mirror between a tree that changes at random and a target, over channels that are as slow,
// unordered against each other and broken as they may be. In the end both must be equal.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "cli/mirror/mirror.h"
#include "model/path.h"

namespace pando::cli {
namespace {

constexpr char kTop[] = "/top";
// The target takes no node of this name.
constexpr char kRefusedName[] = "bad";
constexpr int kDepthMax = 3;
constexpr int kStepsMax = 200'000;

struct Node {
  std::string data;
  model::Acl acl = model::OpenAcl();
  bool ephemeral = false;
  bool denied = false;
  NodeVersion version;
  int64_t children_changed = 0;
};
using Tree = std::map<std::string, Node, PathOrder>;

std::vector<std::string> ChildrenOf(const Tree& tree, const std::string& path) {
  std::vector<std::string> names;
  for (const auto& [at, node] : tree) {
    if (at != path && model::ParentPath(at) == path) names.emplace_back(model::LastName(at));
  }
  return names;
}

class World {
 public:
  struct Options {
    bool delete_extras = false;
    bool refuses = false;
    bool changes_acls = true;
  };
  World(uint64_t seed, Options options)
      : rng_(seed),
        refuses_(options.refuses),
        delete_extras_(options.delete_extras),
        changes_acls_(options.changes_acls) {
    source_[kTop] = Made();
    // Of before: what the source has too, and what only the target has, also below the former.
    target_[kTop].data = "old";
    for (const char* path : {"/top/a", "/top/a/b", "/top/a/b/extra", "/top/extra", "/top/extra/a",
                             "/top/c", "/top/c/extra"}) {
      target_[path].data = absl::StrCat("old ", path);
      if (std::string(path).find("extra") != std::string::npos) extras_.insert(path);
    }
    Inventory inventory;
    for (const auto& [path, node] : target_) inventory[path] = FingerprintOf(node.data, node.acl);
    mirror_.emplace(MirrorOptions{kTop, delete_extras_, 4}, inventory);
  }

  // Without any look at what nobody told of.
  void RunUntilIdle(int steps) {
    for (int i = 0; i < steps; ++i) Step(/*changing=*/true);
    const auto settled = [this] {
      return connected_ && mirror_->scanned() && mirror_->idle() && events_.empty();
    };
    for (int i = 0; i < kStepsMax && !settled(); ++i) Step(/*changing=*/false);
    ASSERT_TRUE(settled());
    Compare();
  }

  void RunToTheEnd(int steps) {
    for (int i = 0; i < steps; ++i) Step(/*changing=*/true);
    mirror_->Finish();
    // Changes go on until the source has answered that it shows all until then.
    for (int i = 0; i < steps && !synced_; ++i) Step(/*changing=*/true);
    for (int i = 0; i < kStepsMax && !mirror_->done(); ++i) Step(/*changing=*/false);
    ASSERT_TRUE(mirror_->done());
    EXPECT_TRUE(mirror_->scanned());
    Compare();
  }

 private:
  bool Chance(int percent) { return rng_.Below(100) < static_cast<uint64_t>(percent); }

  Node Made() {
    ++zxid_;
    Node node;
    node.data = absl::StrCat("v", zxid_);
    node.version = {zxid_, zxid_, 0};
    node.children_changed = zxid_;
    return node;
  }

  void Tell(const std::string& path) {
    if (connected_) events_.push_back(path);
  }

  std::string RandomPath() {
    static const char* const kNames[] = {"a", "b", "c", kRefusedName};
    std::string path = kTop;
    const uint64_t depth = 1 + rng_.Below(kDepthMax);
    for (uint64_t i = 0; i < depth; ++i) path += std::string("/") + kNames[rng_.Below(4)];
    return path;
  }

  void Change() {
    const std::string path = Chance(5) ? kTop : RandomPath();
    const auto found = source_.find(path);
    if (found == source_.end()) {
      const auto parent = source_.find(std::string(model::ParentPath(path)));
      if (parent == source_.end() || parent->second.ephemeral) return;
      Node node = Made();
      node.ephemeral = Chance(20);
      node.denied = changes_acls_ && Chance(5);
      parent->second.children_changed = zxid_;
      source_[path] = node;
      Tell(path);
      return;
    }
    const uint64_t what = rng_.Below(10);
    if (what < 4) {
      found->second.version.modified = ++zxid_;
      found->second.data = absl::StrCat("v", zxid_);
      Tell(path);
    } else if (what < 6 && changes_acls_) {
      // Of a new ACL nobody is told.
      ++zxid_;
      ++found->second.version.acl;
      found->second.acl[0].permissions = 1 + static_cast<uint32_t>(rng_.Below(31));
      found->second.denied = Chance(20);
    } else if (path != kTop) {
      DeleteSubtree(path);
    }
  }

  void DeleteSubtree(const std::string& path) {
    for (const std::string& name : ChildrenOf(source_, path)) {
      DeleteSubtree(model::JoinPath(path, name));
    }
    source_.erase(path);
    source_[std::string(model::ParentPath(path))].children_changed = ++zxid_;
    Tell(path);
  }

  Answer AnswerTo(const Question& question) {
    Answer answer;
    const auto found = source_.find(question.path);
    if (found == source_.end()) {
      answer.outcome = Answer::Outcome::kNoNode;
      return answer;
    }
    const Node& node = found->second;
    if (node.denied) {
      answer.outcome = Answer::Outcome::kDenied;
      return answer;
    }
    answer.version = node.version;
    answer.children_changed = node.children_changed;
    answer.ephemeral = node.ephemeral;
    const std::vector<std::string> names = ChildrenOf(source_, question.path);
    answer.children_count = static_cast<int64_t>(names.size());
    if (question.kind == Question::Kind::kNode) {
      answer.data = node.data;
      answer.acl = node.acl;
    }
    if (question.kind == Question::Kind::kChildren) answer.names = names;
    return answer;
  }

  void Step(bool changing) {
    switch (rng_.Below(10)) {
      case 0:
        if (changing) Change();
        break;
      case 1:
        if (auto question = mirror_->NextQuestion()) questions_.push_back(*question);
        break;
      case 2:
        if (questions_.empty()) break;
        if (questions_.front().kind == Question::Kind::kSync) synced_ = true;
        answers_.emplace_back(questions_.front(), AnswerTo(questions_.front()));
        questions_.pop_front();
        break;
      case 3: {
        if (answers_.empty()) break;
        auto [question, answer] = answers_.front();
        answers_.pop_front();
        mirror_->Answered(question, answer);
        break;
      }
      case 4:
        if (events_.empty()) break;
        mirror_->Changed(events_.front());
        events_.pop_front();
        break;
      case 5:
        if (auto write = mirror_->NextWrite()) writes_.push_back(*write);
        break;
      case 6:
        if (writes_.empty()) break;
        done_.emplace_back(writes_.front(), Apply(writes_.front()));
        writes_.pop_front();
        break;
      case 7: {
        if (done_.empty()) break;
        const auto at = done_.begin() + static_cast<ptrdiff_t>(rng_.Below(done_.size()));
        const auto [write, refusal] = *at;
        done_.erase(at);
        mirror_->Written(write, refusal);
        break;
      }
      case 8:
        if (!connected_) {
          connected_ = true;
          mirror_->Connected();
        } else if (changing && Chance(3)) {
          connected_ = false;
          questions_.clear();
          answers_.clear();
          events_.clear();
          mirror_->Lost();
        }
        break;
      default:
        if (changes_acls_ && Chance(5)) mirror_->RecheckSome(3);
    }
  }

  // Why not; "" if it was done.
  std::string Apply(const Write& write) {
    if (refuses_ && model::LastName(write.path) == kRefusedName) return "bad";
    const auto found = target_.find(write.path);
    if (write.kind == Write::Kind::kRemove) {
      // Unless it could not be created, of which the mirror has not heard yet.
      EXPECT_TRUE(refuses_ || found != target_.end()) << write.path;
      if (found == target_.end()) return "";
      EXPECT_TRUE(ChildrenOf(target_, write.path).empty()) << write.path;
      target_.erase(write.path);
      return "";
    }
    EXPECT_EQ(write.is_new, found == target_.end()) << write.path;
    if (write.is_new && target_.count(std::string(model::ParentPath(write.path))) == 0) {
      EXPECT_TRUE(refuses_) << write.path;
      return "no parent";
    }
    Node& node = target_[write.path];
    if (write.sets_data) node.data = *write.data;
    if (write.sets_acl) node.acl = write.acl;
    return "";
  }

  bool IsCopied(const std::string& path) const {
    const auto found = source_.find(path);
    if (found == source_.end() || found->second.ephemeral || found->second.denied) return false;
    if (refuses_ && model::LastName(path) == kRefusedName) return false;
    return path == kTop || IsCopied(std::string(model::ParentPath(path)));
  }

  bool HoldsExtra(const std::string& path) const {
    for (const std::string& extra : extras_) {
      if (model::IsWithin(extra, path)) return true;
    }
    return false;
  }

  // Of an ephemeral, denied or refused node nothing is promised.
  bool IsLeftOut(const std::string& path) const {
    if (path == "/") return false;
    const auto found = source_.find(path);
    const bool refused = refuses_ && model::LastName(path) == kRefusedName;
    const bool left_out =
        refused || (found != source_.end() && (found->second.ephemeral || found->second.denied));
    return left_out || IsLeftOut(std::string(model::ParentPath(path)));
  }

  void Compare() {
    const Inventory copied = mirror_->Copied();
    for (const auto& [path, node] : source_) {
      if (!IsCopied(path)) continue;
      ASSERT_EQ(target_.count(path), 1u) << path;
      EXPECT_EQ(target_[path].data, node.data) << path;
      EXPECT_EQ(target_[path].acl, node.acl) << path;
      ASSERT_EQ(copied.count(path), 1u) << path;
      EXPECT_EQ(copied.at(path), FingerprintOf(node.data, node.acl)) << path;
    }
    for (const auto& [path, node] : target_) {
      const bool stays = IsCopied(path) || IsLeftOut(path) || (!delete_extras_ && HoldsExtra(path));
      EXPECT_TRUE(stays) << path << " is only at the target";
    }
    for (const std::string& extra : extras_) {
      EXPECT_TRUE(delete_extras_ || target_.count(extra) == 1) << extra;
    }
  }

  base::Rng rng_;
  const bool refuses_;
  const bool delete_extras_;
  const bool changes_acls_;
  int64_t zxid_ = 0;
  Tree source_;
  Tree target_;
  std::set<std::string> extras_;
  std::optional<Mirror> mirror_;
  bool connected_ = false;
  bool synced_ = false;
  std::deque<Question> questions_;
  std::deque<std::pair<Question, Answer>> answers_;
  std::deque<std::string> events_;
  std::deque<Write> writes_;
  std::vector<std::pair<Write, std::string>> done_;
};

class MirrorRandom : public ::testing::TestWithParam<uint64_t> {
 protected:
  static constexpr uint64_t kSeedsEach = 100;

  std::vector<uint64_t> Seeds() const {
    std::vector<uint64_t> seeds;
    for (uint64_t i = 0; i < kSeedsEach; ++i) seeds.push_back(GetParam() * kSeedsEach + i);
    return seeds;
  }
  // From a few changes to some hundreds.
  static int StepsOf(uint64_t seed) { return 100 + 40 * static_cast<int>(seed % kSeedsEach); }
};

TEST_P(MirrorRandom, InTheEndTheTargetIsEqual) {
  for (uint64_t seed : Seeds()) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    World(seed, {.delete_extras = seed % 2 == 0}).RunToTheEnd(StepsOf(seed));
    if (HasFailure()) return;
  }
}

TEST_P(MirrorRandom, WhatIsToldIsEnoughForAllButAcls) {
  for (uint64_t seed : Seeds()) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    World(seed, {.delete_extras = seed % 2 == 0, .changes_acls = false})
        .RunUntilIdle(StepsOf(seed));
    if (HasFailure()) return;
  }
}

TEST_P(MirrorRandom, WhatTheTargetRefusesStopsNothingElse) {
  for (uint64_t seed : Seeds()) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    World(seed, {.delete_extras = seed % 2 == 0, .refuses = true}).RunToTheEnd(StepsOf(seed));
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MirrorRandom, ::testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace pando::cli
