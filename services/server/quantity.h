// Quantities as people write them in flags: 64MiB, 500ms, 127.0.0.1:7400.
// Every error is one line that says what was expected; the caller puts the flag's name before it.
#ifndef PANDO_SERVER_QUANTITY_H_
#define PANDO_SERVER_QUANTITY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"

namespace pando::server {

// A whole number and B (or nothing), KiB, MiB, GiB, TiB, or KB, MB, GB, TB by the thousand.
absl::StatusOr<uint64_t> ParseBytes(std::string_view text);

// A whole number and ms, s, m, h or d. Zero needs a unit too.
absl::StatusOr<base::Duration> ParseDuration(std::string_view text);

// A whole number that fits.
absl::StatusOr<uint64_t> ParseCount(std::string_view text);

// The shortest form that reads back as the same: "64MiB", "1h".
std::string FormatBytes(uint64_t bytes);
std::string FormatDuration(base::Duration duration);

// HOST:PORT, port 1 to 65535; an IPv6 host stands in brackets: [::1]:7400.
struct Address {
  std::string host;  // without brackets
  uint16_t port = 0;

  // All local interfaces: fine to listen on, no address to tell others.
  bool is_wildcard() const { return host == "0.0.0.0" || host == "::"; }
  std::string ToString() const;
  friend bool operator==(const Address&, const Address&) = default;
};
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace pando::server

#endif  // PANDO_SERVER_QUANTITY_H_
