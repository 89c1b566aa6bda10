// Descriptor: a file descriptor that closes itself; and errno as a Status.
#ifndef PANDO_POSIX_DESCRIPTOR_H_
#define PANDO_POSIX_DESCRIPTOR_H_

#include <string_view>
#include <utility>

#include "base/status.h"

namespace pando::posix {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  // For an owner of another kind, as a DIR; this one has none then.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// "<call> <path>: No space left on device". NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED and
// RESOURCE_EXHAUSTED (no space, quota) are told apart; the rest is UNKNOWN.
absl::Status ErrnoStatus(int error, std::string_view call, std::string_view path);

}  // namespace pando::posix

#endif  // PANDO_POSIX_DESCRIPTOR_H_
