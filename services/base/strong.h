// Strong<Tag>: an unsigned 64-bit number that does not mix with other numbers.
// Zero means "none" for every id made from it.
#ifndef PANDO_BASE_STRONG_H_
#define PANDO_BASE_STRONG_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <utility>

namespace pando::base {

template <class Tag>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(uint64_t value) : value_(value) {}

  constexpr uint64_t value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }

  friend constexpr auto operator<=>(Strong, Strong) = default;
  friend constexpr Strong operator+(Strong a, uint64_t n) { return Strong(a.value_ + n); }
  friend constexpr Strong operator-(Strong a, uint64_t n) { return Strong(a.value_ - n); }
  // The distance from `b` to `a`. REQUIRES: b <= a.
  friend constexpr uint64_t operator-(Strong a, Strong b) { return a.value_ - b.value_; }
  constexpr Strong& operator++() {
    ++value_;
    return *this;
  }

  template <typename H>
  friend H AbslHashValue(H h, Strong s) {
    return H::combine(std::move(h), s.value_);
  }
  friend std::ostream& operator<<(std::ostream& out, Strong s) { return out << s.value_; }

 private:
  uint64_t value_ = 0;
};

}  // namespace pando::base

template <class Tag>
struct std::hash<pando::base::Strong<Tag>> {
  size_t operator()(pando::base::Strong<Tag> s) const noexcept {
    return std::hash<uint64_t>{}(s.value());
  }
};

#endif  // PANDO_BASE_STRONG_H_
