// How much there is of a node and of a subtree, as quotas and metrics count it.
#ifndef PANDO_MODEL_USAGE_H_
#define PANDO_MODEL_USAGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pando::model {

// Null data counts as none.
inline size_t DataBytes(std::optional<std::string_view> data) { return data ? data->size() : 0; }

// Of a subtree, its top included; or a change of that.
struct Usage {
  int64_t nodes = 0;
  int64_t bytes = 0;  // of their data

  Usage& operator+=(const Usage& other) {
    nodes += other.nodes;
    bytes += other.bytes;
    return *this;
  }
  Usage& operator-=(const Usage& other) {
    nodes -= other.nodes;
    bytes -= other.bytes;
    return *this;
  }
  friend bool operator==(const Usage&, const Usage&) = default;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_USAGE_H_
