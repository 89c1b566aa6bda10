// Servers that talk to one another over real sockets.
#include "peer/grpc_peers.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "model/limits.h"
#include "pando/internal/v1/peer.grpc.pb.h"
#include "peer/testing/server.h"
#include "protocol/wire.h"

namespace pando::peer {
namespace {

using internal::v1::ChannelRequest;
using internal::v1::ChannelResponse;
using model::ServerId;

TEST(GrpcPeers, HelloOpensAChannelAndMessagesComeInOrder) {
  Server a(1), b(2);
  a.Call({b.address()});
  const auto opened = b.Next<io::PeerOpened>();
  EXPECT_EQ(opened.hello, a.hello());
  EXPECT_EQ(a.Next<io::PeerReady>().peer, ServerId(2));

  std::vector<uint64_t> sent(20'000);
  std::iota(sent.begin(), sent.end(), 0);
  for (size_t i = 0; i < sent.size(); i += 2) a.Send(b, {Numbered(i), Numbered(i + 1)});
  EXPECT_EQ(b.NextNumbers(opened.channel, sent.size()), sent);
  EXPECT_EQ(a.peers().counters(ServerId(2))->sent_messages, sent.size());
  EXPECT_EQ(b.peers().counters(ServerId(1))->received_messages, sent.size());
  EXPECT_EQ(a.peers().counters(ServerId(2))->dropped_messages, 0u);
}

TEST(GrpcPeers, WhatIsSentToNobodyIsDropped) {
  Server a(1), b(2);
  a.Send(b, {Numbered(1)});
  a.Call({{ServerId(2), "127.0.0.1:1"}});
  a.Send(b, {Numbered(2)});
  EXPECT_EQ(a.peers().counters(ServerId(2))->dropped_messages, 1u);
}

TEST(GrpcPeers, EachSideHasAChannelOfItsOwn) {
  Server a(1), b(2);
  b.Call({a.address()});
  const auto to_a = a.Await<io::PeerOpened>();
  b.Await<io::PeerReady>();  // what is sent before that is dropped
  a.Call({b.address()});
  const auto to_b = b.Await<io::PeerOpened>();
  b.peers().Refuse(to_b.channel, io::Refusal::kNotAMember, "who?");
  EXPECT_EQ(a.Await<io::PeerRefused>().peer, ServerId(2));
  b.Send(a, {Numbered(7)});
  EXPECT_EQ(a.Await<io::PeerMessages>().channel, to_a.channel);
}

TEST(GrpcPeers, EndOfTheCallerIsTold) {
  Server b(2);
  Server a(1);
  a.Call({b.address()});
  const auto opened = b.Next<io::PeerOpened>();
  a.Stop();
  EXPECT_EQ(b.Next<io::PeerClosed>().channel, opened.channel);
  EXPECT_TRUE(b.NothingCame());
}

TEST(GrpcPeers, PeerThatComesBackIsConnectedAgain) {
  Server a(1);
  auto b = std::make_unique<Server>(2);
  const int port = b->port();
  a.Call({b->address()});
  a.Next<io::PeerReady>();
  const auto first = b->Next<io::PeerOpened>();
  b->Stop();
  b = std::make_unique<Server>(2, port);
  a.Next<io::PeerReady>();
  const auto opened = b->Next<io::PeerOpened>();
  EXPECT_EQ(opened.hello, a.hello());
  a.Send(*b, {Numbered(5)});
  EXPECT_EQ(b->NextNumbers(opened.channel, 1), std::vector<uint64_t>{5});
  EXPECT_EQ(a.peers().counters(ServerId(2))->opened, 2u);
  EXPECT_EQ(a.peers().counters(ServerId(2))->broken, 1u);
}

TEST(GrpcPeers, PeerThatStartsLaterIsFound) {
  Server a(1);
  auto b = std::make_unique<Server>(2);
  const io::PeerAddress address = b->address();
  const int port = b->port();
  b->Stop();
  a.Call({address});
  b = std::make_unique<Server>(2, port);
  EXPECT_EQ(a.Next<io::PeerReady>().peer, ServerId(2));
}

TEST(GrpcPeers, RefusalIsToldByNameAndNotRetriedAtOnce) {
  Server a(1), b(2);
  a.Call({b.address()});
  const auto opened = b.Next<io::PeerOpened>();
  a.Next<io::PeerReady>();
  b.peers().Refuse(opened.channel, io::Refusal::kWrongStorage, "its data is gone");
  EXPECT_EQ(b.Next<io::PeerClosed>().channel, opened.channel);
  const auto refused = a.Next<io::PeerRefused>();
  EXPECT_EQ(refused.peer, ServerId(2));
  EXPECT_EQ(refused.refusal, io::Refusal::kWrongStorage);
  EXPECT_EQ(refused.detail, "its data is gone");
  // It has ended: once more, and of one that never was, is nothing.
  b.peers().Refuse(opened.channel, io::Refusal::kWrongStorage, "again");
  b.peers().Refuse(io::ChannelId(99), io::Refusal::kWrongStorage, "never");
  EXPECT_TRUE(b.NothingCame());
}

TEST(GrpcPeers, RefusedCallerComesAgainAfterAWhile) {
  Server a(1, 0, std::chrono::milliseconds(1)), b(2);
  a.Call({b.address()});
  b.peers().Refuse(b.Next<io::PeerOpened>().channel, io::Refusal::kNotAMember, "");
  b.Next<io::PeerClosed>();
  b.Next<io::PeerOpened>();
}

TEST(GrpcPeers, ChangedAddressIsConnectedAnewAndTheOldOneLeft) {
  Server a(1), old_b(2), new_b(2);
  a.Call({old_b.address()});
  const auto opened = old_b.Next<io::PeerOpened>();
  a.Next<io::PeerReady>();
  a.Call({new_b.address()});
  EXPECT_EQ(old_b.Next<io::PeerClosed>().channel, opened.channel);
  a.Next<io::PeerReady>();
  const auto again = new_b.Next<io::PeerOpened>();
  a.Send(new_b, {Numbered(3)});
  EXPECT_EQ(new_b.NextNumbers(again.channel, 1), std::vector<uint64_t>{3});
}

TEST(GrpcPeers, PeerThatIsStillListedKeepsItsChannel) {
  Server a(1), b(2), c(3);
  a.Call({b.address()});
  const auto opened = b.Next<io::PeerOpened>();
  a.Next<io::PeerReady>();
  a.Call({c.address(), b.address()});
  c.Next<io::PeerOpened>();
  EXPECT_EQ(a.Next<io::PeerReady>().peer, ServerId(3));
  a.Send(b, {Numbered(3)});
  EXPECT_EQ(b.NextNumbers(opened.channel, 1), std::vector<uint64_t>{3});
}

TEST(GrpcPeers, SomebodyElseAtAnAddressIsNotTakenForThePeer) {
  Server a(1), b(2);
  io::PeerAddress address = b.address();
  address.id = ServerId(9);
  a.Call({address});
  const auto refused = a.Next<io::PeerRefused>();
  EXPECT_EQ(refused.refusal, io::Refusal::kWrongServer);
  EXPECT_EQ(refused.detail, "this is server 2, and the caller wants 9");
  EXPECT_TRUE(b.NothingCame());
}

TEST(GrpcPeers, WhoJoinsNeedNotKnowWhoAnswers) {
  Server a(1), b(2);
  io::PeerAddress address = b.address();
  address.id = ServerId();
  a.Call({address});
  b.Next<io::PeerOpened>();
  EXPECT_EQ(a.Next<io::PeerReady>().peer, ServerId());
}

TEST(GrpcPeers, LargestMessageArrives) {
  Server a(1), b(2);
  a.Call({b.address()});
  const auto opened = b.Next<io::PeerOpened>();
  a.Next<io::PeerReady>();
  // Tag, first, count, and a length of four bytes.
  const std::string command(model::kPeerMessageBytesMax - 7, 'c');
  a.Send(b, {io::Forward{model::SourceNumber(1), {command}}, Numbered(1)});
  const auto event = b.Next<io::PeerMessages>();
  ASSERT_EQ(event.messages.size(), 1u);
  EXPECT_EQ(std::get<io::Forward>(event.messages[0]).commands[0], command);
  EXPECT_EQ(b.NextNumbers(opened.channel, 1), std::vector<uint64_t>{1});
  EXPECT_EQ(b.peers().counters(ServerId(1))->received_bytes,
            a.peers().counters(ServerId(2))->sent_bytes +
                protocol::EncodeGreeting({.to = ServerId(2), .hello = a.hello()}).size());
}

TEST(GrpcPeers, TakenPortIsNamed) {
  Server a(1);
  Options options;
  options.id = ServerId(2);
  options.listen_address = "127.0.0.1:" + std::to_string(a.port());
  options.now = SteadyNow;
  net::Refusals refusals("peer", SteadyNow);
  options.connection_refusals = &refusals;
  io::Inbox inbox;
  const auto started = GrpcPeers::Start(std::move(options), &inbox);
  ASSERT_FALSE(started.ok());
  EXPECT_NE(std::string(started.status().message()).find(std::to_string(a.port())),
            std::string::npos);
}

// --- A peer that does not read ----------------------------------------------------------------

class Deaf : public internal::v1::PeerService::CallbackService {
 public:
  class Reactor : public grpc::ServerBidiReactor<ChannelRequest, ChannelResponse> {
   public:
    explicit Reactor(grpc::CallbackServerContext* context) {
      context->AddInitialMetadata(protocol::kListens, "1");
      StartSendInitialMetadata();
    }
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };
  grpc::ServerBidiReactor<ChannelRequest, ChannelResponse>* Channel(
      grpc::CallbackServerContext* context) override {
    return new Reactor(context);
  }
};

TEST(GrpcPeers, TooMuchThatWaitsBreaksTheChannel) {
  Deaf deaf;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&deaf);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  Server a(1);
  a.Call({{ServerId(2), "127.0.0.1:" + std::to_string(port)}});
  a.Next<io::PeerReady>();
  const io::Forward forward{model::SourceNumber(1), {std::string(model::kMiB, 'c')}};
  // Some more than the queue holds are with gRPC and the kernel.
  for (size_t i = 0; i < model::kPeerQueueBytesMax / model::kMiB - 1; ++i) {
    a.peers().Send(ServerId(2), {forward});
  }
  EXPECT_EQ(a.peers().counters(ServerId(2))->broken, 0u);
  for (size_t i = 0; i < 32; ++i) a.peers().Send(ServerId(2), {forward});
  EXPECT_EQ(a.peers().counters(ServerId(2))->broken, 1u);
  a.Next<io::PeerReady>();
  a.Stop();
  server->Shutdown(std::chrono::system_clock::now());
}

// --- A core that is slow ----------------------------------------------------------------------

TEST(GrpcPeers, ChannelIsNotReadOnWhileTheCoreIsBehind) {
  Server a(1), b(2);
  b.Call({a.address()});
  a.Call({b.address()});
  b.Await<io::PeerOpened>();
  a.Await<io::PeerReady>();
  constexpr size_t kMessages = 60;
  const io::Forward forward{model::SourceNumber(1), {std::string(model::kMiB, 'c')}};
  for (size_t i = 0; i < kMessages; ++i) a.peers().Send(ServerId(2), {forward});
  const auto counters = b.peers().counters(ServerId(1));
  // What is under way when the limit is reached is read whole.
  constexpr size_t kHeldMax = model::kPeerHeldBytesMax + model::kPeerMessageBytesMax;
  size_t handled = 0;
  size_t messages = 0;
  while (messages < kMessages) {
    const auto event = b.Await<io::PeerMessages>();
    EXPECT_LE(counters->received_bytes - handled, kHeldMax);
    messages += event.messages.size();
    handled += event.messages.size() * (model::kMiB + 7);
  }
  EXPECT_GT(handled, 2 * kHeldMax);
}

// --- Callers that say nonsense ----------------------------------------------------------------

class Nonsense : public testing::Test {
 protected:
  // Opens a channel and sends these frames; what its end was.
  grpc::Status Say(const std::vector<std::string>& frames) {
    auto stub = internal::v1::PeerService::NewStub(
        grpc::CreateChannel(b_.address().address, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    auto stream = stub->Channel(&context);
    for (const std::string& frame : frames) {
      ChannelRequest request;
      request.set_frame(frame);
      if (!stream->Write(request)) break;
    }
    response_.Clear();
    while (stream->Read(&response_)) {
    }
    return stream->Finish();
  }
  // A call on a connection of its own that says nothing.
  class Silent {
   public:
    explicit Silent(const Server& server) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stub_ = internal::v1::PeerService::NewStub(grpc::CreateCustomChannel(
          server.address().address, grpc::InsecureChannelCredentials(), arguments));
      stream_ = stub_->Channel(&context_);
    }
    // Waits for it.
    grpc::Status End() { return stream_->Finish(); }
    void Cancel() { context_.TryCancel(); }

   private:
    std::unique_ptr<internal::v1::PeerService::Stub> stub_;
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReaderWriter<ChannelRequest, ChannelResponse>> stream_;
  };
  uint64_t refused(Refusals::Reason reason) { return b_.peers().refusals().count(reason); }

  std::string Hello(uint64_t to = 2) {
    return protocol::EncodeGreeting({.to = ServerId(to), .hello = a_.hello()});
  }

  // Somebody else who is understood.
  ~Nonsense() override {
    a_.Call({b_.address()});
    a_.Next<io::PeerReady>();
    const auto opened = b_.Next<io::PeerOpened>();
    a_.Send(b_, {Numbered(1)});
    b_.NextNumbers(opened.channel, 1);
  }

  Server a_{1}, b_{2};
  ChannelResponse response_;
};

TEST_F(Nonsense, FirstFrameThatIsNoHello) {
  EXPECT_EQ(Say({""}).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Say({Hello().substr(0, 5)}).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_TRUE(b_.NothingCame());
}

TEST_F(Nonsense, FrameThatIsNone) {
  std::string frame;
  protocol::EncodeMessage(Numbered(4), &frame);
  EXPECT_EQ(Say({Hello(), frame, "\xff"}).error_code(), grpc::INVALID_ARGUMENT);
  const auto opened = b_.Next<io::PeerOpened>();
  EXPECT_EQ(b_.NextNumbers(opened.channel, 1), std::vector<uint64_t>{4});
  EXPECT_EQ(b_.Next<io::PeerClosed>().channel, opened.channel);
}

TEST_F(Nonsense, ProtocolThatThisServerDoesNotSpeak) {
  EXPECT_TRUE(Say({"\x7fwhatever"}).ok());
  EXPECT_EQ(response_.refusal(), static_cast<uint32_t>(io::Refusal::kWrongVersion));
  EXPECT_TRUE(b_.NothingCame());
}

TEST_F(Nonsense, WhoSaysNothingForTooLongIsEnded) {
  Silent silent(b_);
  // The second call is there when the clock has gone on, and finds the first.
  while (refused(Refusals::Reason::kSilent) == 0) {
    b_.PassTime(std::chrono::seconds(5));
    Say({""});
  }
  EXPECT_EQ(silent.End().error_code(), grpc::RESOURCE_EXHAUSTED);
}

TEST_F(Nonsense, TheOldestWhoSaysNothingGivesWay) {
  std::vector<std::unique_ptr<Silent>> silent;
  while (refused(Refusals::Reason::kCrowded) == 0) {
    ASSERT_LE(silent.size(), 4 * model::kPeerSilentMax);
    silent.push_back(std::make_unique<Silent>(b_));
  }
  EXPECT_GE(silent.size(), model::kPeerSilentMax);
  // Who says at once who it is finds room; the fixture's end does it, too.
  EXPECT_EQ(Say({Hello(), "\xff"}).error_code(), grpc::INVALID_ARGUMENT);
  b_.Next<io::PeerOpened>();
  b_.Next<io::PeerClosed>();
  for (const auto& one : silent) one->Cancel();
  for (const auto& one : silent) one->End();
}

TEST_F(Nonsense, OneServerHasOnlySoManyChannels) {
  a_.Call({b_.address()});
  a_.Next<io::PeerReady>();
  const auto first = b_.Next<io::PeerOpened>();
  std::vector<std::unique_ptr<internal::v1::PeerService::Stub>> stubs;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<ChannelRequest, ChannelResponse>>> streams;
  for (size_t i = 0; i < model::kPeerChannelsMax; ++i) {
    stubs.push_back(internal::v1::PeerService::NewStub(
        grpc::CreateChannel(b_.address().address, grpc::InsecureChannelCredentials())));
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(stubs.back()->Channel(contexts.back().get()));
    ChannelRequest request;
    request.set_frame(Hello());
    ASSERT_TRUE(streams.back()->Write(request));
    b_.Next<io::PeerOpened>();
  }
  EXPECT_EQ(b_.Next<io::PeerClosed>().channel, first.channel);
  EXPECT_EQ(refused(Refusals::Reason::kCrowded), 1u);
  for (const auto& context : contexts) context->TryCancel();
  for (const auto& stream : streams) stream->Finish();
  for (size_t i = 0; i < model::kPeerChannelsMax; ++i) b_.Await<io::PeerClosed>();
  a_.Call({});
}

TEST_F(Nonsense, FrameOverTheLimit) {
  std::string frame;
  protocol::EncodeMessage(
      io::Forward{model::SourceNumber(1), {std::string(model::kPeerMessageBytesMax - 6, 'c')}},
      &frame);
  ASSERT_EQ(frame.size(), model::kPeerMessageBytesMax + 1);
  EXPECT_EQ(Say({Hello(), frame}).error_code(), grpc::INVALID_ARGUMENT);
  b_.Next<io::PeerOpened>();
  b_.Next<io::PeerClosed>();
  frame.resize(2 * model::kPeerMessageBytesMax);
  EXPECT_EQ(Say({Hello(), frame}).error_code(), grpc::RESOURCE_EXHAUSTED);
  b_.Next<io::PeerOpened>();
  b_.Next<io::PeerClosed>();
}

}  // namespace
}  // namespace pando::peer
