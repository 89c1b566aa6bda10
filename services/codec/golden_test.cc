// The bytes of format 1, for ever: testdata/format1.txt holds those of every sample, one line each:
// format, number, bytes in hexadecimal. What a data dir of an older program holds must be read by
// every newer one, so a line is never changed; new samples come at the end of their format.
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "codec/testing/samples.h"
#include "gtest/gtest.h"

namespace pando::codec {
namespace {

std::map<std::string, std::vector<std::string>> Golden() {
  std::map<std::string, std::vector<std::string>> golden;
  std::ifstream file(PANDO_TESTDATA "/format1.txt");
  std::string format, number, hex;
  while (file >> format >> number >> hex) {
    EXPECT_EQ(number, std::to_string(golden[format].size())) << format;
    golden[format].push_back(absl::HexStringToBytes(hex));
  }
  return golden;
}

TEST(Golden, OldBytesAreReadAndWrittenAsEver) {
  const std::map<std::string, std::vector<std::string>> golden = Golden();
  for (const auto& [name, format] : Formats()) {
    SCOPED_TRACE(name);
    const auto found = golden.find(name);
    const std::vector<std::string> old =
        found == golden.end() ? std::vector<std::string>() : found->second;
    for (size_t i = 0; i < old.size(); ++i) EXPECT_EQ(format.recode(old[i]), old[i]) << i;
    for (size_t i = 0; i < format.samples.size(); ++i) {
      const std::string line =
          name + " " + std::to_string(i) + " " + absl::BytesToHexString(format.samples[i]);
      if (i >= old.size()) {
        ADD_FAILURE() << "add: " << line;
      } else {
        EXPECT_EQ(format.samples[i], old[i]) << "now: " << line;
      }
    }
  }
  for (const auto& [name, bytes] : golden) EXPECT_TRUE(Formats().contains(name)) << name;
}

TEST(Golden, KeysAreAsEver) {
  using std::string_literals::operator""s;
  const std::vector<std::pair<std::string, std::string>> keys = {
      {NodeKey("/"), "n\0"s},
      {DirectoryKey("/"), "n\0\0"s},
      {NodeKey("/a"), "n\0a"s},
      {DirectoryKey("/a"), "n\0a\0"s},
      {NodeKey("/a/b/c"), "n/a/b\0c"s},
      {AclKey(0x0102), "a\0\0\0\0\0\0\1\2"s},
      {SessionKey(model::SessionId(0x0102)), "s\0\0\0\0\0\0\1\2"s},
      {KeptReplyKey(model::SessionId(1), model::RequestId(2)),
       "k\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2"s},
      {SourceKey(model::StorageId(0xff00000000000001)), "o\xff\0\0\0\0\0\0\1"s},
      {ScalarKey("cluster"), "mcluster"s}};
  for (const auto& [key, bytes] : keys) EXPECT_EQ(key, bytes);
}

}  // namespace
}  // namespace pando::codec
