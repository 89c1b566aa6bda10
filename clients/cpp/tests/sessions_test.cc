// A session is had, refused, and lost.
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "pando/v1/session.grpc.pb.h"
#include "world.h"

namespace pando::client {
namespace {

using testing::HasSubstr;

using Sessions = World;

constexpr v1::NodeKind kEphemeral = v1::NODE_KIND_EPHEMERAL;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

TEST_F(Sessions, Connect) {
  const auto session = World::Connect();
  const auto other = World::Connect();
  EXPECT_TRUE(Until(session->Events().get(), SessionEvent::kConnected, milliseconds(0)));
  const std::string node = Create(session.get(), "mine", kEphemeral);
  const v1::GetResponse got = Must(other->Get(GetOf(node), {.linearizable = true}));
  EXPECT_EQ(got.stat().ephemeral_owner(), session->id());
  EXPECT_NE(got.header().server_id(), 0);
  session->Close();
  EXPECT_FALSE(Exists(other.get(), node));
  EXPECT_THAT(session->Get(GetOf("/")), FailedWith(Reason::kClosed));
}

TEST_F(Sessions, TypedErrors) {
  const auto session = World::Connect();
  const auto missing = session->Get(GetOf(root_ + "/nothing"));
  EXPECT_THAT(missing, FailedWith(Reason::kNoNode));
  EXPECT_EQ(PathOf(missing.status()), root_ + "/nothing");
  v1::CreateRequest create;
  create.set_path(root_);
  EXPECT_THAT(session->Create(create), FailedWith(Reason::kNodeExists));
  v1::SetRequest set = SetOf(root_);
  set.set_expected_version(7);
  const auto stale = session->Set(set);
  EXPECT_THAT(stale, FailedWith(Reason::kBadVersion));
  EXPECT_EQ(MetadataOf(stale.status(), "actual_version"), "0");
  EXPECT_THAT(session->Get(GetOf("no-slash")), FailedWith(Reason::kInvalidPath));
  EXPECT_THAT(session->Watch({WatchNode("no-slash")}), FailedWith(Reason::kInvalidPath));
  v1::WatchTarget once = WatchNode(root_);
  once.set_once(true);
  EXPECT_THAT(session->Watch({once}), FailedWith(Reason::kInvalidArgument));
}

// What this process has used of the processors.
milliseconds CpuTime() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return std::chrono::duration_cast<milliseconds>(of(usage.ru_utime) + of(usage.ru_stime));
}

TEST_F(Sessions, NoEndpointUp) {
  const milliseconds busy = CpuTime();
  const std::vector<std::string> nobody = {AskEndpoint("nobody"), AskEndpoint("nobody")};
  Takes(seconds(2), milliseconds(2500), [&] {
    const auto session = Session::Connect({.endpoints = nobody, .connect_timeout = seconds(2)});
    ASSERT_THAT(session, FailedWith(Reason::kNoServer));
    for (const std::string& endpoint : nobody) {
      EXPECT_THAT(MessageOf(session.status()), HasSubstr(endpoint));
    }
  });
  EXPECT_LT((CpuTime() - busy).count(), 500) << "it spins";
}

// Sockets of this process, and threads of sessions.
size_t Footprint() {
  size_t count = 0;
  std::error_code gone;
  for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += std::filesystem::read_symlink(descriptor, gone).string().starts_with("socket:");
  }
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    count += name == "pando-session";
  }
  return count;
}

TEST_F(Sessions, LeavesNothing) {
  const std::string nobody = AskEndpoint("nobody"), silent = AskEndpoint("silent");
  const size_t before = Footprint();
  for (int i = 0; i < 10; ++i) {
    const auto session = World::Connect({.endpoints = {nobody, endpoints()[0]}});
    Must(session->Watch({WatchNode(root_)}));
  }
  EXPECT_THAT(Session::Connect({.endpoints = {silent}, .connect_timeout = milliseconds(300)}),
              FailedWith(Reason::kNoServer));
  // gRPC closes a connection a little later.
  const Clock::time_point deadline = Clock::now() + seconds(5);
  while (Footprint() > before && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LE(Footprint(), before);
}

TEST_F(Sessions, WrongEndpoint) {
  Takes(seconds(1), milliseconds(1500), [&] {
    const std::string http = AskEndpoint("http");
    const auto session = Session::Connect({.endpoints = {http}, .connect_timeout = seconds(1)});
    ASSERT_THAT(session, FailedWith(Reason::kNoServer));
    EXPECT_THAT(MessageOf(session.status()), HasSubstr(http));
  });
}

TEST_F(Sessions, OptionsThatCannotBe) {
  const Options good = {.endpoints = endpoints()};
  std::vector<Options> bad(4, good);
  bad[0].endpoints.clear();
  bad[1].endpoints.push_back("");
  bad[2].operation_timeout = milliseconds(0);
  bad[3].identities = {"digest:ann:sec\nret"};
  for (const Options& options : bad) {
    EXPECT_THAT(Session::Connect(options), FailedWith(Reason::kInvalidArgument));
  }
}

TEST_F(Sessions, OneOfThreeWrong) {
  for (const std::string kind : {"nobody", "http"}) {
    const std::string wrong = AskEndpoint(kind);
    Takes(seconds(0), milliseconds(1500), [&] {
      const auto session = World::Connect({.endpoints = Rest(1, {wrong})});
      EXPECT_TRUE(Exists(session.get(), "/"));
    });
  }
}

TEST_F(Sessions, SilentServer) {
  const std::string silent = AskEndpoint("silent");
  Takes(milliseconds(500), milliseconds(1500), [&] {
    World::Connect({.endpoints = {silent, endpoints()[0]}, .attempt_timeout = milliseconds(500)});
  });
  Takes(seconds(2), milliseconds(2500), [&] {
    const auto session = Session::Connect({.endpoints = {silent},
                                           .connect_timeout = seconds(2),
                                           .attempt_timeout = milliseconds(500)});
    ASSERT_THAT(session, FailedWith(Reason::kNoServer));
    EXPECT_THAT(MessageOf(session.status()), HasSubstr(silent + ": took the connection"));
  });
  // It is named also before it was silent for too long.
  const auto session =
      Session::Connect({.endpoints = {silent}, .connect_timeout = milliseconds(300)});
  ASSERT_THAT(session, FailedWith(Reason::kNoServer));
  EXPECT_THAT(MessageOf(session.status()), HasSubstr(silent));
}

TEST_F(Sessions, AnotherCluster) {
  const std::string stranger = AskEndpoint("stranger"), front = Front(1);
  const auto session = World::Connect({.endpoints = {front, stranger, endpoints()[1]}});
  const auto events = session->Events();
  Ask("cut " + front);
  EXPECT_TRUE(Until(events.get(), SessionEvent::kReconnected, seconds(5)));
  EXPECT_TRUE(Exists(session.get(), root_));  // else it went on in another ensemble
  const uint64_t mine = Must(session->Get(GetOf("/"))).header().cluster_id();
  const auto other = Session::Connect(
      {.endpoints = {stranger}, .connect_timeout = seconds(1), .cluster_id = mine});
  EXPECT_THAT(MessageOf(other.status()), HasSubstr("WRONG_CLUSTER"));
}

// Who is cut off knows before anybody else can have what it held.
TEST_F(Sessions, SessionLost) {
  const std::string front = Front(1);
  const auto session = World::Connect({.endpoints = {front}, .session_timeout = seconds(2)});
  const auto other = World::Connect();
  const std::string node = Create(session.get(), "held", kEphemeral);
  const auto events = session->Events();
  const auto gone = Must(other->Watch({WatchNode(node)}));
  const auto watch = Must(session->Watch({WatchNode(node)}));
  Ask("silence " + front);
  EXPECT_TRUE(Until(events.get(), SessionEvent::kLost, milliseconds(2500)));
  EXPECT_TRUE(Exists(other.get(), node));  // else it was told too late
  EXPECT_THAT(events->Next(), FailedWith(Reason::kClosed));
  Takes(seconds(0), milliseconds(100),
        [&] { EXPECT_THAT(session->Get(GetOf(root_)), FailedWith(Reason::kSessionExpired)); });
  EXPECT_THAT(watch->Next(), FailedWith(Reason::kSessionExpired));
  EXPECT_EQ(Must(gone->Next(seconds(10))).kind(), v1::EVENT_KIND_DELETED);
}

// The servers say that it is over.
TEST_F(Sessions, SessionExpired) {
  const auto session = World::Connect({.session_timeout = seconds(2)});
  const auto events = session->Events();
  Must(session->Call(&v1::SessionService::Stub::PrepareAsyncClose, v1::CloseRequest()));
  EXPECT_TRUE(Until(events.get(), SessionEvent::kLost, seconds(2)));
  EXPECT_THAT(session->Get(GetOf("/")), FailedWith(Reason::kSessionExpired));
}

TEST_F(Sessions, AclDenied) {
  const auto ann = World::Connect({.identities = {"digest:ann:secret"}});
  const auto anybody = World::Connect();
  const std::string node = root_ + "/hers";
  v1::CreateRequest create;
  create.set_path(node);
  v1::AclEntry* everything = create.add_acl();
  everything->mutable_identity()->set_scheme("auth");
  everything->set_permissions(0b11111);
  Must(ann->Create(create));
  const auto hers = Must(ann->Watch({WatchNode(node)}));
  const auto others = Must(anybody->Watch({WatchNode(node)}));
  const auto denied = anybody->Set(SetOf(node));
  EXPECT_THAT(denied, FailedWith(Reason::kPermissionDenied));
  EXPECT_EQ(PathOf(denied.status()), node);
  EXPECT_FALSE(MaybeApplied(denied.status()));
  EXPECT_THAT(anybody->Get(GetOf(node)), FailedWith(Reason::kPermissionDenied));
  Must(ann->Set(SetOf(node, "y")));
  EXPECT_EQ(Must(hers->Next(seconds(5))).data(), "y");
  // What precedes this reply was told: nothing.
  Must(anybody->Get(GetOf(root_), {.linearizable = true}));
  EXPECT_EQ(others->size(), 0u);
  Takes(seconds(0), seconds(2), [&] {
    EXPECT_THAT(Session::Connect({.endpoints = endpoints(), .identities = {"nonsense"}}),
                FailedWith(Reason::kUnauthenticated));
  });
}

// Callbacks have the session's thread: there everything may be called but what blocks.
TEST_F(Sessions, CallbacksRunOnTheSessionsThread) {
  auto session = World::Connect();
  std::promise<std::thread::id> reader, writer;
  std::promise<absl::Status> blocking;
  session->AsyncGet(GetOf(root_), [&](absl::StatusOr<v1::GetResponse>) {
    reader.set_value(std::this_thread::get_id());
    blocking.set_value(session->Get(GetOf(root_)).status());
    session->AsyncSet(SetOf(root_), [&](absl::StatusOr<v1::SetResponse> set) {
      EXPECT_TRUE(set.ok());
      writer.set_value(std::this_thread::get_id());
    });
  });
  EXPECT_EQ(blocking.get_future().get().code(), absl::StatusCode::kFailedPrecondition);
  const std::thread::id thread = reader.get_future().get();
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_EQ(writer.get_future().get(), thread);
}

// It may even be destroyed there.
TEST_F(Sessions, EndsInItsOwnCallback) {
  auto session = World::Connect();
  const auto events = session->Events();
  std::promise<void> ended;
  Session* const its = session.get();
  its->AsyncGet(GetOf(root_), [&](absl::StatusOr<v1::GetResponse>) {
    session.reset();
    ended.set_value();
  });
  ended.get_future().get();
  while (events->Next().ok()) {
  }
}

}  // namespace
}  // namespace pando::client
