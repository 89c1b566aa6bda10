#include "wal/format.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"
#include "codec/formation.h"

namespace pando::wal {
namespace {

// "PandoWAL" as bytes.
constexpr uint64_t kMagic = 0x4c41576f646e6150;
constexpr size_t kHeaderCheckedBytes = kHeaderBytes - sizeof(uint64_t);

constexpr size_t kNameDigits = 16;
constexpr std::string_view kNameEnd = ".wal";

// The first byte of a record. On disk: a number is never used for anything else.
enum class Tag : uint8_t { kHead = 1, kHardState = 2, kEntries = 3, kResetTo = 4, kFormation = 5 };

// A term, a kind and the length of a payload, each of them at least a byte.
constexpr size_t kItemBytesMin = 3;
constexpr uint64_t kIndexMax = ~uint64_t{0} >> 1;

void AppendHex(uint64_t value, std::string* out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (size_t i = kNameDigits; i-- > 0;) out->push_back(digits[(value >> (4 * i)) & 15]);
}

std::optional<uint64_t> ParseHex(std::string_view digits) {
  // from_chars alone would take capitals, too, and two names for one number.
  const bool lower = std::all_of(digits.begin(), digits.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (!lower) return std::nullopt;
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

void Put(const HardState& state, base::Writer* out) {
  out->Varint(state.start.value());
  out->Varint(state.term.value());
  out->Varint(state.vote.value());
}

void Put(Position position, base::Writer* out) {
  CHECK(position.index.value() <= kIndexMax);
  out->Varint(position.index.value());
  out->Varint(position.term.value());
}

HardState GetHardState(base::Reader* in) {
  HardState state;
  state.start = model::StartCount(in->Varint());
  state.term = model::Term(in->Varint());
  state.vote = model::ServerId(in->Varint());
  return state;
}

Position GetPosition(base::Reader* in) {
  Position position;
  position.index = model::Revision(in->Varint());
  position.term = model::Term(in->Varint());
  if (position.index.value() > kIndexMax) in->Fail();
  return position;
}

Head GetHead(base::Reader* in) {
  Head head;
  if (in->Varint() != kFormat) in->Fail();
  head.state = GetHardState(in);
  head.last = GetPosition(in);
  return head;
}

EntriesView GetEntries(base::Reader* in) {
  EntriesView entries;
  entries.previous = GetPosition(in);
  const size_t count = in->Count(kItemBytesMin);
  if (count == 0 || count > kIndexMax - entries.previous.index.value()) in->Fail();
  if (!in->ok()) return entries;
  entries.items.reserve(count);
  for (size_t i = 0; i < count && in->ok(); ++i) {
    EntriesView::Item item;
    item.term = model::Term(in->Varint());
    item.kind = static_cast<model::EntryKind>(in->Byte());
    item.payload = in->Bytes();
    if (item.kind < model::EntryKind::kCommand || item.kind > model::EntryKind::kNoop) in->Fail();
    entries.items.push_back(item);
  }
  return entries;
}

ResetTo GetResetTo(base::Reader* in) {
  ResetTo reset;
  reset.last = GetPosition(in);
  reset.keeps_suffix = in->Bool();
  return reset;
}

model::Formation GetFormation(base::Reader* in) {
  model::Formation formation;
  if (!codec::DecodeFormation(in->Bytes(), &formation)) in->Fail();
  return formation;
}

Record GetRecord(base::Reader* in) {
  switch (static_cast<Tag>(in->Byte())) {
    case Tag::kHead:
      return GetHead(in);
    case Tag::kHardState:
      return GetHardState(in);
    case Tag::kEntries:
      return GetEntries(in);
    case Tag::kResetTo:
      return GetResetTo(in);
    case Tag::kFormation:
      return GetFormation(in);
  }
  in->Fail();
  return HardState{};
}

}  // namespace

std::string SegmentName::ToString() const {
  std::string name;
  AppendHex(first.value(), &name);
  name.push_back('-');
  AppendHex(id.value(), &name);
  return name.append(kNameEnd);
}

std::optional<SegmentName> SegmentName::Parse(std::string_view name) {
  if (name.size() != 2 * kNameDigits + 1 + kNameEnd.size()) return std::nullopt;
  if (name[kNameDigits] != '-' || !name.ends_with(kNameEnd)) return std::nullopt;
  const std::optional<uint64_t> first = ParseHex(name.substr(0, kNameDigits));
  const std::optional<uint64_t> id = ParseHex(name.substr(kNameDigits + 1, kNameDigits));
  if (!first || !id || *first == 0 || *id == 0) return std::nullopt;
  return SegmentName{BatchNumber(*first), SegmentId(*id)};
}

std::string EncodeHeader(const BatchHeader& header) {
  CHECK(header.segment);
  CHECK(header.number);
  std::string bytes;
  base::Writer out(&bytes);
  out.Fixed64(kMagic);
  out.Fixed64(header.segment.value());
  out.Fixed64(header.number.value());
  out.Fixed64(header.body_bytes);
  out.Fixed64(header.body_checksum);
  CHECK(bytes.size() == kHeaderCheckedBytes);
  out.Fixed64(base::Hash64(bytes));
  return bytes;
}

std::optional<BatchHeader> DecodeHeader(std::string_view block) {
  if (block.size() < kHeaderBytes) return std::nullopt;
  base::Reader in(block.substr(0, kHeaderBytes));
  if (in.Fixed64() != kMagic) return std::nullopt;
  BatchHeader header;
  header.segment = SegmentId(in.Fixed64());
  header.number = BatchNumber(in.Fixed64());
  header.body_bytes = in.Fixed64();
  header.body_checksum = in.Fixed64();
  if (in.Fixed64() != base::Hash64(block.substr(0, kHeaderCheckedBytes))) return std::nullopt;
  if (!header.segment || !header.number) return std::nullopt;
  return header;
}

void AppendRecord(const Head& head, std::string* body) {
  base::Writer out(body);
  out.Byte(static_cast<uint8_t>(Tag::kHead));
  out.Varint(kFormat);
  Put(head.state, &out);
  Put(head.last, &out);
}

void AppendRecord(const HardState& state, std::string* body) {
  base::Writer out(body);
  out.Byte(static_cast<uint8_t>(Tag::kHardState));
  Put(state, &out);
}

void AppendRecord(const ResetTo& reset, std::string* body) {
  base::Writer out(body);
  out.Byte(static_cast<uint8_t>(Tag::kResetTo));
  Put(reset.last, &out);
  out.Bool(reset.keeps_suffix);
}

void AppendRecord(const model::Formation& formation, std::string* body) {
  base::Writer out(body);
  out.Byte(static_cast<uint8_t>(Tag::kFormation));
  out.Bytes(codec::EncodeFormation(formation));
}

void AppendRecord(Position previous, std::span<const raft::EntryRef> entries, std::string* body) {
  CHECK(!entries.empty());
  base::Writer out(body);
  out.Byte(static_cast<uint8_t>(Tag::kEntries));
  Put(previous, &out);
  out.Varint(entries.size());
  model::Revision index = previous.index;
  for (const raft::EntryRef& entry : entries) {
    CHECK(entry->index == ++index);
    out.Varint(entry->term.value());
    out.Byte(static_cast<uint8_t>(entry->kind));
    out.Bytes(entry->payload);
  }
}

std::optional<std::vector<Record>> DecodeBody(std::string_view body) {
  std::vector<Record> records;
  base::Reader in(body);
  while (!in.at_end()) {
    records.push_back(GetRecord(&in));
    if (!in.ok()) return std::nullopt;
  }
  if (!in.ok()) return std::nullopt;
  return records;
}

}  // namespace pando::wal
