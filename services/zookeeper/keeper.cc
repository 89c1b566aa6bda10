#include "zookeeper/keeper.h"

#include <algorithm>
#include <cstddef>
#include <variant>

namespace pando::zookeeper {
namespace {

using jute::Opcode;

constexpr char kFeatureFlagsPath[] = "/keeper/feature_flags";
constexpr char kApiVersionPath[] = "/keeper/api_version";
// What was before the flags: 1 is FilteredList, 2 would be reads of every kind in a multi.
constexpr char kApiVersion[] = "1";

// The places of the flags, which Keeper counts from the highest bit of the first byte.
enum class Feature : size_t {
  kFilteredList = 0,
  kCheckNotExists = 2,
  kCreateIfNotExists = 3,
  kRemoveRecursive = 4,
};

std::string FeatureFlags() {
  std::string flags(2, '\0');  // some clients look at the second byte, however many there are
  for (const Feature feature : {Feature::kFilteredList, Feature::kCheckNotExists,
                                Feature::kCreateIfNotExists, Feature::kRemoveRecursive}) {
    const auto place = static_cast<size_t>(feature);
    flags[place / 8] = static_cast<char>(flags[place / 8] | 1 << (7 - place % 8));
  }
  return flags;
}

struct OfKeeper {
  bool operator()(const jute::Create& in) const { return in.type == Opcode::kCreateIfNotExists; }
  bool operator()(const jute::Read& in) const { return in.type == Opcode::kFilteredList; }
  bool operator()(const jute::CheckNotExists&) const { return true; }
  bool operator()(const jute::RemoveRecursive&) const { return true; }
  bool operator()(const jute::Multi& in) const {
    return std::any_of(in.parts.begin(), in.parts.end(),
                       [this](const auto& part) { return std::visit(*this, part); });
  }
  template <class ZooKeepers>
  bool operator()(const ZooKeepers&) const {
    return false;
  }
};

}  // namespace

bool IsOfKeeper(const jute::Request& request) { return std::visit(OfKeeper(), request); }

std::optional<std::string> KeeperNode(const jute::Request& request) {
  const auto* read = std::get_if<jute::Read>(&request);
  if (read == nullptr) return std::nullopt;
  if (read->type != Opcode::kGetData && read->type != Opcode::kExists) return std::nullopt;
  if (read->path == kFeatureFlagsPath) return FeatureFlags();
  if (read->path == kApiVersionPath) return kApiVersion;
  return std::nullopt;
}

}  // namespace pando::zookeeper
