#include "cli/zookeeper/client.h"

#include <algorithm>
#include <concepts>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/host_port.h"
#include "jute/encode_request.h"
#include "jute/frame.h"

namespace pando::cli {
namespace {

using asio::ip::tcp;
using Error = asio::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kDialMax{3'000};
// Of servers that nobody answers at.
constexpr milliseconds kPause{200};
// What is asked for; a server grants between 2 and 20 of its ticks.
constexpr int32_t kSessionTimeoutMs = 10'000;
// A third of the session's timeout is between pings, and a server is left after two of silence.
constexpr int kBeatsPerTimeout = 3;
constexpr int kSilentBeats = 2;
// A directory of a million names fits.
constexpr size_t kFrameBytesMax = 128 << 20;
constexpr size_t kWaitingBytesMax = 32 << 20;

}  // namespace

template <class Function>
auto ZooKeeperClient::OfThisConnection(Function function) {
  return [ this, function, of = connection_ ](
      const auto&... arguments) requires std::invocable<const Function&, decltype(arguments)...> {
    if (of == connection_ && !failed_) function(arguments...);
  };
}

ZooKeeperClient::ZooKeeperClient(Options options, Doorbell* bell)
    : options_(std::move(options)), bell_(*bell), search_began_(Clock::now()) {
  CHECK(!options_.servers.empty());
  asio::post(context_, [this] { Dial(); });
  thread_ = std::thread([this] { context_.run(); });
}

ZooKeeperClient::~ZooKeeperClient() {
  uint64_t session = 0;
  {
    const std::lock_guard lock(mutex_);
    session = session_;
  }
  Ask(session, jute::CloseSession{});
  asio::post(context_, [this] {
    Error ignored;
    // As far as it goes at once: a session that is not closed expires.
    const std::lock_guard lock(mutex_);
    socket_.non_blocking(true, ignored);
    if (!is_writing_) socket_.write_some(asio::buffer(outgoing_), ignored);
    context_.stop();
  });
  thread_.join();
}

std::vector<ZooKeeperClient::Happening> ZooKeeperClient::Take() {
  std::vector<Happening> taken;
  bool was_full = false;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(happenings_);
    was_full = waiting_bytes_ >= kWaitingBytesMax;
    waiting_bytes_ = 0;
  }
  if (was_full) {
    asio::post(context_, [this] {
      if (greeted_ && !reading_ && !failed_) Read();
    });
  }
  return taken;
}

void ZooKeeperClient::Ask(uint64_t session, const jute::Request& request) {
  const std::lock_guard lock(mutex_);
  if (session == 0 || session != session_) return;
  const bool was_empty = outgoing_.empty();
  last_xid_ = last_xid_ == INT32_MAX ? 1 : last_xid_ + 1;
  asked_.push_back(last_xid_);
  jute::AppendRequest(last_xid_, request, &outgoing_);
  if (was_empty) asio::post(context_, [this] { Write(); });
}

void ZooKeeperClient::Happen(Happening happening, size_t bytes) {
  const std::lock_guard lock(mutex_);
  happenings_.push_back(std::move(happening));
  waiting_bytes_ += bytes;
  bell_.Ring();
}

void ZooKeeperClient::Dial() {
  const base::HostPort address = base::SplitHostPort(server());
  timer_.expires_after(kDialMax);
  timer_.async_wait(OfThisConnection([this](const Error& error) {
    if (!error) Break("it does not answer");
  }));
  resolver_.async_resolve(
      address.host, address.port,
      OfThisConnection([this](const Error& error, const tcp::resolver::results_type& found) {
        if (error) return Break(error.message());
        asio::async_connect(socket_, found,
                            OfThisConnection([this](const Error& refused, const tcp::endpoint&) {
                              if (refused) return Break(refused.message());
                              Greet();
                            }));
      }));
}

void ZooKeeperClient::Greet() {
  Error ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  jute::ConnectRequest greeting;
  greeting.last_zxid_seen = last_zxid_;
  greeting.timeout_ms = kSessionTimeoutMs;
  greeting.password.assign(jute::kPasswordBytes, '\0');
  greeting.read_only = false;
  greeting_.clear();
  jute::AppendConnectRequest(greeting, &greeting_);
  for (const std::string& credential : options_.credentials) {
    const size_t colon = credential.find(':');
    jute::AppendRequest(jute::kAuthXid,
                        jute::Auth{0, credential.substr(0, colon), credential.substr(colon + 1)},
                        &greeting_);
  }
  credentials_left_ = options_.credentials.size();
  Write();
  Read();
}

void ZooKeeperClient::Read() {
  CHECK(!reading_);
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(chunk_), OfThisConnection([this](const Error& error, size_t count) {
        reading_ = false;
        if (error == asio::error::eof) {
          return Break(greeted_ ? "it closed the connection"
                                : "it closed the connection unanswered: it does "
                                  "not serve, or is no ZooKeeper");
        }
        if (error) return Break(error.message());
        heard_ = Clock::now();
        input_.append(chunk_.data(), count);
        TakeInput();
      }));
}

void ZooKeeperClient::TakeInput() {
  const uint64_t of = connection_;
  size_t taken = 0;
  for (;;) {
    const std::string_view rest = std::string_view(input_).substr(taken);
    const std::optional<uint32_t> length = jute::LengthOfFrame(rest);
    if (!length) break;
    if (*length > kFrameBytesMax) return Break("what answers there is no ZooKeeper");
    if (rest.size() < jute::kLengthBytes + *length) break;
    TakeFrame(rest.substr(jute::kLengthBytes, *length));
    if (of != connection_ || failed_) return;
    taken += jute::kLengthBytes + *length;
  }
  input_.erase(0, taken);
  const std::lock_guard lock(mutex_);
  // Else Take goes on.
  if (waiting_bytes_ < kWaitingBytesMax) Read();
}

void ZooKeeperClient::TakeFrame(std::string_view payload) {
  if (!greeted_) return TakeGreeting(payload);
  jute::ReplyHeader header;
  std::string_view record;
  if (!jute::DecodeReplyHeader(payload, &header, &record)) return Break("it sent half a reply");
  last_zxid_ = std::max(last_zxid_, header.zxid);
  if (header.xid == jute::kPingXid) return;
  if (header.xid == jute::kNotificationXid) {
    jute::Event event;
    if (!jute::DecodeEvent(record, &event)) return Break("it sent half an event");
    return Happen(std::move(event), payload.size());
  }
  if (header.xid != jute::kAuthXid) return TakeReply(header, record);
  if (header.error != jute::ErrorCode::kOk) {
    return Fail(absl::FailedPreconditionError(
        absl::StrCat(server(), " does not take what --zookeeper-auth says")));
  }
  if (credentials_left_ > 0 && --credentials_left_ == 0) Open();
}

void ZooKeeperClient::TakeGreeting(std::string_view payload) {
  jute::ConnectResponse response;
  if (!jute::DecodeConnectResponse(payload, &response)) {
    return Break("what answers there is no ZooKeeper");
  }
  if (response.timeout_ms <= 0) return Break("it refuses the session");
  greeted_ = true;
  session_timeout_ = Millis(response.timeout_ms);
  Beat();
  if (credentials_left_ == 0) Open();
}

void ZooKeeperClient::TakeReply(const jute::ReplyHeader& header, std::string_view record) {
  {
    const std::lock_guard lock(mutex_);
    if (asked_.empty() || asked_.front() != header.xid) {
      asked_.clear();
    } else {
      asked_.pop_front();
      happenings_.push_back(Reply{header.error, std::string(record)});
      waiting_bytes_ += record.size() + sizeof(Reply);
      bell_.Ring();
      return;
    }
  }
  Break(absl::StrCat("it answered request ", header.xid, " out of order"));
}

void ZooKeeperClient::Open() {
  {
    const std::lock_guard lock(mutex_);
    session_ = ++sessions_;
  }
  Happen(Opened{sessions_}, 0);
}

void ZooKeeperClient::Write() {
  if (is_writing_ || !socket_.is_open()) return;
  writing_ = std::exchange(greeting_, {});
  {
    const std::lock_guard lock(mutex_);
    writing_ += std::exchange(outgoing_, {});
  }
  if (writing_.empty()) return;
  is_writing_ = true;
  asio::async_write(socket_, asio::buffer(writing_),
                    OfThisConnection([this](const Error& error, size_t) {
                      is_writing_ = false;
                      if (error) return Break(error.message());
                      Write();
                    }));
}

void ZooKeeperClient::Beat() {
  // While reading is put off, its silence is not the server's.
  if (reading_ && Clock::now() - heard_ > session_timeout_ * kSilentBeats / kBeatsPerTimeout) {
    return Break("it fell silent");
  }
  if (greeting_.empty()) jute::AppendRequest(jute::kPingXid, jute::Ping{}, &greeting_);
  Write();
  timer_.expires_after(session_timeout_ / kBeatsPerTimeout);
  timer_.async_wait(OfThisConnection([this](const Error& error) {
    if (!error) Beat();
  }));
}

void ZooKeeperClient::Break(const std::string& reason) {
  ++connection_;
  Error ignored;
  socket_.close(ignored);
  resolver_.cancel();
  const std::string at = server();
  bool was_open = false;
  greeted_ = reading_ = is_writing_ = false;
  input_.clear();
  greeting_.clear();
  {
    const std::lock_guard lock(mutex_);
    was_open = std::exchange(session_, 0) != 0;
    asked_.clear();
    outgoing_.clear();
  }
  if (was_open) {
    search_began_ = Clock::now();
    Happen(Lost{absl::StrCat(at, ": ", reason)}, 0);
  }
  if (Clock::now() - search_began_ > options_.timeout) {
    return Fail(absl::UnavailableError(
        absl::StrCat("no ZooKeeper serves at ", absl::StrJoin(options_.servers, ", "), ", for ",
                     options_.timeout.count(), " ms now; ", at, ": ", reason)));
  }
  ++dials_;
  // A pause only after a whole round: a dead first server costs nothing.
  const bool round = dials_ % options_.servers.size() == 0;
  timer_.expires_after(round ? kPause : Millis(0));
  timer_.async_wait(OfThisConnection([this](const Error& error) {
    if (!error) Dial();
  }));
}

void ZooKeeperClient::Fail(absl::Status why) {
  failed_ = true;
  Error ignored;
  socket_.close(ignored);
  timer_.cancel();
  Happen(Failed{std::move(why)}, 0);
}

}  // namespace pando::cli
