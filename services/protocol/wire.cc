#include "protocol/wire.h"

#include <concepts>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/wire.h"
#include "codec/membership.h"
#include "model/limits.h"

namespace pando::protocol {
namespace {

static_assert(std::variant_size_v<io::PeerMessage> == 11 && std::variant_size_v<raft::Message> == 9,
              "the protocol has changed: count kProtocol up");

// --- Fields: one list of each struct's, for writing and for reading ----------------------------

template <class M, class T>
concept Of = std::same_as<std::remove_const_t<M>, T>;

void Fields(auto& v, Of<raft::VoteRequest> auto& m) {
  v(m.term, m.pre_vote, m.transfer, m.last, m.last_term);
}
void Fields(auto& v, Of<raft::VoteReply> auto& m) { v(m.term, m.pre_vote, m.granted); }
void Fields(auto& v, Of<raft::AppendReply> auto& m) {
  v(m.term, m.accepted, m.match, m.previous, m.hint, m.hint_term);
}
void Fields(auto& v, Of<raft::Heartbeat> auto& m) {
  v(m.term, m.committed, m.round, m.no_space, m.overloaded);
}
void Fields(auto& v, Of<raft::HeartbeatReply> auto& m) {
  v(m.term, m.round, m.verified, m.no_space, m.stalled);
}
void Fields(auto& v, Of<raft::StandNow> auto& m) { v(m.term); }
void Fields(auto& v, Of<raft::ReadRequest> auto& m) { v(m.term, m.id); }
void Fields(auto& v, Of<raft::ReadReply> auto& m) { v(m.term, m.id, m.index); }

void Fields(auto& v, Of<io::Forward> auto& m) {
  v(m.first);
  v.All(m.commands, model::kForwardCommandsMax);
}
void Fields(auto& v, Of<io::RenewRequest> auto& m) {
  v(m.id);
  v.All(m.sessions, model::kSessionsMax);
}
void Fields(auto& v, Of<io::RenewReply> auto& m) {
  v(m.id);
  v.All(m.time_left_ms, model::kSessionsMax);
}
void Fields(auto& v, Of<io::Report> auto& m) {
  v(m.role, m.term, m.applied, m.disk_bytes, m.version, m.sent_ns, m.heard_ns, m.held_ns);
}
void Fields(auto& v, Of<io::DigestReport> auto& m) { v(m.revision, m.digest); }
void Fields(auto& v, Of<io::DigestVerdict> auto& m) { v(m.revision, m.digest); }
void Fields(auto& v, Of<io::AddMember> auto& m) { v(m.member); }
void Fields(auto& v, Of<io::PromoteMember> auto& m) { v(m.id); }
void Fields(auto& v, Of<io::RemoveMember> auto& m) { v(m.id); }
void Fields(auto& v, Of<io::TransferLeadership> auto& m) { v(m.to); }
void Fields(auto& v, Of<io::AdminRequest> auto& m) { v(m.id, m.order, m.config); }
void Fields(auto& v, Of<io::AdminReply> auto& m) { v(m.id, m.error, m.revision, m.leader); }
void Fields(auto& v, Of<io::Announce> auto& m) { v(m.storage, m.initial); }
void Fields(auto& v, Of<io::AnnounceReply> auto& m) { v(m.storage, m.recorded); }
void Fields(auto& v, Of<io::PeerHello> auto& m) {
  v(m.id, m.storage, m.start, m.cluster, m.origin, m.term, m.last, m.version_min, m.version_max,
    m.joins, m.self);
}
void Fields(auto& v, Of<model::Error> auto& m) {
  v(m.reason, m.path, m.detail, m.expected, m.actual, m.oldest, m.maybe_applied);
}

using Role = model::EnsembleStatus::Role;
constexpr std::pair<Role, Role> RangeOf(Role) { return {Role::kLeader, Role::kCandidate}; }
constexpr std::pair<model::Reason, model::Reason> RangeOf(model::Reason) {
  return {model::Reason::kOk, model::Reason::kConfigInProgress};
}
constexpr std::pair<model::EntryKind, model::EntryKind> RangeOf(model::EntryKind) {
  return {model::EntryKind::kCommand, model::EntryKind::kNoop};
}

// Numbers take no more room in memory than a few times their bytes.
template <class T>
constexpr bool kIsPart = !std::is_trivially_copyable_v<T>;

// --- Writing ----------------------------------------------------------------------------------

class Put {
 public:
  explicit Put(std::string* out) : w_(out) {}

  size_t parts() const { return parts_; }
  void operator()(const auto&... fields) { (One(fields), ...); }
  template <class T>
  void All(const std::vector<T>& items, size_t count_max) {
    CHECK(items.size() <= count_max);
    if (kIsPart<T>) parts_ += items.size();
    w_.Varint(items.size());
    for (const T& item : items) One(item);
  }

 private:
  void One(bool value) { w_.Bool(value); }
  void One(uint32_t value) { w_.Varint(value); }
  void One(uint64_t value) { w_.Varint(value); }
  void One(int64_t value) { w_.Signed(value); }
  void One(const std::string& value) { w_.Bytes(value); }
  template <class Tag>
  void One(base::Strong<Tag> id) {
    w_.Varint(id.value());
  }
  void One(const std::optional<int64_t>& number) {
    w_.Bool(number.has_value());
    if (number) w_.Signed(*number);
  }
  void One(const model::Member& member) { w_.Bytes(codec::EncodeMembership({{member}})); }
  void One(const model::Membership& members) { w_.Bytes(codec::EncodeMembership(members)); }
  template <class... Ts>
  void One(const std::variant<Ts...>& variant) {
    w_.Byte(static_cast<uint8_t>(variant.index()));
    std::visit([this](const auto& alternative) { this->One(alternative); }, variant);
  }
  // An entry's place says its index.
  void One(const raft::AppendRequest& m) {
    (*this)(m.term, m.previous, m.previous_term, m.committed);
    CHECK(m.entries.size() <= model::kAppendEntriesMax);
    parts_ += m.entries.size();
    w_.Varint(m.entries.size());
    model::Revision index = m.previous;
    for (const raft::EntryRef& entry : m.entries) {
      CHECK(entry->index == ++index);
      (*this)(entry->term, entry->kind, entry->payload);
    }
  }
  template <class T>
  void One(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      w_.Byte(static_cast<uint8_t>(value));
    } else {
      Fields(*this, value);
    }
  }

  base::Writer w_;
  size_t parts_ = 1;
};

// --- Reading ----------------------------------------------------------------------------------

class Take {
 public:
  explicit Take(std::string_view bytes) : r_(bytes) {}

  base::Reader& reader() { return r_; }
  void Message(io::PeerMessage& message) {
    Spend(1);
    One(message);
  }
  void operator()(auto&... fields) { (One(fields), ...); }
  template <class T>
  void All(std::vector<T>& items, size_t count_max) {
    const size_t count = Count(1, count_max);
    if (kIsPart<T>) Spend(count);
    items.clear();
    for (size_t i = 0; i < count && r_.ok(); ++i) One(items.emplace_back());
  }

 private:
  void Spend(size_t parts) {
    if (parts > parts_left_) return r_.Fail();
    parts_left_ -= parts;
  }
  size_t Count(size_t bytes_each, size_t count_max) {
    const size_t count = r_.Count(bytes_each);
    if (count > count_max) r_.Fail();
    return count;
  }
  void One(bool& value) { value = r_.Bool(); }
  void One(uint32_t& value) {
    const uint64_t wide = r_.Varint();
    if (wide > std::numeric_limits<uint32_t>::max()) r_.Fail();
    value = static_cast<uint32_t>(wide);
  }
  void One(uint64_t& value) { value = r_.Varint(); }
  void One(int64_t& value) { value = r_.Signed(); }
  void One(std::string& value) { value = std::string(r_.Bytes()); }
  template <class Tag>
  void One(base::Strong<Tag>& id) {
    id = base::Strong<Tag>(r_.Varint());
  }
  void One(std::optional<int64_t>& number) {
    number.reset();
    if (r_.Bool()) number = r_.Signed();
  }
  void One(model::Member& member) {
    model::Membership one;
    One(one);
    if (one.members.size() != 1) return r_.Fail();
    member = std::move(one.members.front());
  }
  void One(model::Membership& members) {
    if (!codec::DecodeMembership(r_.Bytes(), &members)) r_.Fail();
    if (members.members.size() > model::kMembersMax) r_.Fail();
  }
  template <class... Ts>
  void One(std::variant<Ts...>& variant) {
    const size_t index = r_.Byte();
    if (r_.ok()) Alternative(index, variant);
  }
  template <size_t I = 0, class... Ts>
  void Alternative(size_t index, std::variant<Ts...>& variant) {
    if constexpr (I < sizeof...(Ts)) {
      if (index != I) return Alternative<I + 1>(index, variant);
      One(variant.template emplace<I>());
    } else {
      r_.Fail();
    }
  }
  void One(raft::AppendRequest& m) {
    (*this)(m.term, m.previous, m.previous_term, m.committed);
    const size_t count = Count(3, model::kAppendEntriesMax);
    Spend(count);
    // Revisions have 63 bits.
    if (m.previous.value() > std::numeric_limits<int64_t>::max() - count) r_.Fail();
    for (size_t i = 0; i < count && r_.ok(); ++i) {
      auto entry = std::make_shared<model::Entry>();
      entry->index = m.previous + (i + 1);
      (*this)(entry->term, entry->kind, entry->payload);
      m.entries.push_back(std::move(entry));
    }
  }
  template <class T>
  void One(T& value) {
    if constexpr (std::is_enum_v<T>) {
      const uint8_t byte = r_.Byte();
      const auto [low, high] = RangeOf(T());
      if (byte < static_cast<uint8_t>(low) || byte > static_cast<uint8_t>(high)) r_.Fail();
      value = static_cast<T>(byte);
    } else {
      Fields(*this, value);
    }
  }

  base::Reader r_;
  size_t parts_left_ = model::kPeerFramePartsMax;
};

}  // namespace

std::string EncodeGreeting(const Greeting& greeting) {
  std::string bytes;
  Put put(&bytes);
  put(greeting.protocol, greeting.to, greeting.hello);
  return bytes;
}

bool DecodeGreeting(std::string_view bytes, Greeting* greeting) {
  Take take(bytes);
  take(greeting->protocol);
  if (take.reader().ok() && greeting->protocol != kProtocol) return true;
  take(greeting->to, greeting->hello);
  return take.reader().done();
}

size_t EncodeMessage(const io::PeerMessage& message, std::string* frame) {
  Put put(frame);
  put(message);
  return put.parts();
}

bool DecodeFrame(std::string_view frame, std::vector<io::PeerMessage>* messages) {
  if (frame.size() > model::kPeerMessageBytesMax) return false;
  Take take(frame);
  messages->clear();
  while (!take.reader().at_end()) take.Message(messages->emplace_back());
  return take.reader().done();
}

}  // namespace pando::protocol
