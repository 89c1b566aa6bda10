// EtcdWire: etcd's v3 API. A node is a key, and its children are the keys under it with a '/'; a
// session is a lease. A create is a transaction, because a Put does not mind that the key exists.
#ifndef PANDO_CLIENTS_BENCH_ETCD_WIRE_H_
#define PANDO_CLIENTS_BENCH_ETCD_WIRE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/grpc_channel.h"
#include "bench/grpc_step.h"
#include "bench/wire.h"

namespace google::protobuf {
class MessageLite;
}

namespace pando::load {

class EtcdWire : public Wire, private GrpcChannel::Receiver {
 public:
  struct Options {
    bool linearizable = false;   // reads; etcd calls the others serializable
    bool needs_session = false;  // for kLock
  };

  EtcdWire(Listener* listener, Options options)
      : Wire(listener), options_(options), channel_(this) {}

  void Open() override;
  void Ask(const Operation& operation, Tag tag) override;
  void Write(std::string* out) override { channel_.Write(out); }
  [[nodiscard]] absl::Status Read(std::string_view bytes) override;

 private:
  enum class Step : uint8_t {
    kGreet,  // grants the lease of the connection
    kOperation,
    kCreate,
    kGet,
    kGrant,  // the three steps of a kSession
    kPutLeased,
    kRevoke,
    kLock,
    kWatches,  // the stream of all watches of the connection
  };
  using Stage = GrpcStep<Step>;

  // Of the operation under a tag, while it is under way.
  struct Progress {
    int64_t lease = 0;
    std::string path;             // of a kSession: what it is to make
    const char* lacks = nullptr;  // what the answer lacked, though the call succeeded
  };

  void OnMessage(uint64_t cookie, std::string_view message) override;
  void OnEnd(uint64_t cookie, const absl::Status& status) override;

  void Call(std::string_view method, const google::protobuf::MessageLite& request, Stage stage);
  void Grant(Stage stage);
  void Revoke(int64_t lease, Stage stage);
  void Create(const Operation& operation, Tag tag);
  void Range(const Operation& operation, Tag tag);
  void Multi(const Operation& operation, Tag tag);
  void Watch(const Operation& operation, Tag tag);
  void OnWatchResponse(std::string_view message);
  Progress& ProgressOf(Tag tag);

  const Options options_;
  GrpcChannel channel_;
  GrpcChannel::Call* watches_ = nullptr;
  std::string bytes_;
  std::vector<Progress> progress_;  // by tag
  int64_t own_lease_ = 0;
  std::string held_;      // the key of the lock
  absl::Status failure_;  // of what everything depends on
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_ETCD_WIRE_H_
