#include "cli/mirror/mirror.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/path.h"

namespace pando::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct SourceNode {
  std::string data;
  NodeVersion version;
  int64_t children_changed = 0;
  bool ephemeral = false;
  bool denied = false;
  model::Acl acl = model::OpenAcl();
};

// A mirror whose source answers at once. What it asks and writes is kept as text.
class MirrorTest : public ::testing::Test {
 protected:
  void Begin(MirrorOptions options, const Inventory& target = {}) {
    mirror_.emplace(std::move(options), target);
  }

  // A change at the source, told or not.
  void Make(const std::string& path, const std::string& data) {
    SourceNode node;
    node.data = data;
    node.version = {++zxid_, zxid_, 0};
    node.children_changed = zxid_;
    source_[path] = node;
    const auto parent = source_.find(std::string(model::ParentPath(path)));
    if (parent != source_.end() && path != "/") parent->second.children_changed = zxid_;
  }
  void Set(const std::string& path, const std::string& data) {
    source_[path].data = data;
    source_[path].version.modified = ++zxid_;
  }
  void Delete(const std::string& path) {
    source_.erase(path);
    source_[std::string(model::ParentPath(path))].children_changed = ++zxid_;
  }

  Answer AnswerTo(const Question& question) const {
    Answer answer;
    const auto found = source_.find(question.path);
    if (found == source_.end()) {
      answer.outcome = Answer::Outcome::kNoNode;
      return answer;
    }
    const SourceNode& node = found->second;
    if (node.denied) answer.outcome = Answer::Outcome::kDenied;
    answer.version = node.version;
    answer.ephemeral = node.ephemeral;
    answer.children_changed = node.children_changed;
    answer.data = node.data;
    answer.acl = node.acl;
    for (const auto& [path, child] : source_) {
      if (path == "/" || model::ParentPath(path) != question.path) continue;
      answer.names.emplace_back(model::LastName(path));
      ++answer.children_count;
    }
    return answer;
  }

  // Answers and writes until nothing is left to do. What the target is to do, as lines.
  std::vector<std::string> Work() {
    std::vector<std::string> lines;
    for (;;) {
      if (const auto question = mirror_->NextQuestion()) {
        ++asked_[question->kind];
        mirror_->Answered(*question, AnswerTo(*question));
      } else if (const auto write = mirror_->NextWrite()) {
        lines.push_back(LineOf(*write));
        const auto refused = refused_.find(write->path);
        mirror_->Written(*write, refused == refused_.end() ? "" : refused->second);
      } else {
        return lines;
      }
    }
  }

  static std::string LineOf(const Write& write) {
    if (write.kind == Write::Kind::kRemove) return "remove " + write.path;
    return absl::StrCat(write.is_new ? "create " : "update ", write.path,
                        write.sets_data ? " data=" + *write.data : "",
                        write.sets_acl && !write.is_new ? " acl" : "");
  }

  // "path: reason" of all that was left out.
  std::vector<std::string> LeftOut() const {
    std::vector<std::string> lines;
    mirror_->ForEachLeftOut([&](const Mirror::LeftOut& left_out) {
      lines.push_back(left_out.path + (left_out.ephemeral ? ": ephemeral" : ": ") +
                      (left_out.ephemeral ? "" : left_out.reason.substr(0, 7)));
    });
    return lines;
  }

  int64_t zxid_ = 0;
  std::map<std::string, SourceNode> source_;
  std::map<std::string, std::string> refused_;
  std::map<Question::Kind, int> asked_;
  std::optional<Mirror> mirror_;
};

TEST_F(MirrorTest, CopiesAParentBeforeWhatIsBelowIt) {
  Make("/a", "1");
  Make("/a/b", "2");
  Make("/a/b/c", "3");
  Make("/other", "4");
  Begin({"/a"});
  EXPECT_THAT(Work(), IsEmpty());
  EXPECT_FALSE(mirror_->scanned());
  mirror_->Connected();
  EXPECT_THAT(Work(),
              ElementsAre("create /a data=1", "create /a/b data=2", "create /a/b/c data=3"));
  EXPECT_TRUE(mirror_->scanned());
  EXPECT_EQ(mirror_->counts().created, 3u);
  EXPECT_EQ(mirror_->counts().bytes, 3u);
}

TEST_F(MirrorTest, FollowsWhatItIsToldOf) {
  Make("/a", "1");
  Begin({"/a"});
  mirror_->Connected();
  Work();
  Set("/a", "2");
  mirror_->Changed("/a");
  EXPECT_THAT(Work(), ElementsAre("update /a data=2"));
  Make("/a/b", "3");
  Make("/a/b/c", "4");
  mirror_->Changed("/a/b/c");  // nobody told of its parent, which was not readable then
  EXPECT_THAT(Work(), ElementsAre("create /a/b data=3", "create /a/b/c data=4"));
  Delete("/a/b/c");
  Delete("/a/b");
  mirror_->Changed("/a/b");
  EXPECT_THAT(Work(), ElementsAre("remove /a/b/c", "remove /a/b"));
  EXPECT_TRUE(mirror_->idle());
  mirror_->Changed("/other");
  EXPECT_TRUE(mirror_->idle());
}

TEST_F(MirrorTest, AnotherConnectionFindsAllThatHappenedBetween) {
  Make("/a", "1");
  Make("/a/b", "2");
  Make("/a/c", "3");
  Begin({"/a"});
  mirror_->Connected();
  Work();
  mirror_->Lost();
  Set("/a/b", "4");
  Delete("/a/c");
  Make("/a/d", "5");
  source_["/a"].acl = {{1, {"world", "anyone"}}};
  ++source_["/a"].version.acl;
  EXPECT_EQ(mirror_->NextQuestion(), std::nullopt);
  asked_.clear();
  mirror_->Connected();
  EXPECT_THAT(Work(), ::testing::UnorderedElementsAre("update /a acl", "update /a/b data=4",
                                                      "remove /a/c", "create /a/d data=5"));
  EXPECT_EQ(asked_[Question::Kind::kStat], 3);
}

TEST_F(MirrorTest, LookingAgainAtWhatHasNotChangedTakesOneQuestionANode) {
  Make("/a", "1");
  for (int i = 0; i < 10; ++i) Make(absl::StrCat("/a/", i), "x");
  Begin({"/a"});
  mirror_->Connected();
  Work();
  asked_.clear();
  mirror_->RecheckSome(5);
  EXPECT_THAT(Work(), IsEmpty());
  EXPECT_EQ(asked_[Question::Kind::kStat], 5);
  source_["/a/9"].acl = {{1, {"world", "anyone"}}};
  ++source_["/a/9"].version.acl;
  mirror_->RecheckSome(6);  // all are seen in turn
  EXPECT_THAT(Work(), ElementsAre("update /a/9 acl"));
  EXPECT_EQ(asked_[Question::Kind::kChildren], 0);
}

TEST_F(MirrorTest, WhatIsEqualAlreadyIsNotWritten) {
  Make("/a", "1");
  Make("/a/b", "2");
  const Fingerprint equal = FingerprintOf("2", model::OpenAcl());
  const Fingerprint other = FingerprintOf("3", model::OpenAcl());
  Begin({"/a"}, {{"/a", other}, {"/a/b", equal}, {"/a/extra", equal}});
  mirror_->Connected();
  EXPECT_THAT(Work(), ElementsAre("update /a data=1"));
  EXPECT_THAT(mirror_->Copied(), ::testing::SizeIs(2));
}

TEST_F(MirrorTest, ExtrasAreRemovedOnlyIfAsked) {
  Make("/a", "1");
  Begin({"/a", /*delete_extras=*/true}, {{"/a/x", {}}, {"/a/x/y", {}}, {"/a", {}}});
  mirror_->Connected();
  EXPECT_THAT(Work(), ElementsAre("update /a data=1 acl", "remove /a/x/y", "remove /a/x"));
}

TEST_F(MirrorTest, AnExtraKeepsWhatItLiesIn) {
  Make("/a", "1");
  Make("/a/b", "2");
  Make("/a/b/c", "3");
  Begin({"/a"}, {{"/a/b", {}}, {"/a/b/extra", {}}});
  mirror_->Connected();
  Work();
  Delete("/a/b/c");
  Delete("/a/b");
  mirror_->Changed("/a/b/c");
  mirror_->Changed("/a/b");
  EXPECT_THAT(Work(), ElementsAre("remove /a/b/c"));
  Make("/a/b", "4");
  mirror_->Changed("/a/b");
  EXPECT_THAT(Work(), ElementsAre("update /a/b data=4"));
}

TEST_F(MirrorTest, EphemeralsAreLeftOutAndTold) {
  Make("/a", "1");
  Make("/a/e", "2");
  source_["/a/e"].ephemeral = true;
  Begin({"/a"});
  mirror_->Connected();
  EXPECT_THAT(Work(), ElementsAre("create /a data=1"));
  EXPECT_THAT(LeftOut(), ElementsAre("/a/e: ephemeral"));
  Delete("/a/e");
  mirror_->Changed("/a/e");
  Work();
  EXPECT_THAT(LeftOut(), IsEmpty());
  Make("/a/e", "3");
  mirror_->Changed("/a/e");
  EXPECT_THAT(Work(), ElementsAre("create /a/e data=3"));
}

TEST_F(MirrorTest, WhatMayNotBeReadIsToldAndTriedAgain) {
  Make("/a", "1");
  Make("/a/b", "2");
  Make("/a/b/c", "3");
  source_["/a/b"].denied = true;
  Begin({"/a"});
  mirror_->Connected();
  EXPECT_THAT(Work(), ElementsAre("create /a data=1"));
  EXPECT_THAT(LeftOut(), ElementsAre("/a/b: its ACL"));
  source_["/a/b"].denied = false;
  mirror_->RecheckSome(2);
  EXPECT_THAT(Work(), ElementsAre("create /a/b data=2", "create /a/b/c data=3"));
  EXPECT_THAT(LeftOut(), IsEmpty());
}

TEST_F(MirrorTest, WhatTheTargetRefusesIsToldAndWrittenWholeTheNextTime) {
  Make("/a", "1");
  Make("/a/b", "2");
  Make("/a/b/c", "3");
  Begin({"/a"});
  refused_["/a/b"] = "too large";
  mirror_->Connected();
  EXPECT_THAT(Work(), ElementsAre("create /a data=1", "create /a/b data=2"));
  EXPECT_THAT(LeftOut(), ElementsAre("/a/b: too lar"));
  refused_.clear();
  mirror_->RecheckSome(2);
  EXPECT_THAT(Work(), ElementsAre("create /a/b data=2", "create /a/b/c data=3"));
  Set("/a/b", "4");
  refused_["/a/b"] = "denied";
  mirror_->Changed("/a/b");
  EXPECT_THAT(Work(), ElementsAre("update /a/b data=4"));
  refused_.clear();
  mirror_->RecheckSome(3);
  EXPECT_THAT(Work(), ElementsAre("update /a/b data=4 acl"));
  EXPECT_THAT(LeftOut(), IsEmpty());
}

TEST_F(MirrorTest, AnAclWithoutItsHashesIsTold) {
  Make("/a", "1");
  source_["/a"].acl = {{31, {"digest", "ann:x"}}};
  Begin({"/a"});
  mirror_->Connected();
  Work();
  EXPECT_THAT(LeftOut(), ElementsAre("/a: its ACL"));
}

TEST_F(MirrorTest, AWriteIsNotOvertakenByTheNextOfItsNode) {
  Make("/a", "1");
  Begin({"/a"});
  mirror_->Connected();
  mirror_->Answered(*mirror_->NextQuestion(), AnswerTo({Question::Kind::kNode, "/a"}));
  const auto write = mirror_->NextWrite();
  ASSERT_TRUE(write);
  Set("/a", "2");
  mirror_->Changed("/a");
  EXPECT_EQ(mirror_->NextQuestion(), std::nullopt);
  mirror_->Written(*write, "");
  EXPECT_THAT(Work(), ElementsAre("update /a data=2"));
}

TEST_F(MirrorTest, ItEndsOnceTheSourceShowsAllThatWasBefore) {
  Make("/a", "1");
  Begin({"/a"});
  mirror_->Connected();
  Work();
  mirror_->Finish();
  EXPECT_FALSE(mirror_->done());
  source_["/a"].acl = {{1, {"world", "anyone"}}};  // nobody tells
  ++source_["/a"].version.acl;
  EXPECT_THAT(Work(), ElementsAre("update /a acl"));
  EXPECT_TRUE(mirror_->done());
  EXPECT_EQ(asked_[Question::Kind::kSync], 1);
  mirror_->Changed("/a");  // too late
  EXPECT_TRUE(mirror_->done());
}

TEST_F(MirrorTest, ATopThatIsNotThereIsTold) {
  Make("/a", "1");
  Begin({"/b"});
  mirror_->Connected();
  Work();
  EXPECT_TRUE(mirror_->top_is_missing());
  Begin({"/a"});
  mirror_->Connected();
  Work();
  source_.clear();
  mirror_->Changed("/a");
  EXPECT_THAT(Work(), ElementsAre("remove /a"));
  EXPECT_FALSE(mirror_->top_is_missing());
}

TEST_F(MirrorTest, ZooKeepersOwnNodesAreNotCopied) {
  Make("/", "");
  Make("/a", "1");
  Make("/zookeeper", "");
  Make("/zookeeper/config", "2");
  Begin({"/"}, {{"/", FingerprintOf("", model::OpenAcl())}});
  mirror_->Connected();
  EXPECT_THAT(Work(), ElementsAre("create /a data=1"));
  mirror_->Changed("/zookeeper/config");
  EXPECT_TRUE(mirror_->idle());
}

TEST_F(MirrorTest, QuestionsAreBounded) {
  Make("/a", "1");
  for (int i = 0; i < 10; ++i) Make(absl::StrCat("/a/", i), "x");
  Begin({"/a", false, /*questions_max=*/3});
  mirror_->Connected();
  mirror_->Answered(*mirror_->NextQuestion(), AnswerTo({Question::Kind::kNode, "/a"}));
  mirror_->Written(*mirror_->NextWrite(), "");
  EXPECT_FALSE(mirror_->scanned());
  mirror_->Answered(*mirror_->NextQuestion(), AnswerTo({Question::Kind::kChildren, "/a"}));
  EXPECT_FALSE(mirror_->scanned());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(mirror_->NextQuestion());
  EXPECT_FALSE(mirror_->NextQuestion());
}

TEST(Inventory, DifferencesAreWhatOneLacksOrHasOtherwise) {
  const model::Acl open = model::OpenAcl();
  const Inventory a = {{"/a", FingerprintOf("1", open)},
                       {"/b", FingerprintOf("2", open)},
                       {"/c", FingerprintOf("3", open)}};
  Inventory b = {{"/a", FingerprintOf("1", open)}, {"/b", FingerprintOf("x", open)}, {"/d", {}}};
  EXPECT_THAT(DifferencesOf(a, b), ElementsAre("/b", "/c", "/d"));
  EXPECT_THAT(DifferencesOf(a, a), IsEmpty());
  EXPECT_EQ(DigestOf(a), DigestOf(Inventory(a)));
  EXPECT_NE(DigestOf(a), DigestOf(b));
}

TEST(Inventory, APrintTellsNullFromEmptyAndOneAclFromAnother) {
  const model::Acl open = model::OpenAcl();
  EXPECT_NE(FingerprintOf(std::nullopt, open), FingerprintOf("", open));
  EXPECT_NE(FingerprintOf("", open), FingerprintOf("", {{1, {"world", "anyone"}}}));
  EXPECT_EQ(FingerprintOf("x", open), FingerprintOf("x", open));
}

}  // namespace
}  // namespace pando::cli
