// Connection: one client of the ZooKeeper port, from its greeting to its end, without its socket.
//
//   frames ──► Consume ──► batch of questions ──► Host::Post ──► core
//                 │                                               │
//            expected_ (in order) ◄──────────── Answer ───────────┘
//                 └──► output ◄── Tell (events)
//
// A connection is a lane: its requests are answered in order, one reply each. What the server knows
// by itself has its place in that order, too; only `auth` is answered at once, as in ZooKeeper. A
// watch is left when the read that wants it is answered, which is the place of that revision among
// the changes (feed.h): the first event is of the first change that the reply does not show.
//
// One thread's: that of its Host.
#ifndef PANDO_ZOOKEEPER_CONNECTION_H_
#define PANDO_ZOOKEEPER_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "io/client.h"
#include "jute/records.h"
#include "model/acl.h"
#include "model/ids.h"
#include "zookeeper/denial.h"
#include "zookeeper/overview.h"
#include "zookeeper/reconfiguration.h"
#include "zookeeper/traffic.h"
#include "zookeeper/translate.h"
#include "zookeeper/watch_table.h"

namespace pando::zookeeper {

class Connection;

// What a connection needs of its server.
class Host {
 public:
  virtual ~Host() = default;
  // False: there is no room, nothing was taken, and RoomAgain() comes.
  virtual bool Post(Connection* connection, io::RequestBatch&& batch) = 0;
  virtual WatchTable* watches() = 0;
  // The newest revision whose changes were told to everybody.
  virtual model::Revision told() const = 0;
  virtual base::Instant now() const = 0;
  // For passwords, and for the hash that stands for one.
  virtual std::string RandomBytes(size_t count) = 0;
  // Whether the nodes that ZooKeeper has from the start are there; a connection makes them if not.
  virtual bool prepared() const = 0;
  // This server is without a majority: it serves whoever asks for no more than to read.
  virtual bool read_only() const = 0;
  virtual void Prepared() = 0;
  // Of all connections, which count there too.
  virtual Traffic* traffic() = 0;
  // The connection has a session now: an older one of the same session ends.
  virtual void Attached(Connection* connection) = 0;
  virtual void Answered(jute::Opcode type, base::Duration taken, model::Reason reason) = 0;
  virtual void Denied(const Denial& denial) = 0;
};

class Connection {
 public:
  struct Options {
    // Of who is there: world:anyone, and the address.
    std::vector<model::Identity> identities;
    std::string super_digest;  // "user:hash"; empty: nobody is super
    size_t frame_bytes_max = 0;
    size_t reply_bytes_max = 0;  // of what was read, but for the length in front of it
    bool reconfig = false;       // clients may change the membership, if they have WRITE on it
    bool keeper = false;         // they may ask what ClickHouse Keeper has besides (keeper.h)
    model::ServerId server;      // this one
  };

  // Requests that are not answered; with more the socket is not read. Fewer where answers are
  // large.
  static constexpr size_t kOutstandingMin = 8;
  static constexpr size_t kOutstandingMax = 1'000;
  static constexpr size_t kAnswerBytesMax = size_t{8} << 20;
  // Output that the client does not read; with more its requests are not read, and with much more
  // an event ends the connection.
  static constexpr size_t kUnreadBytesMax = size_t{1} << 20;
  static constexpr size_t kUnreadEventBytesMax = size_t{16} << 20;

  Connection(WatcherId id, Options options, Host* host);

  // The client has shown who it is, besides. REQUIRES: nothing was consumed.
  void AddIdentity(model::Identity identity);

  // Takes whole frames off the front of what has arrived; returns how many bytes. Takes nothing
  // while wants_input() is false.
  size_t Consume(std::string_view bytes);
  bool wants_input() const;
  size_t outstanding_max() const;

  // The core's answer to the oldest question.
  void Answer(io::Completion completion);
  // The frame of an event of `revision`, if this client may READ what has `acl`; null: nothing
  // stands against it.
  void Tell(const model::Acl* acl, model::Revision revision, std::string_view frame);
  // The Inbox has room for what was refused.
  void RoomAgain();
  // It is a four-letter word, and no client: nothing is read any more, until AnswerWord, which ends
  // it. REQUIRES: nothing was consumed.
  void TakeWord();
  void AnswerWord(std::string answer);
  // Ends it, with all that was not written yet. `why` is for the log; empty: nothing to say.
  void End(std::string why);

  // To be written to the socket; the caller takes what it has written.
  std::string* output() { return &output_; }
  // Nothing comes any more: once output() is written, the socket is closed.
  bool ended() const { return phase_ == Phase::kEnded; }
  // And nobody waits for what is not written.
  bool cut() const { return cut_; }
  // Why, if it is for the log; empty: the client wanted it.
  const std::string& why() const { return why_; }

  bool greeting() const { return phase_ == Phase::kGreeting; }
  WatcherId id() const { return id_; }
  model::SessionId session() const { return session_; }  // none: not yet
  bool read_only() const { return read_only_; }          // as it was opened
  base::Instant began() const { return began_; }
  size_t outstanding() const { return expected_.size(); }  // requests that are not answered

  // For operators. The caller's address, and what the wall's clock says, are its server's to add.
  ConnectionRow Row() const;
  void ResetStats();

 private:
  enum class Phase : uint8_t {
    kGreeting,   // nothing was said
    kWord,       // a four-letter word was, and is not answered yet
    kPreparing,  // makes the nodes that every ZooKeeper has
    kAsking,     // whether this server is up to date, before it judges a session
    kAttaching,  // a session is opened, or taken over
    kLooking,    // whether this server knows of the session, as nobody else can be asked
    kOpen,
    kReconfiguring,  // the membership is being changed for it: nothing more is read until then
    kLeaving,        // its last request is on its way: nothing more is read
    kEnded,
  };
  struct Waiting {
    Expected expected;
    base::Instant began;
  };

  void CountReceived();
  void CountSent();
  void CountAnswered(jute::Opcode type, int32_t xid);
  void Greet(std::string_view payload);
  void Prepare();
  void AskForSession();
  void OnGreeting(const model::Reply& reply);
  void Attach();
  void Open(const model::Reply& reply);
  void GreetReadOnly();
  void OpenReadOnly();
  void Welcome();
  void RefuseReadOnly(jute::Opcode type, Expected* expected) const;
  void RefuseSession();
  // Ends it once its output is written.
  void Leave(std::string why);
  void OnFrame(std::string_view payload);
  bool AnswerAtOnce(const jute::RequestHeader& header, const jute::Request& request);
  void Authenticate(const jute::Auth& auth);
  void Deny(jute::Opcode type, std::string_view path, model::Reason reason);
  void Reconfigure(jute::Reconfig request, Expected* expected);
  void AskForReconfiguration();
  void Ask(Question question);
  void AskAlone(io::Request request);
  void Flush();
  // Answers all that need nothing more of the core.
  void Advance();
  // `reply` is the last answer; null: there was none to wait for.
  void Finish(const Waiting& waiting, const model::Reply* reply);
  void FinishHere(const Expected& expected);
  bool IsTooLarge(jute::Opcode type, size_t bytes) const;
  void LeaveWatch(const Expected& expected, const model::Reply& reply);
  void RestoreWatches(const Expected& expected, const model::Reply& reply);
  // What the header of a reply says that shows `revision`: a client takes it for what it has seen,
  // so it is no more than that, and never less than before.
  int64_t Zxid(model::Revision revision);

  const WatcherId id_;
  const Options options_;
  Host* const host_;
  const base::Instant began_;

  Phase phase_ = Phase::kGreeting;
  bool cut_ = false;
  std::string why_;
  std::vector<model::Identity> identities_;
  jute::ConnectRequest greeting_;
  bool read_only_ = false;
  std::string password_;
  std::string token_hash_;
  model::SessionId session_;
  model::Attachment attachment_;
  int64_t timeout_ms_ = 0;
  model::Revision zxid_;  // never goes down

  std::unique_ptr<Reconfiguration> reconfiguration_;  // in kReconfiguring
  io::RequestBatch batch_;                            // of what was consumed and is not posted yet
  bool waits_for_room_ = false;
  std::deque<Waiting> expected_;
  std::string output_;
  size_t answer_bytes_ = size_t{64} << 10;  // the largest of late; at first a guess
  Traffic traffic_;
  struct Last {
    std::optional<jute::Opcode> type;
    int64_t xid = -1;
    int64_t zxid = -1;
    base::Instant at;
  };
  Last last_;  // that was answered
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_CONNECTION_H_
