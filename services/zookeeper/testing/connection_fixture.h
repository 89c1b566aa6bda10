// A connection without its socket and without its server: what a client says, what the core is
// asked and answers, and what the client hears.
#ifndef PANDO_ZOOKEEPER_TESTING_CONNECTION_FIXTURE_H_
#define PANDO_ZOOKEEPER_TESTING_CONNECTION_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "acl/digest.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "base/status.h"
#include "jute/encode.h"
#include "jute/reader.h"
#include "zookeeper/connection.h"

namespace pando::zookeeper {

using jute::ErrorCode;
using jute::FrameWriter;
using jute::Opcode;
using model::Reason;

inline constexpr WatcherId kId(42);
inline constexpr uint64_t kSession = 7;

// One frame of what the server says.
struct Said {
  int32_t xid = 0;
  int64_t zxid = 0;
  ErrorCode error = ErrorCode::kOk;
  std::string record;
};

class ConnectionTest : public testing::Test, public Host {
 protected:
  explicit ConnectionTest(Connection::Options options = Options())
      : connection_(kId, std::move(options), this) {}

  static Connection::Options Options() {
    return {.identities = {acl::kAnyone, {"ip", "10.0.0.1"}},
            .super_digest = acl::DigestOf("super:secret"),
            .frame_bytes_max = 1'000,
            .reply_bytes_max = 1'000'000,
            .reconfig = true,
            .keeper = true,
            .server = model::ServerId(1)};
  }

  // Host
  bool Post(Connection*, io::RequestBatch&& batch) override {
    if (full_) return false;
    EXPECT_EQ(batch.lane.value(), kId.value());
    for (io::Request& request : batch.requests) asked_.push_back(std::move(request));
    return true;
  }
  WatchTable* watches() override { return &watches_; }
  model::Revision told() const override { return told_; }
  base::Instant now() const override { return now_; }
  std::string RandomBytes(size_t count) override { return std::string(count, 'p'); }
  bool prepared() const override { return prepared_; }
  void Prepared() override { prepared_ = true; }
  bool read_only() const override { return read_only_; }
  void Attached(Connection*) override { ++attached_; }
  Traffic* traffic() override { return &traffic_; }
  void Answered(Opcode, base::Duration, Reason reason) override { answered_.push_back(reason); }
  void Denied(const Denial& denial) override {
    denied_.push_back(absl::StrCat(base::View(denial.method), " ", base::View(denial.caller), " ",
                                   base::View(denial.path), " ", base::View(denial.reason)));
  }

  // What a client says.
  static std::string Greeting(int64_t session, int64_t last_zxid, bool read_only = false) {
    std::string bytes;
    {
      FrameWriter frame(&bytes);
      frame.Int(0);
      frame.Long(last_zxid);
      frame.Int(30'000);
      frame.Long(session);
      frame.String(std::string(16, 'p'));
      frame.Bool(read_only);
    }
    return bytes;
  }
  void Greet(int64_t session, int64_t last_zxid = 0, bool read_only = false) {
    const std::string bytes = Greeting(session, last_zxid, read_only);
    EXPECT_EQ(connection_.Consume(bytes), bytes.size());
  }
  template <class Body>
  void Say(int32_t xid, Opcode type, Body body) {
    std::string bytes;
    {
      FrameWriter frame(&bytes);
      frame.Int(xid);
      frame.Int(static_cast<int32_t>(type));
      body(frame);
    }
    EXPECT_EQ(connection_.Consume(bytes), bytes.size());
  }
  void SayRead(int32_t xid, Opcode type, const std::string& path, bool watch) {
    Say(xid, type, [&](FrameWriter& frame) {
      frame.String(path);
      frame.Bool(watch);
    });
  }
  void SayReconfig(int32_t xid, const std::string& leaving) {
    Say(xid, Opcode::kReconfig, [&](FrameWriter& frame) {
      frame.Buffer(std::nullopt);
      frame.String(leaving);
      frame.Buffer(std::nullopt);
      frame.Long(-1);
    });
  }
  void SayNothing(int32_t xid, Opcode type) {
    Say(xid, type, [](FrameWriter&) {});
  }
  void Authenticate(const std::string& scheme, const std::string& credential) {
    Say(jute::kAuthXid, Opcode::kAuth, [&](FrameWriter& frame) {
      frame.Int(0);
      frame.String(scheme);
      frame.String(credential);
    });
  }

  // What the core answers.
  void Answer(model::Reply reply, uint64_t revision) {
    ASSERT_FALSE(asked_.empty());
    asked_.erase(asked_.begin());
    reply.revision = model::Revision(revision);
    connection_.Answer({.tag = kId.value(), .reply = std::move(reply)});
  }
  void Answer(Reason reason, uint64_t revision) {
    Answer(model::Reply::Failure({.reason = reason}), revision);
  }
  void AnswerSession(uint64_t revision) {
    model::Reply reply;
    reply.result = model::SessionResult{.session = model::SessionId(kSession),
                                        .attachment = model::Attachment(revision),
                                        .timeout_ms = 30'000};
    Answer(std::move(reply), revision);
  }
  static model::Reply Node(uint64_t modified, uint64_t children = 0) {
    model::Reply reply;
    model::OperationResult result;
    result.path = "/a";
    result.stat.modify_revision = model::Revision(modified);
    result.stat.children_revision = model::Revision(children);
    result.data = "x";
    reply.result = std::move(result);
    return reply;
  }
  void Open() {
    prepared_ = true;
    Greet(0);
    AnswerSession(10);
    connection_.output()->clear();
  }

  template <class Body>
  const Body& AskedCommand(size_t at = 0) {
    return std::get<Body>(std::get<model::Command>(asked_.at(at).body).body);
  }

  // What the client hears.
  std::vector<Said> Hear() {
    std::vector<Said> all;
    std::string_view rest = *connection_.output();
    while (!rest.empty()) {
      jute::Reader length(rest);
      const auto size = static_cast<size_t>(length.Int());
      jute::Reader frame(rest.substr(4, size));
      Said said;
      said.xid = frame.Int();
      said.zxid = frame.Long();
      said.error = static_cast<ErrorCode>(frame.Int());
      said.record = std::string(rest.substr(20, size - 16));
      rest.remove_prefix(4 + size);
      all.push_back(std::move(said));
    }
    connection_.output()->clear();
    return all;
  }

  base::Instant now_;
  Connection connection_;
  WatchTable watches_;
  Traffic traffic_;
  model::Revision told_;
  bool full_ = false;
  bool prepared_ = false;
  bool read_only_ = false;
  int attached_ = 0;
  std::vector<io::Request> asked_;
  std::vector<Reason> answered_;
  std::vector<std::string> denied_;
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_TESTING_CONNECTION_FIXTURE_H_
