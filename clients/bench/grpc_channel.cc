#include "bench/grpc_channel.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::load {
namespace {

constexpr size_t kPrefixBytes = 5;  // before each message: whether it is compressed, and its length
// As much as HTTP/2 knows: what is under way is bounded by what was asked.
constexpr int32_t kWindowBytes = 0x7fffffff;
// What was sent is forgotten when there is nothing left, or so much of it.
constexpr size_t kSentBytesMax = 1 << 20;

void AppendMessage(std::string_view message, std::string* out) {
  const auto size = static_cast<uint32_t>(message.size());
  const std::array<char, kPrefixBytes> prefix = {
      0, static_cast<char>(size >> 24), static_cast<char>(size >> 16), static_cast<char>(size >> 8),
      static_cast<char>(size)};
  out->append(prefix.data(), prefix.size()).append(message);
}

// The size of the message that `bytes` begin with, prefix included; 0: not yet known.
size_t SizeOfMessage(std::string_view bytes) {
  if (bytes.size() < kPrefixBytes) return 0;
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  return kPrefixBytes + (byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4));
}

nghttp2_nv Header(std::string_view name, std::string_view value, uint8_t flags) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

// Of constants, which nghttp2 need not copy.
nghttp2_nv Constant(std::string_view name, std::string_view value) {
  return Header(name, value, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE);
}

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

absl::Status Broken(std::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(base::View(what), ": ", nghttp2_strerror(error)));
}

}  // namespace

// nghttp2's side of it: C functions, which find the call as the user data of its stream.
struct GrpcChannel::Callbacks {
  static Call* CallOf(nghttp2_session* session, int32_t stream) {
    return static_cast<Call*>(nghttp2_session_get_stream_user_data(session, stream));
  }

  static ssize_t Read(nghttp2_session*, int32_t, uint8_t* buffer, size_t room, uint32_t* flags,
                      nghttp2_data_source* source, void*) {
    auto* const call = static_cast<Call*>(source->ptr);
    const size_t count = std::min(room, call->out.size() - call->out_sent);
    std::memcpy(buffer, call->out.data() + call->out_sent, count);
    call->out_sent += count;
    if (call->out_sent == call->out.size()) {
      call->out.clear();
      call->out_sent = 0;
      if (call->last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (call->out_sent > kSentBytesMax) {
      call->out.erase(0, call->out_sent);
      call->out_sent = 0;
    }
    call->paused = count == 0 && !call->last;
    return call->paused ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(count);
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t, void*) {
    const std::string_view header = View(name, name_size);
    if (header != "grpc-status" && header != "grpc-message") return 0;
    Call* const call = CallOf(session, frame->hd.stream_id);
    if (call == nullptr) return 0;
    const std::string_view text = View(value, value_size);
    if (header == "grpc-message") {
      call->status_message = text;
    } else if (!absl::SimpleAtoi(base::View(text), &call->status)) {
      call->status = static_cast<int>(absl::StatusCode::kUnknown);
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* bytes,
                    size_t size, void* channel) {
    Call* const call = CallOf(session, stream);
    if (call != nullptr) static_cast<GrpcChannel*>(channel)->OnData(call, View(bytes, size));
    return 0;
  }

  static int OnClosed(nghttp2_session* session, int32_t stream, uint32_t error, void* channel) {
    Call* const call = CallOf(session, stream);
    if (call != nullptr) static_cast<GrpcChannel*>(channel)->OnClosed(call, error);
    return 0;
  }
};

GrpcChannel::GrpcChannel(Receiver* receiver) : receiver_(receiver) {
  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::OnClosed);
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_closed_streams(option, 1);
  CHECK(nghttp2_session_client_new2(&session_, callbacks, this, option) == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);

  const std::array<nghttp2_settings_entry, 2> settings = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes},
  }};
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) ==
        0);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes) == 0);
}

GrpcChannel::~GrpcChannel() { nghttp2_session_del(session_); }

GrpcChannel::Call* GrpcChannel::NewCall(uint64_t cookie) {
  if (free_.empty()) free_.push_back(&calls_.emplace_back());
  Call* const call = free_.back();
  free_.pop_back();
  call->cookie = cookie;
  call->status = Call::kNoStatus;
  return call;
}

void GrpcChannel::Submit(std::string_view method, Call* call, const Metadata& metadata) {
  // An authority of no meaning: the port belongs to one service.
  std::vector<nghttp2_nv> headers = {Constant(":method", "POST"),
                                     Constant(":scheme", "http"),
                                     Constant(":path", method),
                                     Constant(":authority", "bench"),
                                     Constant("content-type", "application/grpc"),
                                     Constant("te", "trailers")};
  for (const auto& [name, value] : metadata) {
    headers.push_back(Header(name, value, NGHTTP2_NV_FLAG_NONE));
  }
  const nghttp2_data_provider body = {.source = {.ptr = call}, .read_callback = Callbacks::Read};
  call->stream =
      nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &body, call);
  CHECK(call->stream > 0);  // else out of memory, or of 2^30 stream ids
}

void GrpcChannel::Start(std::string_view method, std::string_view message, uint64_t cookie,
                        const Metadata& metadata) {
  Call* const call = NewCall(cookie);
  call->last = true;
  AppendMessage(message, &call->out);
  Submit(method, call, metadata);
}

GrpcChannel::Call* GrpcChannel::StartStream(std::string_view method, uint64_t cookie) {
  Call* const call = NewCall(cookie);
  call->last = false;
  Submit(method, call, {});
  return call;
}

void GrpcChannel::Send(Call* call, std::string_view message) {
  AppendMessage(message, &call->out);
  if (call->paused) {
    call->paused = false;
    CHECK(nghttp2_session_resume_data(session_, call->stream) == 0);
  }
}

void GrpcChannel::Write(std::string* out) {
  for (;;) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    CHECK(size >= 0);  // else out of memory
    if (size == 0) return;
    out->append(View(bytes, static_cast<size_t>(size)));
  }
}

absl::Status GrpcChannel::Read(std::string_view bytes) {
  const ssize_t read = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (read < 0) return Broken("the server does not speak HTTP/2", static_cast<int>(read));
  if (nghttp2_session_want_read(session_) == 0) {
    return absl::UnavailableError("the server ended the HTTP/2 connection");
  }
  return absl::OkStatus();
}

void GrpcChannel::OnData(Call* call, std::string_view bytes) {
  // Nearly always a whole message, which is then handed on from where it lies.
  if (!call->in.empty()) {
    call->in.append(bytes);
    bytes = call->in;
  }
  for (size_t size = SizeOfMessage(bytes); size > 0 && size <= bytes.size();
       size = SizeOfMessage(bytes)) {
    receiver_->OnMessage(call->cookie, bytes.substr(kPrefixBytes, size - kPrefixBytes));
    bytes.remove_prefix(size);
  }
  call->in = std::string(bytes);
}

void GrpcChannel::OnClosed(Call* call, uint32_t http2_error) {
  absl::Status status;
  if (call->status > 0) {
    status = {static_cast<absl::StatusCode>(call->status), base::View(call->status_message)};
  } else if (http2_error != NGHTTP2_NO_ERROR || call->status == Call::kNoStatus) {
    status = absl::UnavailableError(
        absl::StrCat("the server broke a call off: ", nghttp2_http2_strerror(http2_error)));
  }
  const uint64_t cookie = call->cookie;
  call->out.clear();
  call->out_sent = 0;
  call->in.clear();
  call->status_message.clear();
  call->paused = false;
  free_.push_back(call);
  receiver_->OnEnd(cookie, status);
}

}  // namespace pando::load
