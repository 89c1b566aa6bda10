#include "zookeeper/server.h"

#include <pthread.h>

#include <algorithm>
#include <asio.hpp>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "base/check.h"
#include "base/host_port.h"
#include "base/log.h"
#include "jute/encode.h"
#include "model/limits.h"
#include "net/listener.h"
#include "zookeeper/commands.h"
#include "zookeeper/connection.h"
#include "zookeeper/feed.h"
#include "zookeeper/four_letter.h"
#include "zookeeper/intake.h"
#include "zookeeper/opcode.h"
#include "zookeeper/operator_desk.h"
#include "zookeeper/socket.h"
#include "zookeeper/tls_socket.h"
#include "zookeeper/watch_table.h"

namespace pando::zookeeper {
namespace {

using asio::ip::tcp;
using Refusal = net::Refusals::Reason;

// Of lanes, streams and tags: those of other adapters have another top byte (api/edge.h).
constexpr uint64_t kIdsOfZooKeeper = uint64_t{2} << 56;
// ZooKeeper's own default; what a larger node needs on top of it comes from --max-value-bytes.
constexpr size_t kFrameBytesMax = 0xfffff;
constexpr size_t kFrameOverhead = 64 * model::kKiB;
// Who has no session after that is sent away, as in ZooKeeper; a handshake of TLS is in it.
constexpr base::Duration kGreetingTime = std::chrono::seconds(10);
constexpr std::chrono::seconds kSweepInterval(1);
// For the last words of a connection to be read.
constexpr base::Duration kLastWords = std::chrono::seconds(5);
constexpr std::chrono::milliseconds kReopenPause(100);
constexpr std::chrono::seconds kCommandPatience(2);
// The first byte of a record of TLS that carries a handshake (RFC 8446, 5.1).
constexpr char kTlsHandshake = 0x16;

}  // namespace

class Server::Core : public Host, private OperatorDesk::Host, private Feed::Reader {
 public:
  Core(Options options, io::Inbox* inbox)
      : options_(std::move(options)),
        inbox_(inbox),
        intake_(std::make_shared<Intake>([this] { asio::post(context_, [this] { TakeIn(); }); })),
        feed_(this),
        sweep_(context_),
        reopen_(context_),
        frame_bytes_max_(std::max(kFrameBytesMax, options_.value_bytes_max + kFrameOverhead)),
        tls_sockets_(options_.material),
        desk_(options_.words, this) {
    plain_.make_socket = MakePlainSocket;
    secure_.make_socket = [this](tcp::socket socket) {
      return tls_sockets_.Make(std::move(socket));
    };
  }

  absl::Status Listen() {
    PANDO_RETURN_IF_ERROR(Listen(options_.plain, &plain_));
    return options_.secure ? Listen(*options_.secure, &secure_) : absl::OkStatus();
  }

  void Start() {
    OpenStream();
    SweepLater();
    for (Port* port : {&plain_, &secure_}) {
      if (port->listener == nullptr) continue;
      port->listener->Start([this, port](tcp::socket socket) { Accept(port, std::move(socket)); });
    }
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "pando-zookeeper");
      context_.run();
    });
  }

  void Stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    plain_.listener.reset();
    secure_.listener.reset();
    clients_.clear();
  }

  Intake* intake() const { return intake_.get(); }
  struct Port {
    net::Refusals* refusals = nullptr;
    std::unique_ptr<net::Listener> listener;  // null: there is no such port
    std::function<std::unique_ptr<Socket>(tcp::socket)> make_socket;
    std::atomic<size_t> open{0};
  };
  const Port& plain() const { return plain_; }
  const Port& secure() const { return secure_; }

  CommandAnswer Command(const std::string& name) {
    const auto promise = std::make_shared<std::promise<CommandAnswer>>();
    std::future<CommandAnswer> answer = promise->get_future();
    asio::post(context_, [this, name, promise] {
      desk_.AnswerCommand(name,
                          [promise](CommandAnswer one) { promise->set_value(std::move(one)); });
    });
    if (answer.wait_for(kCommandPatience) == std::future_status::ready) return answer.get();
    return {.status = 503, .body = RefuseCommand(name, "the server does not answer in time")};
  }

  // Host
  bool Post(Connection* connection, io::RequestBatch&& batch) override {
    batch.sink = intake_;
    const auto on_room = [this, id = connection->id()] {
      asio::post(context_, [this, id] { RoomFor(id); });
    };
    if (!inbox_->TryPost(std::move(batch), on_room, io::Inbox::By::kCaller)) return false;
    LendLater();
    return true;
  }
  WatchTable* watches() override { return &watches_; }
  model::Revision told() const override { return feed_.told(); }
  base::Instant now() const override { return options_.now(); }
  std::string RandomBytes(size_t count) override { return options_.random_bytes(count); }
  bool prepared() const override { return prepared_; }
  void Prepared() override { prepared_ = true; }
  bool read_only() const override { return read_only_; }
  void Attached(Connection* connection) override {
    Connection*& place = of_session_[connection->session()];
    if (place != nullptr && place != connection) {
      place->End("its session has moved to a newer connection");
      Touch(place->id());
    }
    place = connection;
  }
  Traffic* traffic() override { return &traffic_; }
  void Answered(jute::Opcode type, base::Duration taken, model::Reason reason) override {
    if (options_.on_request) options_.on_request(NameOf(type), taken, model::ReasonName(reason));
  }
  void Denied(const Denial& denial) override {
    if (denial.reason == model::ReasonName(model::Reason::kUnauthenticated)) ++auth_failures_;
    if (options_.on_denied) options_.on_denied(denial);
  }

 private:
  struct Client {
    Port* port = nullptr;
    std::unique_ptr<Socket> socket;
    std::unique_ptr<Connection> connection;
    std::string caller;  // its address and port
    base::WallTime established;
    bool refused = false;  // and that was told
    bool touched = false;  // in touched_
    base::Instant ended;   // what is left for it is being written since then
  };

  Client* Find(WatcherId id) {
    const auto found = clients_.find(id);
    return found == clients_.end() ? nullptr : found->second.get();
  }

  // --- Connections ------------------------------------------------------------------------------

  absl::Status Listen(const Options::Port& options, Port* port) {
    CHECK(options.refusals != nullptr);
    port->refusals = options.refusals;
    auto listener = net::Listener::Listen(
        &context_,
        {.address = options.listen_address, .port = options.refusals->port(), .now = options_.now});
    if (!listener.ok()) return listener.status();
    port->listener = *std::move(listener);
    return absl::OkStatus();
  }

  void Accept(Port* port, tcp::socket accepted) {
    std::string caller = net::CallerOf(accepted);
    if (caller.empty()) return;
    if (clients_.size() >= options_.connections_max) {
      const std::string why =
          absl::StrCat("there are ", options_.connections_max, " connections already");
      if (strangers_.empty()) return port->refusals->Tell(Refusal::kCrowded, caller, why);
      // Who speaks at once is not kept out by those who do not.
      Dismiss(*strangers_.begin(), Refusal::kCrowded, why);
    }
    const WatcherId id(kIdsOfZooKeeper | ++last_id_);
    Connection::Options options;
    options.identities = {acl::kAnyone, {acl::kIpScheme, base::SplitHostPort(caller).host}};
    options.super_digest = options_.super_digest;
    options.frame_bytes_max = frame_bytes_max_;
    options.reply_bytes_max = options_.reply_bytes_max;
    options.reconfig = options_.reconfig;
    options.keeper = options_.keeper;
    options.server = options_.server;
    auto client = std::make_unique<Client>();
    client->connection = std::make_unique<Connection>(id, std::move(options), this);
    client->port = port;
    client->socket = port->make_socket(std::move(accepted));
    client->caller = std::move(caller);
    client->established = options_.wall_now();
    Socket& socket = *client->socket;
    clients_.emplace(id, std::move(client));
    strangers_.insert(id);
    ++port->open;
    ++opened_;
    socket.Start(EventsOf(id));
  }

  Socket::Events EventsOf(WatcherId id) {
    Socket::Events events;
    events.on_certificate = [this, id](const std::string& subject) {
      Client* client = Find(id);
      std::optional<model::Identity> identity = acl::IdentityOfSubject(subject);
      if (client != nullptr && identity) client->connection->AddIdentity(*std::move(identity));
    };
    events.on_refused = [this, id](Refusal reason, const std::string& why) {
      if (Client* client = Find(id)) Refuse(client, reason, why);
    };
    events.on_input = events.on_written = [this, id] { Pump(id); };
    events.on_end = [this, id](std::string why) {
      if (Client* client = Find(id)) {
        client->connection->End(std::move(why));
        Remove(id);
      }
    };
    return events;
  }

  // Told once of each, whatever else it does wrong.
  void Refuse(Client* client, Refusal reason, const std::string& why) {
    if (std::exchange(client->refused, true)) return;
    client->port->refusals->Tell(reason, client->caller, why);
  }

  void Dismiss(WatcherId id, Refusal reason, const std::string& why) {
    Client* client = Find(id);
    Refuse(client, reason, why);
    Remove(id);
  }

  void RoomFor(WatcherId id) {
    if (Client* client = Find(id)) client->connection->RoomAgain();
    Pump(id);
  }

  // False: nothing more of what has arrived can be taken now.
  bool Consume(Client& client) {
    if (client.socket->reading()) return false;  // its input is the socket's meanwhile
    Connection& connection = *client.connection;
    std::string* input = client.socket->input();
    if (connection.greeting() && !input->empty()) {
      if (input->front() == kTlsHandshake) {
        Refuse(&client, Refusal::kTls, "it speaks TLS, and this port does not");
        connection.End({});
        return true;
      }
      if (const std::optional<Word> word = WordOf(*input)) {
        TakeWord(*word, &connection);
        return true;
      }
    }
    const size_t taken = connection.Consume(*input);
    input->erase(0, taken);
    if (!connection.greeting()) strangers_.erase(connection.id());
    return taken > 0;
  }

  static void Write(Client& client) {
    if (client.socket->writing() || client.connection->output()->empty()) return;
    client.socket->Write(client.connection->output());
  }

  // Writes what there is, takes what has arrived, and reads on or ends. What is written makes room
  // for requests, which may have arrived long ago: while one is left that could be taken, nothing
  // is read, since nothing more may ever come.
  void Pump(WatcherId id) {
    Client* client = Find(id);
    if (client == nullptr) return;
    do {
      Write(*client);
    } while (Consume(*client));
    Socket& socket = *client->socket;
    Connection& connection = *client->connection;
    if (connection.ended()) {
      // What it has been told in the end has a while to get there.
      if (!socket.writing() || connection.cut()) return Remove(id);
      if (client->ended == base::Instant()) client->ended = now();
      return;
    }
    if (!socket.reading() && connection.wants_input()) socket.Read();
  }

  void Remove(WatcherId id) {
    const auto found = clients_.find(id);
    if (found == clients_.end()) return;
    const std::unique_ptr<Client> client = std::move(found->second);
    clients_.erase(found);
    strangers_.erase(id);
    --client->port->open;
    Connection& connection = *client->connection;
    if (!connection.why().empty()) LogClosed(client->caller, connection.why());
    connection.End({});
    client->socket->Close();
    watches_.RemoveAll(id);
    const auto place = of_session_.find(connection.session());
    if (place != of_session_.end() && place->second == &connection) of_session_.erase(place);
    // Where connections come and go, a wake-up of the core for each would be dear.
    inbox_->Post(io::LaneClosed{model::LaneId(id.value())}, io::Inbox::By::kCaller);
    LendLater();
  }

  void LogClosed(const std::string& caller, const std::string& why) {
    uint64_t suppressed = 0;
    if (!closed_limit_.Due(options_.now(), &suppressed)) return;
    base::Log(base::Severity::kInfo, "closed a ZooKeeper client",
              {{"caller", caller}, {"why", why}, {"suppressed", suppressed}});
  }

  // Once all that is at hand is done: one write for all that it has for a client.
  void Touch(WatcherId id) {
    Client* client = Find(id);
    if (client == nullptr || client->touched) return;
    client->touched = true;
    touched_.push_back(id);
  }
  void PumpTouched() {
    std::vector<WatcherId> touched;
    touched.swap(touched_);
    for (const WatcherId id : touched) {
      Client* client = Find(id);
      if (client == nullptr) continue;
      client->touched = false;
      Pump(id);
    }
  }

  void SweepLater() {
    sweep_.expires_after(kSweepInterval);
    sweep_.async_wait([this](const asio::error_code& error) {
      if (error) return;
      DismissSilent();
      for (auto& [id, client] : clients_) {
        Connection& connection = *client->connection;
        const bool late = now() - connection.began() > kGreetingTime;
        if (late && !connection.session() && !connection.greeting()) {
          connection.End("there was no session for it in time");
        }
        if (connection.ended() && now() - client->ended > kLastWords) connection.End({});
        if (connection.ended()) Touch(id);
      }
      PumpTouched();
      SweepLater();
    });
  }

  void DismissSilent() {
    while (!strangers_.empty()) {
      const WatcherId oldest = *strangers_.begin();
      if (now() - Find(oldest)->connection->began() <= kGreetingTime) return;
      Dismiss(oldest, Refusal::kSilent, "it did not ask for a session in time");
    }
  }

  // --- For operators ----------------------------------------------------------------------------

  void TakeWord(Word word, Connection* connection) {
    connection->TakeWord();
    strangers_.erase(connection->id());
    desk_.AnswerWord(word, [this, id = connection->id()](std::string answer) {
      if (Client* client = Find(id)) client->connection->AnswerWord(std::move(answer));
      Touch(id);
    });
  }

  // OperatorDesk::Host
  void ResetServerStats() override { traffic_ = {}; }
  void ResetConnectionStats() override {
    for (auto& [id, client] : clients_) client->connection->ResetStats();
  }
  uint64_t OpenLane() override { return kIdsOfZooKeeper | ++last_id_; }
  void CloseLane(uint64_t lane) override { inbox_->Post(io::LaneClosed{model::LaneId(lane)}); }
  bool Ask(uint64_t lane, std::vector<io::Request> requests) override {
    return inbox_->TryPost({intake_, model::LaneId(lane), std::move(requests)});
  }
  Overview Look() override {
    Overview overview;
    overview.facts = options_.facts();
    overview.facts.serving = overview.facts.serving && feed_.begun();
    overview.traffic = traffic_;
    overview.rejections = RejectionsUntilNow();
    overview.connections_opened = opened_;
    overview.zxid = feed_.told();
    overview.now = options_.wall_now();
    overview.uptime = now() - began_;
    overview.port = plain_.listener->port();
    if (secure_.listener != nullptr) overview.secure_port = secure_.listener->port();
    overview.connections_open = clients_.size();
    overview.connections = [this] { return Rows(); };
    overview.outstanding = [this] {
      size_t sum = 0;
      for (const auto& [id, client] : clients_) sum += client->connection->outstanding();
      return sum;
    };
    overview.watches = &watches_;
    overview.open_files = options_.open_files;
    overview.read_only = read_only_;
    return overview;
  }
  std::vector<ConnectionRow> Rows() const {
    std::vector<ConnectionRow> rows;
    rows.reserve(clients_.size());
    for (const auto& [id, client] : clients_) {
      ConnectionRow& row = rows.emplace_back(client->connection->Row());
      row.caller = client->caller;
      row.secure = client->port == &secure_;
      row.established = client->established;
    }
    std::sort(rows.begin(), rows.end(),
              [](const ConnectionRow& a, const ConnectionRow& b) { return a.id < b.id; });
    return rows;
  }
  Rejections RejectionsUntilNow() const {
    Rejections rejections;
    rejections.unauthenticated = auth_failures_;
    for (const Port* port : {&plain_, &secure_}) {
      if (port->listener == nullptr) continue;
      const net::Refusals& refusals = *port->refusals;
      rejections.crowded += refusals.count(Refusal::kCrowded);
      rejections.silent += refusals.count(Refusal::kSilent);
      for (const Refusal reason : {Refusal::kPlaintext, Refusal::kTls, Refusal::kNoCertificate,
                                   Refusal::kCertificate, Refusal::kHandshake}) {
        rejections.handshakes += refusals.count(reason);
      }
    }
    return rejections;
  }

  // --- From the core ----------------------------------------------------------------------------

  void OpenStream() {
    stream_ = model::StreamId(kIdsOfZooKeeper | ++last_id_);
    io::WatchOpen open;
    open.stream = stream_;
    open.outbox = intake_;
    open.identities = {acl::kSuper};
    open.of_the_server = true;
    open.targets = {{.path = "/", .kind = model::WatchTarget::Kind::kSubtree}};
    inbox_->Post(std::move(open));
  }

  // Once all that has arrived is posted, so that a turn is for all of it.
  void LendLater() {
    if (std::exchange(lends_, true)) return;
    asio::post(context_, [this] {
      lends_ = false;
      inbox_->Lend();
    });
  }

  void TakeIn() {
    bool drained = false;
    for (Turn& turn : intake_->Take(&drained)) {
      const std::optional<model::Error> ended = turn.stream_ended;
      feed_.Take(std::move(turn));
      if (ended) {
        read_only_ = ended->reason == model::Reason::kNoLeader;
        Cut();
      } else if (read_only_ && feed_.live()) {
        FindMajority();
      }
    }
    if (drained) inbox_->Post(io::StreamDrained{stream_});
    PumpTouched();
  }

  // There is no leader, or changes are missing: who watches here would not hear of them. A client
  // that comes back says what it has seen, and is told what it has missed.
  void Cut() {
    feed_.Restart();
    EndAll("the server has lost the ensemble", /*read_only=*/false);
    reopen_.expires_after(kReopenPause);
    reopen_.async_wait([this](const asio::error_code& error) {
      if (!error) OpenStream();
    });
  }

  // A stream opens without a leader, too, but is ended in the same turn.
  void FindMajority() {
    read_only_ = false;
    EndAll("the server has found the ensemble again", /*read_only=*/true);
  }

  // Of those that were opened so.
  void EndAll(const char* why, bool read_only) {
    for (auto& [id, client] : clients_) {
      if (client->connection->read_only() != read_only) continue;
      client->connection->End(why);
      Touch(id);
    }
  }

  void OnChanges(const model::ChangeBatch& batch) override {
    const auto zxid = static_cast<int64_t>(batch.revision.value());
    for (const model::Change& change : batch.changes) {
      firings_.clear();
      watches_.Fire(change, &firings_);
      for (const WatchTable::Firing& firing : firings_) {
        frame_.clear();
        jute::AppendEvent(firing.type, firing.path, zxid, &frame_);
        for (const WatcherId watcher : firing.watchers) {
          if (Client* client = Find(watcher)) {
            client->connection->Tell(firing.acl, batch.revision, frame_);
            Touch(watcher);
          }
        }
      }
    }
  }

  void OnCompletion(io::Completion completion) override {
    const WatcherId id(completion.tag);
    Client* client = Find(id);
    if (client == nullptr) return (void)desk_.OnCompletion(&completion);
    client->connection->Answer(std::move(completion));
    Touch(id);
  }

  const Options options_;
  const base::Instant began_ = options_.now();
  io::Inbox* const inbox_;
  asio::io_context context_{1};
  const std::shared_ptr<Intake> intake_;
  Feed feed_;
  WatchTable watches_;
  model::StreamId stream_;
  absl::flat_hash_map<WatcherId, std::unique_ptr<Client>> clients_;
  absl::flat_hash_map<model::SessionId, Connection*> of_session_;
  absl::btree_set<WatcherId> strangers_;  // that have not greeted, the oldest first
  Traffic traffic_;
  uint64_t opened_ = 0;  // connections
  uint64_t auth_failures_ = 0;
  std::vector<WatcherId> touched_;
  bool lends_ = false;  // soon
  std::vector<WatchTable::Firing> firings_;
  std::string frame_;
  uint64_t last_id_ = 0;
  bool prepared_ = false;
  bool read_only_ = false;
  base::LogLimit closed_limit_{std::chrono::milliseconds(100)};
  asio::steady_timer sweep_;
  asio::steady_timer reopen_;
  const size_t frame_bytes_max_;
  TlsSockets tls_sockets_;
  Port plain_;
  Port secure_;
  OperatorDesk desk_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(Options options, io::Inbox* inbox) {
  auto core = std::make_unique<Core>(std::move(options), inbox);
  PANDO_RETURN_IF_ERROR(core->Listen());
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::Server(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Server::~Server() = default;
void Server::Start() { core_->Start(); }
void Server::Stop() { core_->Stop(); }
io::Egress* Server::egress() { return core_->intake(); }
const io::ReplySink* Server::sink() const { return core_->intake(); }
CommandAnswer Server::Command(const std::string& name) { return core_->Command(name); }
int Server::port() const { return core_->plain().listener->port(); }
int Server::secure_port() const { return core_->secure().listener->port(); }
size_t Server::connections() const { return core_->plain().open; }
size_t Server::secure_connections() const { return core_->secure().open; }

}  // namespace pando::zookeeper
