#include "bench/workload.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/rng.h"

namespace pando::load {
namespace {

constexpr size_t kSpareBytes = 4'096;
constexpr uint64_t kWithoutEnd = std::numeric_limits<uint64_t>::max();

// Letters that no compression makes much of.
std::string RandomData(size_t bytes) {
  base::Rng rng(bytes);
  std::string data(bytes, '\0');
  for (char& c : data) c = static_cast<char>(rng.Between('!', '~'));
  return data;
}

// "/", and `number` in `digits` digits. Not printf, which costs as much as a whole operation may.
void AppendNumber(size_t digits, uint64_t number, std::string* path) {
  path->push_back('/');
  path->append(digits, '0');
  for (char* digit = path->data() + path->size(); number > 0; number /= 10) {
    *--digit = static_cast<char>('0' + number % 10);
  }
}

constexpr size_t kDirectoryDigits = 6;
constexpr size_t kNodeDigits = 2;

}  // namespace

Workload::Workload(Kind kind, Options options)
    : kind_(kind),
      options_(std::move(options)),
      data_(RandomData(options_.data_bytes + kSpareBytes)) {
  CHECK(options_.multi_writes > 0);
  CHECK(options_.nodes >= options_.multi_writes);
  CHECK(options_.nodes <= kNodesMax);
  CHECK(options_.root.size() > 1);
}

void Workload::AppendDirectory(uint64_t directory, std::string* path) const {
  path->append(options_.root);
  AppendNumber(kDirectoryDigits, directory, path);
}

void Workload::AppendNode(uint64_t node, std::string* path) const {
  AppendDirectory(node / kNodesPerDirectory, path);
  AppendNumber(kNodeDigits, node % kNodesPerDirectory, path);
}

uint64_t Workload::size() const {
  switch (kind_) {
    case Kind::kAncestors:
      return static_cast<uint64_t>(std::count(options_.root.begin(), options_.root.end(), '/'));
    case Kind::kDirectories:
      return (options_.nodes + kNodesPerDirectory - 1) / kNodesPerDirectory;
    case Kind::kCreate:
      return options_.nodes;
    default:
      return kWithoutEnd;
  }
}

void Workload::Make(uint64_t number, Operation* operation) const {
  using OperationKind = Operation::Kind;
  base::Rng rng(number);
  const auto one = [&](OperationKind kind) {
    operation->kind = kind;
    operation->paths.resize(1);
    operation->paths[0].clear();
    return &operation->paths[0];
  };
  operation->data = std::string_view(data_).substr(rng.Below(kSpareBytes), options_.data_bytes);
  const uint64_t node = rng.Below(options_.nodes);
  switch (kind_) {
    case Kind::kAncestors: {
      size_t end = 0;
      for (uint64_t i = 0; i <= number; ++i) end = options_.root.find('/', end + 1);
      one(OperationKind::kCreate)->assign(options_.root, 0, end);
      return;
    }
    case Kind::kDirectories:
      return AppendDirectory(number, one(OperationKind::kCreate));
    case Kind::kCreate:
      return AppendNode(number, one(OperationKind::kCreate));
    case Kind::kSet:
      return AppendNode(node, one(OperationKind::kSet));
    case Kind::kGet:
      return AppendNode(node, one(OperationKind::kGet));
    case Kind::kMixed:
      return AppendNode(node, one(rng.Chance(800) ? OperationKind::kGet : OperationKind::kSet));
    case Kind::kList:
      return AppendDirectory(node / kNodesPerDirectory, one(OperationKind::kList));
    case Kind::kMulti:
      // Neighbours, because etcd refuses a transaction that sets a key twice.
      operation->kind = OperationKind::kMulti;
      operation->paths.resize(options_.multi_writes);
      for (size_t i = 0; i < options_.multi_writes; ++i) {
        operation->paths[i].clear();
        AppendNode((node + i) % options_.nodes, &operation->paths[i]);
      }
      return;
    case Kind::kSession:
      absl::StrAppend(one(OperationKind::kSession), options_.root, "/session-", options_.run, "-",
                      number);
      return;
    case Kind::kWatched:
      one(OperationKind::kSet)->append(options_.root);
      return;
  }
}

}  // namespace pando::load
