// Four-letter words: what an operator asks on the client port instead of greeting. The answers are
// ZooKeeper 3.9's, line by line, as its exporters and libraries parse them.
#ifndef PANDO_ZOOKEEPER_FOUR_LETTER_H_
#define PANDO_ZOOKEEPER_FOUR_LETTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zookeeper/overview.h"

namespace pando::zookeeper {

enum class Word : uint8_t {
  kConf,
  kCons,
  kCrst,
  kDirs,
  kDump,
  kEnvi,
  kIsro,
  kMntr,
  kRuok,
  kSrst,
  kSrvr,
  kStat,
  kWchc,
  kWchp,
  kWchs,
};

// What a connection begins with, if it is one. No greeting does: it begins with a small length.
std::optional<Word> WordOf(std::string_view first_bytes);
inline constexpr size_t kWordBytes = 4;
// "srvr,isro", or "*" for all. None: there is no such word.
std::optional<std::vector<Word>> ParseWords(std::string_view list);

bool IsEnabled(Word word, const std::vector<Word>& enabled);
// What is said to a word that is not.
std::string NotEnabled(Word word);
inline constexpr char kNotServing[] = "This ZooKeeper instance is not currently serving requests";

// The whole answer. What a word does besides telling is done by who asks.
Asks AsksOf(Word word);
std::string AnswerWord(Word word, const Overview& overview);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_FOUR_LETTER_H_
