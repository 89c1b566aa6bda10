// NativeWire: Pando's own API. Operations on nodes go over one Pipeline, or are a call each; the
// others are calls.
#ifndef PANDO_CLIENTS_BENCH_NATIVE_WIRE_H_
#define PANDO_CLIENTS_BENCH_NATIVE_WIRE_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/grpc_channel.h"
#include "bench/grpc_step.h"
#include "bench/wire.h"
#include "pando/v1/tree.pb.h"

namespace pando::load {

class NativeWire : public Wire, private GrpcChannel::Receiver {
 public:
  struct Options {
    bool pipeline = true;
    bool linearizable = false;   // reads
    bool needs_session = false;  // for kLock
  };

  NativeWire(Listener* listener, Options options);

  void Open() override;
  void Ask(const Operation& operation, Tag tag) override;
  void Write(std::string* out) override;
  [[nodiscard]] absl::Status Read(std::string_view bytes) override;

 private:
  enum class Step : uint8_t {
    kPipeline,
    kGreet,  // opens the session of the connection
    kOperation,
    kOpen,  // the three steps of a kSession
    kEphemeral,
    kClose,
    kLock,
    kWatch,
  };
  using Stage = GrpcStep<Step>;

  struct Session {
    int64_t id = 0;
    std::string token;
    std::string path;  // of a kSession: what it is to make
  };

  void OnMessage(uint64_t cookie, std::string_view message) override;
  void OnEnd(uint64_t cookie, const absl::Status& status) override;

  void AskOverPipeline(const Operation& operation, Tag tag);
  void AskAlone(const Operation& operation, Tag tag);
  void Call(std::string_view method, const google::protobuf::MessageLite& request, Stage stage,
            const Session* session = nullptr);
  void OpenSession(Stage stage);
  void MakeEphemeral(Tag tag);
  void CloseSession(const Session& session, Stage stage);
  void OnResults(std::string_view message);
  Session& SessionOf(Tag tag);

  const Options options_;
  GrpcChannel channel_;
  GrpcChannel::Call* pipeline_ = nullptr;
  v1::PipelineRequest pending_;
  int pending_count_ = 0;  // of pending_'s operations; the others are there to be used again
  v1::PipelineResponse results_;
  v1::PipelineOperation alone_;
  std::string bytes_;
  Session own_;
  std::vector<Session> sessions_;  // by tag
  std::string held_;               // the ownership path of the lock
  std::set<Tag> watched_;          // whose watches are in place
  absl::Status failure_;           // of what everything depends on
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_NATIVE_WIRE_H_
