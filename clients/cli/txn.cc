#include "cli/txn.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/duration.h"

namespace pando::cli {
namespace {

struct Word {
  std::string text;
  bool quoted = false;

  bool Is(std::string_view bare) const { return !quoted && text == bare; }
};

absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(base::View(what)); }

std::string Quoted(const Word& word) { return absl::StrCat("'", word.text, "'"); }

// Takes the escape after a backslash off the front of `*rest`.
absl::StatusOr<char> TakeEscape(std::string_view* rest) {
  if (rest->empty()) return Wrong("a backslash ends the line");
  const char kind = rest->front();
  rest->remove_prefix(1);
  switch (kind) {
    case '"':
    case '\\':
      return kind;
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'x': {
      uint8_t byte = 0;
      const std::string_view digits = rest->substr(0, 2);
      const char* const end = digits.data() + digits.size();
      const auto [stop, error] = std::from_chars(digits.data(), end, byte, 16);
      if (digits.size() != 2 || error != std::errc() || stop != end) {
        return Wrong("\\x needs two hexadecimal digits");
      }
      rest->remove_prefix(2);
      return static_cast<char>(byte);
    }
    default:
      return Wrong(absl::StrCat("unknown escape \\", std::string(1, kind)));
  }
}

// Takes a word in quotes off the front of `*rest`, which begins after the opening quote.
absl::StatusOr<Word> TakeQuoted(std::string_view* rest) {
  Word word;
  word.quoted = true;
  while (!rest->empty()) {
    const char c = rest->front();
    rest->remove_prefix(1);
    if (c == '"') {
      if (!rest->empty() && rest->front() != ' ' && rest->front() != '\t') {
        return Wrong("a blank must follow a closing quote");
      }
      return word;
    }
    if (c != '\\') {
      word.text.push_back(c);
      continue;
    }
    const absl::StatusOr<char> escaped = TakeEscape(rest);
    if (!escaped.ok()) return escaped.status();
    word.text.push_back(*escaped);
  }
  return Wrong("a closing quote is missing");
}

absl::StatusOr<std::vector<Word>> SplitWords(std::string_view line) {
  std::vector<Word> words;
  for (;;) {
    const size_t start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    if (line.front() == '"') {
      line.remove_prefix(1);
      absl::StatusOr<Word> word = TakeQuoted(&line);
      if (!word.ok()) return word.status();
      words.push_back(*std::move(word));
      continue;
    }
    const size_t size = std::min(line.find_first_of(" \t"), line.size());
    words.push_back({std::string(line.substr(0, size)), false});
    line.remove_prefix(size);
  }
}

absl::StatusOr<int64_t> ParseNumber(const Word& word) {
  int64_t number = 0;
  const char* const end = word.text.data() + word.text.size();
  const auto [stop, error] = std::from_chars(word.text.data(), end, number);
  if (error != std::errc() || stop != end) {
    return Wrong(absl::StrCat(Quoted(word), " is not a whole number"));
  }
  return number;
}

// --- compare ----------------------------------------------------------------------------------

template <class Value>
struct Named {
  std::string_view name;
  Value value;
};

constexpr Named<v1::CompareSubject> kSubjects[] = {
    {"exists", v1::COMPARE_SUBJECT_EXISTS},
    {"version", v1::COMPARE_SUBJECT_VERSION},
    {"create-revision", v1::COMPARE_SUBJECT_CREATE_REVISION},
    {"modify-revision", v1::COMPARE_SUBJECT_MODIFY_REVISION},
    {"data", v1::COMPARE_SUBJECT_DATA},
    {"children", v1::COMPARE_SUBJECT_CHILDREN_COUNT},
    {"owner", v1::COMPARE_SUBJECT_EPHEMERAL_OWNER},
};
constexpr Named<v1::CompareRelation> kRelations[] = {
    {"=", v1::COMPARE_RELATION_EQUAL},
    {"!=", v1::COMPARE_RELATION_NOT_EQUAL},
    {"<", v1::COMPARE_RELATION_LESS},
    {">", v1::COMPARE_RELATION_GREATER},
};

template <class Value, size_t kSize>
std::optional<Value> Find(const Named<Value> (&table)[kSize], const Word& word) {
  for (const Named<Value>& entry : table) {
    if (word.Is(entry.name)) return entry.value;
  }
  return std::nullopt;
}

absl::Status ParseOperand(const Word& word, v1::Compare* compare) {
  if (compare->subject() == v1::COMPARE_SUBJECT_DATA) {
    if (!word.Is("null")) compare->set_data(word.text);
    return absl::OkStatus();
  }
  if (compare->subject() == v1::COMPARE_SUBJECT_EXISTS) {
    if (!word.Is("true") && !word.Is("false")) {
      return Wrong("exists is compared with true or false");
    }
    compare->set_number(word.Is("true") ? 1 : 0);
    return absl::OkStatus();
  }
  const absl::StatusOr<int64_t> number = ParseNumber(word);
  if (!number.ok()) return number.status();
  compare->set_number(*number);
  return absl::OkStatus();
}

absl::Status ParseCompare(const std::vector<Word>& words, v1::Compare* compare) {
  if (words.size() != 5) return Wrong("write: compare SUBJECT PATH RELATION VALUE");
  const std::optional<v1::CompareSubject> subject = Find(kSubjects, words[1]);
  const std::optional<v1::CompareRelation> relation = Find(kRelations, words[3]);
  if (!subject) return Wrong(absl::StrCat(Quoted(words[1]), " is nothing to compare"));
  if (!relation) return Wrong(absl::StrCat(Quoted(words[3]), " is none of = != < >"));
  compare->set_subject(*subject);
  compare->set_path(words[2].text);
  compare->set_relation(*relation);
  return ParseOperand(words[4], compare);
}

// --- operations -------------------------------------------------------------------------------

// The words of an operation after its name, sorted: places and flags.
struct Arguments {
  std::vector<Word> places;
  bool sequential = false;
  bool parents = false;
  bool container = false;
  bool recursive = false;
  std::optional<int64_t> if_version;
  std::optional<int64_t> ttl_ms;
};

// Takes the flag at words[*i], and its value if it has one. `allowed`: those of the operation.
absl::Status TakeFlag(const std::vector<Word>& words, std::string_view allowed, size_t* i,
                      Arguments* arguments) {
  const std::string& flag = words[*i].text;
  // Names are looked up among blanks, so that -s does not match --sequential.
  const bool known =
      absl::StrCat(" ", base::View(allowed), " ").find(" " + flag + " ") != std::string::npos;
  if (!known) {
    return Wrong(absl::StrCat(Quoted(words[*i]), " is no option here; quote it if it is data"));
  }
  if (flag == "-s") arguments->sequential = true;
  if (flag == "-p") arguments->parents = true;
  if (flag == "-c") arguments->container = true;
  if (flag == "-r") arguments->recursive = true;
  if (flag.substr(0, 2) != "--") return absl::OkStatus();

  if (++*i == words.size()) return Wrong(absl::StrCat(flag, " needs a value"));
  if (flag == "--ttl") {
    const auto ttl = ParseDuration(words[*i].text);
    if (!ttl.ok()) return ttl.status();
    arguments->ttl_ms = ttl->count();
  } else {
    const absl::StatusOr<int64_t> version = ParseNumber(words[*i]);
    if (!version.ok()) return version.status();
    arguments->if_version = *version;
  }
  return absl::OkStatus();
}

absl::StatusOr<Arguments> ParseArguments(const std::vector<Word>& words, size_t places_min,
                                         size_t places_max, std::string_view flags) {
  Arguments arguments;
  for (size_t i = 1; i < words.size(); ++i) {
    const bool is_flag = !words[i].quoted && words[i].text.size() > 1 && words[i].text[0] == '-';
    if (is_flag) {
      PANDO_RETURN_IF_ERROR(TakeFlag(words, flags, &i, &arguments));
    } else {
      arguments.places.push_back(words[i]);
    }
  }
  if (arguments.places.size() < places_min) {
    return Wrong(places_min == 1 ? "a path is missing" : "data is missing; null is null data");
  }
  if (arguments.places.size() > places_max) {
    return Wrong(absl::StrCat(Quoted(arguments.places[places_max]),
                              " is too much; put data with blanks in double quotes"));
  }
  return arguments;
}

template <class Request>
void SetData(const Word& word, Request* request) {
  if (!word.Is("null")) request->set_data(word.text);
}

absl::Status ParseCreate(const std::vector<Word>& words, v1::CreateRequest* create) {
  const auto arguments = ParseArguments(words, 1, 2, "-s -p -c --ttl");
  if (!arguments.ok()) return arguments.status();
  if (arguments->container && arguments->ttl_ms) return Wrong("-c and --ttl exclude each other");
  create->set_path(arguments->places[0].text);
  if (arguments->places.size() == 2) SetData(arguments->places[1], create);
  create->set_sequential(arguments->sequential);
  create->set_create_parents(arguments->parents);
  create->set_kind(v1::NODE_KIND_PERSISTENT);
  if (arguments->container) create->set_kind(v1::NODE_KIND_CONTAINER);
  if (arguments->ttl_ms) {
    create->set_kind(v1::NODE_KIND_TTL);
    create->set_ttl_ms(*arguments->ttl_ms);
  }
  return absl::OkStatus();
}

absl::Status ParseSet(const std::vector<Word>& words, v1::SetRequest* set) {
  const auto arguments = ParseArguments(words, 2, 2, "--if-version");
  if (!arguments.ok()) return arguments.status();
  set->set_path(arguments->places[0].text);
  SetData(arguments->places[1], set);
  if (arguments->if_version) set->set_expected_version(*arguments->if_version);
  return absl::OkStatus();
}

absl::Status ParseDelete(const std::vector<Word>& words, v1::DeleteRequest* remove) {
  const auto arguments = ParseArguments(words, 1, 1, "-r --if-version");
  if (!arguments.ok()) return arguments.status();
  remove->set_path(arguments->places[0].text);
  remove->set_recursive(arguments->recursive);
  if (arguments->if_version) remove->set_expected_version(*arguments->if_version);
  return absl::OkStatus();
}

absl::Status ParseCheck(const std::vector<Word>& words, v1::CheckOperation* check) {
  const auto arguments = ParseArguments(words, 1, 1, "--if-version");
  if (!arguments.ok()) return arguments.status();
  check->set_path(arguments->places[0].text);
  if (arguments->if_version) check->set_expected_version(*arguments->if_version);
  return absl::OkStatus();
}

absl::Status ParseOperation(const std::vector<Word>& words, v1::TransactOperation* operation) {
  if (words[0].Is("create")) return ParseCreate(words, operation->mutable_create());
  if (words[0].Is("set")) return ParseSet(words, operation->mutable_set());
  if (words[0].Is("rm")) return ParseDelete(words, operation->mutable_delete_());
  if (words[0].Is("check")) return ParseCheck(words, operation->mutable_check());
  if (words[0].Is("get")) {
    const auto arguments = ParseArguments(words, 1, 1, "");
    if (!arguments.ok()) return arguments.status();
    operation->mutable_get()->set_path(arguments->places[0].text);
    return absl::OkStatus();
  }
  return Wrong(absl::StrCat(Quoted(words[0]), " is none of compare, then, else, create, set, rm, ",
                            "check, get"));
}

absl::Status ParseLine(std::string_view line, v1::TransactRequest* request) {
  absl::StatusOr<std::vector<Word>> split = SplitWords(line);
  if (!split.ok()) return split.status();
  std::vector<Word>& words = *split;
  if (words.empty()) return absl::OkStatus();
  if (words[0].Is("compare")) return ParseCompare(words, request->add_compares());
  const bool is_else = words[0].Is("else");
  if (is_else || words[0].Is("then")) words.erase(words.begin());
  if (words.empty()) return Wrong("an operation is missing");
  return ParseOperation(words,
                        is_else ? request->add_else_operations() : request->add_then_operations());
}

}  // namespace

const char kTransactionFormat[] =
    R"(Lines of FILE; words in double quotes may hold blanks and \" \\ \n \r \t \xNN:
  compare SUBJECT PATH RELATION VALUE
      SUBJECT   exists | version | create-revision | modify-revision | data | children | owner
      RELATION  = | != | < | >
      VALUE     true or false (exists), a word or null (data), a whole number (others)
  then OPERATION        if all compares are true; the word "then" may be left out
  else OPERATION        if not
      create PATH [DATA] [-s] [-p] [-c] [--ttl TIME]
      set PATH DATA [--if-version N]
      rm PATH [-r] [--if-version N]
      check PATH [--if-version N]
      get PATH
  # a comment
)";

absl::StatusOr<v1::TransactRequest> ParseTransaction(std::string_view text) {
  v1::TransactRequest request;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const size_t start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos || line[start] == '#') continue;
    const absl::Status parsed = ParseLine(line, &request);
    if (!parsed.ok()) return base::Annotate(parsed, absl::StrCat("line ", number));
  }
  return request;
}

}  // namespace pando::cli
