// What the log is to a machine, and queries.
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "machine/testing/machine_fixture.h"
#include "model/limits.h"

namespace pando::machine {
namespace {

using model::NodeKind;
using model::Reason;
using model::Reply;

using MachineTest = MachineFixture;

// --- The log ----------------------------------------------------------------------------------

TEST_F(MachineTest, DigestsAreAsEver) {
  EXPECT_EQ(codec::RecordDigest("key", "value"), 12799176785381101966u);
  EXPECT_EQ(machine_.digest(), 9499362951742083223u) << "of a new ensemble's first command";
}

TEST_F(MachineTest, OnlyTheNextNumberOfASourceTakesEffect) {
  const auto send = [&](uint64_t start, uint64_t number) {
    model::Command command;
    command.source = {model::StorageId(1), model::StartCount(start)};
    command.number = model::SourceNumber(number);
    command.body = model::Set{"/", "x"};
    return Apply(command).effective;
  };
  EXPECT_FALSE(send(1, 2));
  EXPECT_TRUE(send(1, 1));
  EXPECT_FALSE(send(1, 1));
  EXPECT_TRUE(send(1, 2));
  EXPECT_FALSE(send(3, 2));
  EXPECT_TRUE(send(3, 1));
  EXPECT_FALSE(send(1, 3));
  EXPECT_EQ(StatOf("/").version, 3);
}

TEST_F(MachineTest, TimeDoesNotGoBack) {
  stamp_ = 5'000;
  Create("/a");
  stamp_ = 4'000;
  Create("/b");
  EXPECT_EQ(StatOf("/b").ctime.ms, 5'000);
}

TEST_F(MachineTest, TheEnsembleIsFoundedOnce) {
  Do(model::Found{model::ClusterId(6)});
  EXPECT_EQ(machine_.cluster(), model::ClusterId(5));
}

TEST_F(MachineTest, AMembershipIsPartOfTheState) {
  model::Membership membership;
  membership.members = {{.id = model::ServerId(1), .peer_address = "a:1"}};
  const uint64_t digest = machine_.digest();
  const Applied applied = machine_.ApplyMembership(model::Revision(++revision_), membership);
  EXPECT_EQ(applied.delta.writes.size(), 1u);
  EXPECT_NE(machine_.digest(), digest);
  EXPECT_EQ(machine_.membership(), membership);
}

TEST_F(MachineTest, AnotherEnsembleBeginsWithTheNodesAlone) {
  Create("/a", "data");
  Create("/b", "", {.acl = {{model::kRead, {"world", "anyone"}}}});
  const model::SessionId session = Open();
  session_ = session;
  request_ = model::RequestId(7);
  Create("/b/e-", "", {.kind = NodeKind::kEphemeral, .sequential = true});
  model::Membership membership;
  membership.members = {{.id = model::ServerId(1), .peer_address = "a:1"}};
  Check(machine_.ApplyMembership(model::Revision(++revision_), membership));
  const model::Source source{model::StorageId(8), model::StartCount(3)};
  model::Command command{.source = source, .number = model::SourceNumber(1)};
  command.body = model::Set{.path = "/a", .data = "later"};
  EXPECT_TRUE(Apply(command).effective);
  const model::Stat stat_of_a = StatOf("/a");
  const uint32_t version = machine_.version();

  revision_ = 1'000'000;
  Check(machine_.BeginAnew(model::Revision(revision_), 77));
  EXPECT_EQ(changes_, Changes{"deleted /b/e-0000000000"});
  EXPECT_EQ(Data("/a"), "later");
  EXPECT_EQ(StatOf("/a"), stat_of_a);
  EXPECT_EQ(StatOf("/b").children_count, 0);
  EXPECT_EQ(StatOf("/b").children_revision, model::Revision(1'000'000));
  EXPECT_EQ(machine_.sessions().size(), 0u);
  EXPECT_FALSE(machine_.cluster());
  EXPECT_TRUE(machine_.membership().members.empty());
  EXPECT_FALSE(machine_.LastNumberOf(source));
  EXPECT_EQ(machine_.origin(), 77u);
  EXPECT_EQ(machine_.version(), version);
  // Nothing of the ensemble is left in the store either.
  for (const auto& [key, value] : records_)
    EXPECT_TRUE(key[0] != 'k' && key[0] != 'o' && key[0] != 's');

  session_ = {};
  request_ = {};
  const model::Stat root = StatOf("/");
  Do(model::Found{model::ClusterId(6)});
  EXPECT_EQ(machine_.cluster(), model::ClusterId(6));
  EXPECT_EQ(StatOf("/"), root) << "founding it anew leaves the root";
  EXPECT_EQ(Create("/b/e-", "", {.sequential = true}), Reason::kOk);
  EXPECT_EQ(created_, "/b/e-0000000001") << "numbers are not given twice";
}

TEST_F(MachineTest, ADamagedStateIsNotLoaded) {
  Create("/a", "x");
  Machine wrong_digest;
  for (const auto& [key, value] : records_) ASSERT_TRUE(wrong_digest.Load(key, value).ok());
  EXPECT_EQ(wrong_digest.FinishLoad(model::Revision(1), machine_.digest() + 1).code(),
            absl::StatusCode::kDataLoss);
  Machine orphan;
  EXPECT_FALSE(orphan.Load(codec::NodeKey("/a/b"), records_[codec::NodeKey("/a")]).ok());
  Machine nonsense;
  EXPECT_FALSE(nonsense.Load("z", "").ok());
  EXPECT_FALSE(nonsense.Load(codec::NodeKey("/"), "\xff").ok());
}

// --- Queries ----------------------------------------------------------------------------------

TEST_F(MachineTest, ListPagesThroughChildrenInOrder) {
  for (const char* name : {"/c", "/a", "/b2", "/b1", "/d"}) Create(name, "data");
  std::vector<std::string> names;
  model::List list{.path = "/", .page_size = 2};
  do {
    const Reply reply = Ask(list);
    const auto& page = std::get<model::ListResult>(reply.result);
    for (const auto& child : page.children) names.push_back(child.name);
    EXPECT_LE(page.children.size(), 2u);
    list.after = page.next_after;
  } while (!list.after.empty());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b1", "b2", "c", "d"}));
  const Reply reply =
      Ask(model::List{.path = "/", .prefix = "b", .with_stat = true, .with_data = true});
  const auto& some = std::get<model::ListResult>(reply.result);
  ASSERT_EQ(some.children.size(), 2u);
  EXPECT_EQ(some.children[1].data, "data");
  EXPECT_EQ(some.children[1].stat, StatOf("/b2"));
  EXPECT_EQ(Ask(model::List{.path = "/none"}).error.reason, Reason::kNoNode);
}

TEST_F(MachineTest, NoPageIsTooLarge) {
  const std::string half(model::kListPageBytesMax / 2 + 1, 'x');
  for (const char* name : {"/a", "/b", "/c"}) Create(name, half);
  const Reply reply = Ask(model::List{.path = "/", .with_data = true});
  const auto& page = std::get<model::ListResult>(reply.result);
  EXPECT_EQ(page.children.size(), 1u);
  EXPECT_EQ(page.next_after, "a");
}

TEST_F(MachineTest, WalkIsOfTheWholeSubtreeOrOfSomeLevels) {
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/d", "/z"}) Create(path, "x");
  const auto walk = [&](model::Walk body) {
    std::vector<std::string> paths;
    const Reply reply = Ask(body);
    for (const auto& node : std::get<model::WalkResult>(reply.result).nodes) {
      paths.push_back(node.path);
      EXPECT_EQ(node.data.has_value(), !body.without_data);
    }
    return paths;
  };
  EXPECT_EQ(walk({.path = "/a"}), (std::vector<std::string>{"/a", "/a/b", "/a/b/c", "/a/d"}));
  EXPECT_EQ(walk({.path = "/a", .max_depth = 1, .without_data = true}),
            (std::vector<std::string>{"/a", "/a/b", "/a/d"}));
}

TEST_F(MachineTest, AWalkThatIsTooMuchForOneTurnSaysSo) {
  model::Transaction many;
  for (size_t i = 0; i + 2 < model::kWalkInTurnNodesMax; ++i) {
    many.then_operations.push_back(model::Create{.path = "/n", .sequential = true});
  }
  Do(many);
  EXPECT_FALSE(Ask(model::Walk{.path = "/"}).ok() == false);
  Create("/one");
  EXPECT_TRUE(Ask(model::Walk{.path = "/"}).ok());
  Create("/two");
  EXPECT_EQ(Ask(model::Walk{.path = "/"}).error.reason, Reason::kTooLarge);
}

TEST_F(MachineTest, BeforeItIsFoundedThereIsNothing) {
  Machine empty;
  EXPECT_EQ(empty.Query({.body = model::Get{"/"}}).error.reason, Reason::kNoNode);
  model::Command command;
  command.body = model::Create{.path = "/a"};
  EXPECT_EQ(empty.Apply(model::Revision(1), command).reply.error.reason, Reason::kNoParent);
}

}  // namespace
}  // namespace pando::machine
