#include "posix/random.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pando::posix {
namespace {

// Of 64 bits and more: that two are alike by chance is not seen in this universe's time.
TEST(Random, NoTwoAreAlike) {
  std::set<std::string> bytes;
  std::set<uint64_t> numbers;
  for (int i = 0; i < 100; ++i) {
    bytes.insert(RandomBytes(16));
    numbers.insert(RandomNumber());
  }
  EXPECT_EQ(bytes.size(), 100u);
  EXPECT_EQ(numbers.size(), 100u);
  EXPECT_EQ(numbers.count(0), 0u);
}

TEST(Random, GivesAsManyBytesAsAskedFor) {
  for (const size_t size : {0u, 1u, 16u, 257u, 1u << 20}) EXPECT_EQ(RandomBytes(size).size(), size);
  // To the last byte: 64 zeros do not happen.
  EXPECT_NE(RandomBytes(1 << 20).substr((1 << 20) - 64), std::string(64, '\0'));
}

}  // namespace
}  // namespace pando::posix
