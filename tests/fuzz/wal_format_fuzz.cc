// The WAL's names, headers and bodies.
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "fuzz.h"
#include "wal/format.h"

namespace pando::wal {
namespace {

void AppendView(const EntriesView& view, std::string* body) {
  std::vector<raft::EntryRef> entries;
  model::Revision index = view.previous.index;
  for (const EntriesView::Item& item : view.items) {
    entries.push_back(std::make_shared<const model::Entry>(
        model::Entry{++index, item.term, item.kind, std::string(item.payload)}));
  }
  AppendRecord(view.previous, entries, body);
}

void FuzzHeader(std::string_view block) {
  const std::optional<BatchHeader> header = DecodeHeader(block);
  if (header) CHECK(EncodeHeader(*header) == block.substr(0, kHeaderBytes));
}

void FuzzBody(std::string_view body) {
  const std::optional<std::vector<Record>> records = DecodeBody(body);
  if (!records) return;
  std::string written;
  for (const Record& record : *records) {
    if (const auto* view = std::get_if<EntriesView>(&record)) {
      AppendView(*view, &written);
    } else if (const auto* head = std::get_if<Head>(&record)) {
      AppendRecord(*head, &written);
    } else if (const auto* state = std::get_if<HardState>(&record)) {
      AppendRecord(*state, &written);
    } else {
      AppendRecord(std::get<ResetTo>(record), &written);
    }
  }
  CHECK(written == body);
}

}  // namespace
}  // namespace pando::wal

FUZZ(bytes) {
  using namespace pando;
  if (const auto name = wal::SegmentName::Parse(bytes)) CHECK(name->ToString() == bytes);
  wal::FuzzHeader(bytes);
  // With a checksum that holds.
  std::string sealed(bytes.substr(0, wal::kHeaderBytes - sizeof(uint64_t)));
  base::Writer(&sealed).Fixed64(base::Hash64(sealed));
  wal::FuzzHeader(sealed);
  wal::FuzzBody(bytes);
}
