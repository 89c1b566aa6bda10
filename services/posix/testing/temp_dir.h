// TempDir: a fresh folder of its own for one test, gone with it.
#ifndef PANDO_POSIX_TESTING_TEMP_DIR_H_
#define PANDO_POSIX_TESTING_TEMP_DIR_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "base/check.h"

namespace pando::posix {

class TempDir {
 public:
  TempDir() : path_(::testing::TempDir() + "pando-posix-XXXXXX") {
    CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pando::posix

#endif  // PANDO_POSIX_TESTING_TEMP_DIR_H_
