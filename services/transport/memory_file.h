// MemoryFile: a file in memory with a path, for a library that takes its input from files only.
//
// It is replaced as a whole: whoever has opened it before reads what was there before.
#ifndef PANDO_TRANSPORT_MEMORY_FILE_H_
#define PANDO_TRANSPORT_MEMORY_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pando::transport {

class MemoryFile {
 public:
  static absl::StatusOr<std::unique_ptr<MemoryFile>> Create(std::string_view contents);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // In this process only.
  std::string path() const;
  absl::Status Replace(std::string_view contents);

 private:
  explicit MemoryFile(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace pando::transport

#endif  // PANDO_TRANSPORT_MEMORY_FILE_H_
