#include "replica/lanes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace pando::replica {

Responder Lanes::Expect(std::shared_ptr<io::ReplySink> sink, uint64_t tag, model::LaneId id) {
  ++outstanding_;
  if (!id) return {std::move(sink), tag, id, 0};
  Lane& lane = lanes_[id];
  if (lane.sink == nullptr) lane.sink = std::move(sink);
  Slot slot;
  slot.completion.tag = tag;
  lane.slots.push_back(std::move(slot));
  return {nullptr, tag, id, lane.first_slot + lane.slots.size() - 1};
}

bool Lanes::AtFront(const Responder& responder) const {
  if (!responder.lane) return true;
  const auto found = lanes_.find(responder.lane);
  CHECK(found != lanes_.end());
  return found->second.first_slot == responder.slot;
}

void Lanes::Answer(const Responder& responder, model::Reply reply,
                   model::Revision stream_revision) {
  CHECK(outstanding_ > 0);
  --outstanding_;
  if (!responder.lane) {
    Emit(responder.sink, {responder.tag, stream_revision, std::move(reply)});
    return;
  }
  const auto found = lanes_.find(responder.lane);
  CHECK(found != lanes_.end());
  Lane& lane = found->second;
  CHECK(responder.slot >= lane.first_slot);
  Slot& slot = lane.slots[static_cast<size_t>(responder.slot - lane.first_slot)];
  CHECK(!slot.answered);
  slot.answered = true;
  slot.completion.stream_revision = stream_revision;
  slot.completion.reply = std::move(reply);
  if (!lane.holding.empty()) Release(&lane, responder.slot);
  if (responder.slot != lane.first_slot) return;
  Advance(&lane);
  if (lane.closed && lane.slots.empty()) lanes_.erase(found);
}

void Lanes::Advance(Lane* lane) {
  while (!lane->slots.empty() && lane->slots.front().answered) {
    if (!lane->closed) Emit(lane->sink, std::move(lane->slots.front().completion));
    lane->slots.pop_front();
    ++lane->first_slot;
  }
  if (!lane->slots.empty() && lane->slots.front().read != 0) {
    fronts_.push_back(std::exchange(lane->slots.front().read, 0));
  }
}

void Lanes::RunAtFront(const Responder& responder, uint64_t read) {
  CHECK(read != 0);
  Lane& lane = lanes_.at(responder.lane);
  CHECK(responder.slot > lane.first_slot);
  lane.slots[static_cast<size_t>(responder.slot - lane.first_slot)].read = read;
}

void Lanes::HoldBack(const Responder& read) {
  if (!read.lane) return;
  lanes_.at(read.lane).holding.push_back(read.slot);
  ++holding_;
}

bool Lanes::HoldsBack(model::LaneId id) const {
  if (holding_ == 0) return false;
  const auto found = lanes_.find(id);
  return found != lanes_.end() && !found->second.holding.empty();
}

void Lanes::Hold(Held held) {
  Lane& lane = lanes_.at(held.responder.lane);
  CHECK(!lane.holding.empty());
  lane.held.push_back(std::move(held));
}

void Lanes::Release(Lane* lane, uint64_t slot) {
  const auto place = std::find(lane->holding.begin(), lane->holding.end(), slot);
  if (place == lane->holding.end()) return;
  lane->holding.erase(place);
  --holding_;
  const auto goes = [lane](const Held& held) {
    return lane->holding.empty() || held.responder.slot < lane->holding.front();
  };
  const auto stays = std::find_if_not(lane->held.begin(), lane->held.end(), goes);
  std::move(lane->held.begin(), stays, std::back_inserter(released_));
  lane->held.erase(lane->held.begin(), stays);
}

std::vector<uint64_t> Lanes::TakeFronts() { return std::exchange(fronts_, {}); }

void Lanes::Close(model::LaneId id) {
  const auto found = lanes_.find(id);
  if (found == lanes_.end()) return;
  found->second.closed = true;
  found->second.sink = nullptr;
  if (found->second.slots.empty()) lanes_.erase(found);
}

size_t Lanes::outstanding(model::LaneId id) const {
  const auto found = lanes_.find(id);
  return found == lanes_.end() ? 0 : found->second.slots.size();
}

void Lanes::Emit(const std::shared_ptr<io::ReplySink>& sink, io::Completion completion) {
  const auto [place, fresh] = parcel_of_.try_emplace(sink.get(), parcels_.size());
  if (fresh) parcels_.push_back({sink, {}});
  parcels_[place->second].completions.push_back(std::move(completion));
}

std::vector<io::Egress::Parcel> Lanes::TakeParcels() {
  parcel_of_.clear();
  return std::exchange(parcels_, {});
}

}  // namespace pando::replica
