// GrpcChannel: gRPC's calls over one connection of HTTP/2, as bytes in and bytes out.
//
// gRPC's own library costs a client more than 10 us of CPU a call, on threads of its own: with it,
// a load that shares the machine with its servers would measure mostly itself. Here the frames are
// nghttp2's, and gRPC is the five bytes before each message and the status in the trailers. No TLS,
// no deadlines, no compression, no retries.
#ifndef PANDO_CLIENTS_BENCH_GRPC_CHANNEL_H_
#define PANDO_CLIENTS_BENCH_GRPC_CHANNEL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

struct nghttp2_session;

namespace pando::load {

class GrpcChannel {
 public:
  class Receiver {
   public:
    virtual ~Receiver() = default;
    // Called by Read only; may Start and Send. `cookie` is the call's.
    virtual void OnMessage(uint64_t cookie, std::string_view message) = 0;
    // The call is over. OK is the only status without a message for people.
    virtual void OnEnd(uint64_t cookie, const absl::Status& status) = 0;
  };

  class Call;
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  // `receiver` outlives it.
  explicit GrpcChannel(Receiver* receiver);
  ~GrpcChannel();
  GrpcChannel(const GrpcChannel&) = delete;
  GrpcChannel& operator=(const GrpcChannel&) = delete;

  // Starts a call of `method`, "/package.Service/Method", which outlives the channel, with its only
  // message.
  void Start(std::string_view method, std::string_view message, uint64_t cookie,
             const Metadata& metadata = {});
  // Starts one whose messages are sent by Send. It is valid until OnEnd.
  Call* StartStream(std::string_view method, uint64_t cookie);
  void Send(Call* call, std::string_view message);

  // Appends what is to be sent. Not to be called by the receiver.
  void Write(std::string* out);
  // UNAVAILABLE: what came is no HTTP/2, or the server ended the connection.
  [[nodiscard]] absl::Status Read(std::string_view bytes);

 private:
  struct Callbacks;

  Call* NewCall(uint64_t cookie);
  void Submit(std::string_view method, Call* call, const Metadata& metadata);
  void OnData(Call* call, std::string_view bytes);
  void OnClosed(Call* call, uint32_t http2_error);

  Receiver* const receiver_;
  nghttp2_session* session_ = nullptr;
  std::deque<Call> calls_;  // all that were ever needed at once
  std::vector<Call*> free_;
};

// One call. Made and used by the channel; others hold it to name it.
class GrpcChannel::Call {
 private:
  friend class GrpcChannel;
  uint64_t cookie = 0;
  int32_t stream = 0;
  bool last = false;    // no more is sent than what is in `out`
  bool paused = false;  // nghttp2 has asked for more, and there was none
  std::string out;
  size_t out_sent = 0;
  std::string in;  // a message that has not come whole
  int status = kNoStatus;
  std::string status_message;

  static constexpr int kNoStatus = -1;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_GRPC_CHANNEL_H_
