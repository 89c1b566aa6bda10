// A WAL dir as somebody might have left it: segments of batches whose checksums hold and whose
// bodies are anything, tears, gaps and rot. Open says no, or what it found is there for good.
// Counts that only grow by one a batch or a start have 63 bits here: none will ever be at its end.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/rng.h"
#include "fuzz.h"
#include "sim/sim_disk.h"
#include "wal/wal.h"

namespace pando::wal {
namespace {

constexpr size_t kStepsMax = 64;

// Builds the dir out of choices.
class Dir {
 public:
  explicit Dir(sim::SimDisk* disk) : disk_(disk) {}

  void Build(fuzz::Choices* choices) {
    for (size_t step = 0; step < kStepsMax && choices->more(); ++step) {
      switch (choices->Below(8)) {
        case 0:
          BeginSegment(SegmentId(1 + choices->Below(3)));
          break;
        case 1:
          Append(std::string(choices->Bytes()));
          break;
        case 2:
          next_ = BatchNumber(choices->Number() >> 1);
          break;
        case 3:
          AppendBatch(HeadBody(choices) + EntriesBody(choices));
          break;
        case 4:
        case 5:
          AppendBatch(EntriesBody(choices));
          break;
        default:
          AppendBatch(std::string(choices->Bytes()));
          break;
      }
    }
  }

 private:
  void BeginSegment(SegmentId id) {
    name_ = {next_, id};
    bytes_.clear();
    CHECK(disk_->MakeDir("wal").ok());
    Append({});
  }

  void AppendBatch(const std::string& body) {
    if (!next_ || !name_.id) return;
    std::string batch = EncodeHeader({name_.id, next_, body.size(), base::Hash64(body)});
    batch += body;
    batch.resize(BatchBytes(body.size()));
    ++next_;
    Append(batch);
  }

  void Append(const std::string& bytes) {
    if (!name_.id || !name_.first) return;
    bytes_ += bytes;
    CHECK(io::ReplaceFile(disk_, absl::StrCat("wal/", name_.ToString()), bytes_).ok());
  }

  static std::string HeadBody(fuzz::Choices* choices) {
    Head head;
    head.state = State(choices);
    head.last = Place(choices);
    std::string body;
    AppendRecord(head, &body);
    return body;
  }

  static std::string EntriesBody(fuzz::Choices* choices) {
    const Position previous = Place(choices);
    std::vector<raft::EntryRef> entries;
    model::Revision index = previous.index;
    for (size_t count = 1 + choices->Below(4); count > 0; --count) {
      entries.push_back(std::make_shared<const model::Entry>(
          model::Entry{++index, model::Term(choices->Number()), model::EntryKind::kCommand,
                       std::string(choices->Bytes())}));
    }
    std::string body;
    AppendRecord(previous, entries, &body);
    if (choices->Yes()) AppendRecord(State(choices), &body);
    if (choices->Yes()) AppendRecord(ResetTo{Place(choices), choices->Yes()}, &body);
    return body;
  }

  static HardState State(fuzz::Choices* choices) {
    return {model::StartCount(choices->Number() >> 1), model::Term(choices->Number()),
            model::ServerId(choices->Number())};
  }
  static Position Place(fuzz::Choices* choices) {
    return {model::Revision(choices->Number() >> 1), model::Term(choices->Number())};
  }

  sim::SimDisk* const disk_;
  SegmentName name_;
  BatchNumber next_{1};
  std::string bytes_;
};

absl::StatusOr<std::unique_ptr<Wal>> OpenWal(io::Disk* disk, uint64_t seed, Recovered* recovered) {
  Options options;
  options.segment_bytes = 4 * model::kWalBlockBytes;
  return Wal::Open(disk, "wal", options, base::Rng(seed), recovered);
}

void Run(std::string_view bytes) {
  fuzz::Choices choices(bytes);
  sim::SimDisk disk;
  Dir(&disk).Build(&choices);
  CheckReport report;
  const absl::Status check = Wal::Check(&disk, "wal", &report);
  Recovered first;
  const absl::StatusOr<std::unique_ptr<Wal>> wal = OpenWal(&disk, 1, &first);
  CHECK(wal.ok() || !absl::IsUnavailable(wal.status()));
  if (check.ok()) CHECK(wal.ok());
  if (!wal.ok()) return;
  CHECK(check.ok());
  CHECK(first.previous.index.value() + first.entries.size() == report.last.index.value());

  // After a power cut it is all there.
  base::Rng rng(2);
  const std::unique_ptr<sim::SimDisk> crashed = disk.Crash(&rng);
  Recovered second;
  const absl::StatusOr<std::unique_ptr<Wal>> again = OpenWal(crashed.get(), 3, &second);
  CHECK(again.ok());
  CHECK(second.start_count == first.start_count + 1);
  CHECK(second.term == first.term);
  CHECK(second.vote == first.vote);
  CHECK(second.previous == first.previous);
  CHECK(second.entries == first.entries);
}

}  // namespace
}  // namespace pando::wal

FUZZ(bytes) { pando::wal::Run(bytes); }
