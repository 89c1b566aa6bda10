#include "server/quantity.h"

#include <charconv>
#include <iterator>
#include <span>

#include "absl/strings/str_cat.h"

namespace pando::server {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Largest first: the first one that divides a quantity is the one to print it with.
constexpr Unit kByteUnits[] = {
    {"TiB", uint64_t{1} << 40},
    {"TB", 1'000'000'000'000},
    {"GiB", 1 << 30},
    {"GB", 1'000'000'000},
    {"MiB", 1 << 20},
    {"MB", 1'000'000},
    {"KiB", 1 << 10},
    {"KB", 1'000},
    {"B", 1},
};
constexpr Unit kTimeUnits[] = {
    {"d", 86'400'000'000'000}, {"h", 3'600'000'000'000}, {"m", 60'000'000'000},
    {"s", 1'000'000'000},      {"ms", 1'000'000},
};

// Splits "64MiB" into 64 and "MiB". False if it does not start with a number, or one that is too
// large.
bool SplitNumber(std::string_view text, uint64_t* number, std::string_view* rest) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  *rest = text.substr(static_cast<size_t>(end - text.data()));
  return error == std::errc();
}

// number * factor of the unit called `name`; false if there is no such unit, or on overflow.
bool Scale(uint64_t number, std::string_view name, std::span<const Unit> units, uint64_t max,
           uint64_t* result) {
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > max / unit.factor) return false;
    *result = number * unit.factor;
    return true;
  }
  return false;
}

std::string FormatWith(uint64_t quantity, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (quantity >= unit.factor && quantity % unit.factor == 0) {
      return absl::StrCat(quantity / unit.factor, base::View(unit.name));
    }
  }
  return absl::StrCat(quantity, base::View(units.back().name));
}

absl::Status Expected(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", base::View(text), "': expected ", base::View(what)));
}

}  // namespace

absl::StatusOr<uint64_t> ParseBytes(std::string_view text) {
  uint64_t number = 0, bytes = 0;
  std::string_view unit;
  const bool ok = SplitNumber(text, &number, &unit) &&
                  Scale(number, unit.empty() ? "B" : unit, kByteUnits, UINT64_MAX, &bytes);
  if (!ok) return Expected(text, "a size like 4096, 512KiB, 64MiB or 1GiB");
  return bytes;
}

absl::StatusOr<base::Duration> ParseDuration(std::string_view text) {
  uint64_t number = 0, ns = 0;
  std::string_view unit;
  const bool ok =
      SplitNumber(text, &number, &unit) && Scale(number, unit, kTimeUnits, INT64_MAX, &ns);
  if (!ok) return Expected(text, "a duration like 500ms, 30s, 5m, 1h or 7d");
  return base::Duration(ns);
}

absl::StatusOr<uint64_t> ParseCount(std::string_view text) {
  uint64_t number = 0;
  std::string_view rest;
  if (!SplitNumber(text, &number, &rest) || !rest.empty()) return Expected(text, "a whole number");
  return number;
}

std::string FormatBytes(uint64_t bytes) { return FormatWith(bytes, kByteUnits); }

std::string FormatDuration(base::Duration duration) {
  return FormatWith(static_cast<uint64_t>(duration.count()), kTimeUnits);
}

std::string Address::ToString() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  constexpr std::string_view kExpected = "HOST:PORT like 127.0.0.1:7400 or [::1]:7400";
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Expected(text, kExpected);
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (host.empty() || has_colon != brackets) return Expected(text, kExpected);
  if (host.find_first_of("/ ,=[]") != std::string_view::npos) return Expected(text, kExpected);

  uint64_t port = 0;
  std::string_view rest;
  const bool is_number = SplitNumber(text.substr(colon + 1), &port, &rest) && rest.empty();
  if (!is_number || port == 0 || port > UINT16_MAX) {
    return Expected(text, "a port from 1 to 65535 after the host");
  }
  return Address{std::string(host), static_cast<uint16_t>(port)};
}

}  // namespace pando::server
