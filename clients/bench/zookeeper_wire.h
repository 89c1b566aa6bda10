// ZooKeeperWire: ZooKeeper's protocol. A connection is a session; so a kSession is a connection of
// its own, and one at a time. kLock is ZooKeeper's recipe: a place in a queue, and a watch of the
// place before it.
#ifndef PANDO_CLIENTS_BENCH_ZOOKEEPER_WIRE_H_
#define PANDO_CLIENTS_BENCH_ZOOKEEPER_WIRE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "bench/wire.h"
#include "jute/records.h"

namespace pando::load {

class ZooKeeperWire : public Wire {
 public:
  using Wire::Wire;

  void Open() override;
  void Ask(const Operation& operation, Tag tag) override;
  void Write(std::string* out) override;
  [[nodiscard]] absl::Status Read(std::string_view bytes) override;
  void Beat() override;
  State state() const override { return state_; }

 private:
  // What an answer is for.
  enum class Step : uint8_t {
    kOperation,
    kMulti,
    kEphemeral,  // of a kSession
    kClose,
    kPlace,  // of a kLock: a place was taken
    kQueue,  //   the queue was read
    kAhead,  //   the place ahead is watched
  };
  struct Asked {
    int32_t xid;
    Step step;
    Tag tag;
  };
  // The operation that takes several steps, of which there is one at a time.
  struct LongOperation {
    Tag tag{};
    std::string path;
    bool waits_for_event = false;
  };

  void Request(const jute::Request& request, Step step, Tag tag);
  void MakeEphemeral();
  void ReadQueue();
  absl::Status OnFrame(std::string_view payload);
  absl::Status OnGreeting(std::string_view payload);
  absl::Status OnReply(std::string_view payload);
  void OnEvent();
  // What comes after a step that has succeeded.
  void Continue(const Asked& asked, std::string_view record);
  void OnQueue(std::string_view record);

  std::string out_;
  std::string in_;  // a frame that has not come whole
  bool greeted_ = false;
  bool was_ready_ = false;
  State state_ = State::kOpen;
  int32_t last_xid_ = 0;
  std::deque<Asked> asked_;
  LongOperation long_;
  std::string place_;  // the node that holds the lock, or waits for it
  Tag watch_{};
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_ZOOKEEPER_WIRE_H_
