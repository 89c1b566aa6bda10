// EgressFan: hands out what a turn of the core has for each of the adapters that serve clients.
#ifndef PANDO_SERVER_EGRESS_FAN_H_
#define PANDO_SERVER_EGRESS_FAN_H_

#include <utility>
#include <vector>

#include "io/client.h"

namespace pando::server {

class EgressFan : public io::Egress {
 public:
  // Parcels for `sink` go to `first`, all others to `second`; both hear of the end of every turn.
  EgressFan(const io::ReplySink* sink, io::Egress* first, io::Egress* second)
      : sink_(sink), first_(first), second_(second) {}

  void Send(std::vector<Parcel> parcels) override {
    std::vector<Parcel> own;
    std::vector<Parcel> rest;
    for (Parcel& parcel : parcels) {
      (parcel.sink.get() == sink_ ? own : rest).push_back(std::move(parcel));
    }
    first_->Send(std::move(own));
    second_->Send(std::move(rest));
  }
  // Only one of them may have a thread that waits for replies.
  bool Hold() override { return second_->Hold(); }
  void Release() override { second_->Release(); }

 private:
  const io::ReplySink* const sink_;
  io::Egress* const first_;
  io::Egress* const second_;
};

}  // namespace pando::server

#endif  // PANDO_SERVER_EGRESS_FAN_H_
