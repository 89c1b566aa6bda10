#include "cli/mirror/inventory.h"

#include <utility>

#include "base/hash.h"
#include "base/wire.h"
#include "model/path.h"

namespace pando::cli {

Fingerprint FingerprintOf(const model::NodeBytes& data, const model::Acl& acl) {
  std::string bytes;
  base::Writer writer(&bytes);
  for (const model::AclEntry& entry : acl) {
    writer.Varint(entry.permissions);
    writer.Bytes(entry.identity.scheme);
    writer.Bytes(entry.identity.id);
  }
  // Null is not empty.
  constexpr uint64_t kNullSeed = 1;
  return {data ? base::Hash64(*data) : base::Hash64("", kNullSeed), base::Hash64(bytes)};
}

uint64_t DigestOf(const Inventory& inventory) {
  base::Hasher hasher;
  std::string bytes;
  for (const auto& [path, print] : inventory) {
    bytes.clear();
    base::Writer writer(&bytes);
    writer.Bytes(path);
    writer.Fixed64(print.data);
    writer.Fixed64(print.acl);
    hasher.Add(bytes);
  }
  return hasher.value();
}

std::vector<std::string> DifferencesOf(const Inventory& a, const Inventory& b) {
  std::vector<std::string> differences;
  auto at_a = a.begin();
  auto at_b = b.begin();
  while (at_a != a.end() || at_b != b.end()) {
    if (at_b == b.end() || (at_a != a.end() && PathBefore(at_a->first, at_b->first))) {
      differences.push_back((at_a++)->first);
    } else if (at_a == a.end() || PathBefore(at_b->first, at_a->first)) {
      differences.push_back((at_b++)->first);
    } else {
      if (at_a->second != at_b->second) differences.push_back(at_a->first);
      ++at_a;
      ++at_b;
    }
  }
  return differences;
}

bool IsSystemPath(std::string_view path) { return model::IsWithin(path, "/zookeeper"); }

}  // namespace pando::cli
