#include "bench/grpc_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pando::load {
namespace {

using ::testing::ElementsAre;

std::string Framed(const std::string& message) {
  return std::string("\0\0\0\0", 4) + static_cast<char>(message.size()) + message;
}

// The server's side of HTTP/2, which answers what the test says.
class Server {
 public:
  Server() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Server() { nghttp2_session_del(session_); }

  void Read(const std::string& bytes) {
    ASSERT_EQ(nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                       bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  std::string Write() {
    std::string out;
    const uint8_t* bytes = nullptr;
    for (ssize_t size = 1; size > 0;) {
      size = nghttp2_session_mem_send(session_, &bytes);
      out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    }
    return out;
  }

  // Answers with `body`, and ends the call with `status`; none: it stays open.
  void Answer(int32_t stream, const std::string& body, const std::string& status,
              const std::string& message = "") {
    Headers(stream, NGHTTP2_FLAG_NONE, {{":status", "200"}});
    bodies_[stream] = {body, status, message};
    const nghttp2_data_provider provider = {.source = {.ptr = this}, .read_callback = ReadBody};
    ASSERT_EQ(nghttp2_submit_data(session_, NGHTTP2_FLAG_NONE, stream, &provider), 0);
  }
  void AnswerWithoutBody(int32_t stream, const std::string& status, const std::string& message) {
    Headers(stream, NGHTTP2_FLAG_END_STREAM,
            {{":status", "200"}, {"grpc-status", status}, {"grpc-message", message}});
  }
  void Reset(int32_t stream) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_REFUSED_STREAM);
  }

  const std::string& header(int32_t stream, const std::string& name) {
    return headers_[stream][name];
  }
  const std::string& data(int32_t stream) { return data_[stream]; }

 private:
  struct Body {
    std::string bytes;
    std::string status;
    std::string message;
  };

  void Headers(int32_t stream, uint8_t flags,
               const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::vector<nghttp2_nv> headers;
    for (const auto& [name, value] : pairs) {
      headers.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                         reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                         value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_submit_headers(session_, flags, stream, nullptr, headers.data(), headers.size(),
                           nullptr);
  }

  static ssize_t ReadBody(nghttp2_session* session, int32_t stream, uint8_t* buffer, size_t room,
                          uint32_t* flags, nghttp2_data_source* source, void*) {
    auto* const server = static_cast<Server*>(source->ptr);
    Body& body = server->bodies_[stream];
    const size_t count = body.bytes.copy(reinterpret_cast<char*>(buffer), room);
    body.bytes.erase(0, count);
    if (body.bytes.empty() && !body.status.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::vector<std::pair<std::string, std::string>> trailers = {
          {"grpc-status", body.status}, {"grpc-message", body.message}};
      std::vector<nghttp2_nv> headers;
      for (const auto& [name, value] : trailers) {
        headers.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                           reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                           value.size(), NGHTTP2_NV_FLAG_NONE});
      }
      nghttp2_submit_trailer(session, stream, headers.data(), headers.size());
    }
    return count == 0 && body.status.empty() ? ssize_t{NGHTTP2_ERR_DEFERRED}
                                             : static_cast<ssize_t>(count);
  }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* server) {
    static_cast<Server*>(server)->headers_[frame->hd.stream_id][std::string(
        reinterpret_cast<const char*>(name), name_size)] =
        std::string(reinterpret_cast<const char*>(value), value_size);
    return 0;
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* bytes, size_t size,
                    void* server) {
    static_cast<Server*>(server)->data_[stream].append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }

  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Body> bodies_;
  std::map<int32_t, std::map<std::string, std::string>> headers_;
  std::map<int32_t, std::string> data_;
};

class GrpcChannelTest : public ::testing::Test, private GrpcChannel::Receiver {
 protected:
  // Both sides read what the other has written.
  void Exchange(size_t piece = std::string::npos) {
    std::string there;
    channel_.Write(&there);
    server_.Read(there);
    const std::string back = server_.Write();
    for (size_t at = 0; at < back.size();) {
      const std::string bytes = back.substr(at, piece);
      ASSERT_TRUE(channel_.Read(bytes).ok());
      at += bytes.size();
    }
  }
  std::vector<std::string> Told() { return std::exchange(told_, {}); }

  void OnMessage(uint64_t cookie, std::string_view message) override {
    told_.push_back(absl::StrCat(cookie, " got ", std::string(message)));
  }
  void OnEnd(uint64_t cookie, const absl::Status& status) override {
    told_.push_back(absl::StrCat(cookie, " ended ", status.ToString()));
  }

  // The streams that a client opens.
  static constexpr int32_t kFirst = 1;
  static constexpr int32_t kSecond = 3;

  std::vector<std::string> told_;
  Server server_;
  GrpcChannel channel_{this};
};

TEST_F(GrpcChannelTest, ACallSendsItsMessageAndGetsTheAnswer) {
  channel_.Start("/p.S/Get", "question", 7, {{"who", "me"}});
  Exchange();
  EXPECT_EQ(server_.header(kFirst, ":path"), "/p.S/Get");
  EXPECT_EQ(server_.header(kFirst, "content-type"), "application/grpc");
  EXPECT_EQ(server_.header(kFirst, "te"), "trailers");
  EXPECT_EQ(server_.header(kFirst, "who"), "me");
  EXPECT_EQ(server_.data(kFirst), Framed("question"));
  server_.Answer(kFirst, Framed("answer"), "0");
  Exchange();
  EXPECT_THAT(Told(), ElementsAre("7 got answer", "7 ended OK"));
}

TEST_F(GrpcChannelTest, MessagesComeInPiecesOfAnySize) {
  channel_.Start("/p.S/Watch", "", 1);
  Exchange();
  server_.Answer(kFirst, Framed("one") + Framed("") + Framed("three"), "0");
  Exchange(/*piece=*/1);
  EXPECT_THAT(Told(), ElementsAre("1 got one", "1 got ", "1 got three", "1 ended OK"));
}

TEST_F(GrpcChannelTest, AFailureComesWithItsMessageHoweverItIsSent) {
  channel_.Start("/p.S/Get", "", 1);
  channel_.Start("/p.S/Get", "", 2);
  Exchange();
  server_.AnswerWithoutBody(kFirst, "5", "no node");
  server_.Answer(kSecond, Framed("half"), "14", "gone");
  Exchange();
  EXPECT_THAT(Told(),
              ElementsAre("1 ended NOT_FOUND: no node", "2 got half", "2 ended UNAVAILABLE: gone"));
}

TEST_F(GrpcChannelTest, ACallThatIsBrokenOffHasFailed) {
  channel_.Start("/p.S/Get", "", 1);
  Exchange();
  server_.Reset(kFirst);
  Exchange();
  EXPECT_THAT(Told(), ElementsAre("1 ended UNAVAILABLE: the server broke a call off: "
                                  "REFUSED_STREAM"));
}

TEST_F(GrpcChannelTest, AStreamSendsWhenThereIsSomething) {
  GrpcChannel::Call* const call = channel_.StartStream("/p.S/Pipeline", 4);
  Exchange();
  EXPECT_EQ(server_.data(kFirst), "");
  channel_.Send(call, "a");
  Exchange();
  channel_.Send(call, "b");
  channel_.Send(call, "c");
  Exchange();
  EXPECT_EQ(server_.data(kFirst), Framed("a") + Framed("b") + Framed("c"));
  server_.Answer(kFirst, Framed("A"), "");
  Exchange();
  EXPECT_THAT(Told(), ElementsAre("4 got A"));
}

TEST_F(GrpcChannelTest, CallsThatAreOverLeaveNothingBehind) {
  for (int32_t i = 0; i < 3; ++i) {
    const int32_t stream = 2 * i + 1;
    channel_.Start("/p.S/Get", absl::StrCat("q", i), static_cast<uint64_t>(i));
    Exchange();
    EXPECT_EQ(server_.data(stream), Framed(absl::StrCat("q", i)));
    if (i == 0) {
      server_.Answer(stream, Framed("cut").substr(0, 6), "3", "bad");
    } else {
      server_.Answer(stream, Framed("fine"), "0");
    }
    Exchange();
  }
  EXPECT_THAT(Told(), ElementsAre("0 ended INVALID_ARGUMENT: bad", "1 got fine", "1 ended OK",
                                  "2 got fine", "2 ended OK"));
}

TEST_F(GrpcChannelTest, WhatIsNoHttp2IsRefused) {
  channel_.Start("/p.S/Get", "", 1);
  (void)channel_.Read("HTTP/1.1 400 Bad Request\r\n\r\n");
  // nghttp2 has said goodbye, and that was that.
  std::string goodbye;
  channel_.Write(&goodbye);
  EXPECT_FALSE(channel_.Read("more").ok());
}

}  // namespace
}  // namespace pando::load
