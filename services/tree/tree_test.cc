#include "tree/tree.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "gtest/gtest.h"
#include "model/path.h"

namespace pando::tree {
namespace {

std::string Value(std::string_view data) {
  codec::NodeRecord node;
  node.create_revision = node.modify_revision = model::Revision(1);
  node.data = data;
  return codec::EncodeNode(node);
}

TEST(Tree, FindsWhatWasPutAndNothingElse) {
  Tree tree;
  EXPECT_EQ(tree.Find("/"), nullptr);
  tree.PutNode("/", Value(""));
  tree.PutNode("/a", Value("1"));
  tree.PutNode("/a/b", Value("22"));
  EXPECT_EQ(tree.Find("/a/b")->record().data, "22");
  EXPECT_EQ(tree.Find("/a/b")->name(), "b");
  EXPECT_EQ(tree.Find("/a/c"), nullptr);
  EXPECT_EQ(tree.Find("/a/b/c"), nullptr);
  EXPECT_EQ(tree.Find("/b"), nullptr);
  for (const char* no_path : {"", "a", "a/b", "//", "/a/", "/a/b/", "/a//b", "//a", "/a/."}) {
    EXPECT_EQ(tree.Find(no_path), nullptr) << no_path;
  }
  EXPECT_EQ(tree.UsageOf("/"), (model::Usage{3, 3}));
}

TEST(Tree, ANewRecordKeepsTheChildren) {
  Tree tree;
  tree.PutNode("/", Value(""));
  tree.PutNode("/a", Value("1"));
  tree.PutNode("/a/b", Value("2"));
  tree.PutDirectory("/a", {model::Revision(7), 1, 0});
  tree.PutNode("/a", Value("much longer than before"));
  EXPECT_EQ(tree.Find("/a/b")->record().data, "2");
  EXPECT_EQ(tree.Find("/a")->stat().children_count, 1);
  EXPECT_EQ(tree.Find("/a")->stat().children_revision, model::Revision(7));
  tree.PutNode("/", Value("root"));
  EXPECT_EQ(tree.Find("/a/b")->record().data, "2");
}

TEST(Tree, ANodeWithoutChildrenHasNoDirectory) {
  Tree tree;
  tree.PutNode("/", Value(""));
  tree.PutNode("/a", Value(""));
  EXPECT_EQ(tree.Find("/a")->directory(), nullptr);
  tree.PutNode("/a/b", Value(""));
  EXPECT_NE(tree.Find("/a")->directory(), nullptr);
  tree.EraseNode("/a/b");
  EXPECT_EQ(tree.Find("/a")->directory(), nullptr);
}

TEST(Tree, ChildrenAreInTheOrderOfTheirNames) {
  Tree tree;
  tree.PutNode("/", Value(""));
  for (const std::string name : {"c", "a", "b", "ab", "\xc3\xa4", "B"}) {
    tree.PutNode("/" + name, Value(""));
  }
  std::vector<std::string> names;
  for (const ChildRef& child : tree.Find("/")->directory()->children()) {
    names.emplace_back(child.node->name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"B", "a", "ab", "b", "c", "\xc3\xa4"}));
}

// Names that share much and little, in any order, against a plain set of names.
TEST(Tree, ChildrenAreFoundWhateverTheirNamesShare) {
  constexpr uint64_t kSeed = 43;
  base::Rng rng(kSeed);
  const std::vector<std::string> heads = {"", "a", "lock-000000000", "lock-000000001", "\xff\xff"};
  const auto random_name = [&] {
    std::string name = heads[rng.Below(heads.size())];
    for (uint64_t left = rng.Between(1, 10); left > 0; --left) {
      name += static_cast<char>(rng.Chance(100) ? 0x80 + rng.Below(0x80) : '0' + rng.Below(3));
    }
    return name;
  };
  for (int round = 0; round < 50; ++round) {
    Tree tree;
    std::set<std::string> model;
    tree.PutNode("/", Value(""));
    for (int step = 0; step < 300; ++step) {
      const std::string name = random_name();
      if (!model.contains(name)) {
        tree.PutNode("/" + name, Value(""));
        model.insert(name);
      } else if (model.size() > 1) {
        tree.EraseNode("/" + name);
        model.erase(name);
      }
      const Children& children = tree.Find("/")->directory()->children();
      const std::string sought = random_name();
      const auto name_at = [&](Children::const_iterator place) {
        return place == children.end() ? std::string() : std::string(place->node->name());
      };
      const auto expected_at = [&](std::set<std::string>::const_iterator place) {
        return place == model.end() ? std::string() : *place;
      };
      ASSERT_EQ(name_at(children.find(sought)), expected_at(model.find(sought)));
      ASSERT_EQ(name_at(children.lower_bound(sought)), expected_at(model.lower_bound(sought)));
      ASSERT_EQ(name_at(children.upper_bound(sought)), expected_at(model.upper_bound(sought)));
    }
    std::vector<std::string> names;
    for (const ChildRef& child : tree.Find("/")->directory()->children()) {
      names.emplace_back(child.node->name());
    }
    ASSERT_EQ(names, std::vector<std::string>(model.begin(), model.end()));
  }
}

// Against a plain map from path to data.
TEST(Tree, AgreesWithAMapOfPaths) {
  constexpr uint64_t kSeed = 41;
  base::Rng rng(kSeed);
  Tree tree;
  std::map<std::string, std::string> model;
  tree.PutNode("/", Value(""));
  model["/"] = "";
  for (int step = 0; step < 20'000; ++step) {
    auto at = model.begin();
    std::advance(at, rng.Below(model.size()));
    std::string path = at->first;
    if (rng.Chance(500)) path = model::JoinPath(path, std::string(1, 'a' + char(rng.Below(4))));
    const auto below = model.upper_bound(path + "/");
    const bool has_children =
        below != model.end() && below->first.rfind(path == "/" ? "/" : path + "/", 0) == 0;
    if (rng.Chance(450) && path != "/" && model.count(path) && !has_children) {
      tree.EraseNode(path);
      model.erase(path);
    } else if (path.size() < 20) {
      const std::string data(rng.Below(30), 'x');
      tree.PutNode(path, Value(data));
      model[path] = data;
    }
    ASSERT_EQ(tree.UsageOf("/").nodes, static_cast<int64_t>(model.size()))
        << "seed " << kSeed << " step " << step;
  }
  for (const auto& [path, data] : model) {
    ASSERT_NE(tree.Find(path), nullptr) << path;
    EXPECT_EQ(tree.Find(path)->record().data, data);
    model::Usage usage;
    for (const auto& [other, bytes] : model) {
      if (model::IsWithin(other, path)) usage += {1, static_cast<int64_t>(bytes.size())};
    }
    EXPECT_EQ(tree.UsageOf(path), usage) << path;
  }
}

TEST(Tree, UsageIsOfASubtreeAndOfNothingElse) {
  Tree tree;
  EXPECT_EQ(tree.UsageOf("/"), model::Usage());
  for (const char* path : {"/", "/a", "/a/b", "/a/b/c", "/ab"}) tree.PutNode(path, Value("12"));
  EXPECT_EQ(tree.UsageOf("/a"), (model::Usage{3, 6}));
  EXPECT_EQ(tree.UsageOf("/a/b/c"), (model::Usage{1, 2}));
  EXPECT_EQ(tree.UsageOf("/none"), model::Usage());
  tree.PutNode("/a/b/c", Value("12345"));
  EXPECT_EQ(tree.UsageOf("/a"), (model::Usage{3, 9}));
  tree.PutNode("/a/b", Value("1"));
  EXPECT_EQ(tree.UsageOf("/a"), (model::Usage{3, 8})) << "its own data changes, not what is below";
  tree.EraseNode("/a/b/c");
  EXPECT_EQ(tree.UsageOf("/a"), (model::Usage{2, 3}));
  EXPECT_EQ(tree.UsageOf("/"), (model::Usage{4, 7}));
}

}  // namespace
}  // namespace pando::tree
