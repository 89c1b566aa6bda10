// Reader: ZooKeeper's serialisation, from bytes that anybody may have sent. Big endian; a string, a
// buffer and a vector begin with a signed length, of which -1 is null.
//
// It never reads beyond the bytes; after the first failure every further read gives zero or
// nothing, so that a decoder looks at ok() once.
#ifndef PANDO_JUTE_READER_H_
#define PANDO_JUTE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jute/records.h"
#include "model/acl.h"
#include "model/node.h"

namespace pando::jute {

// What stands before each part of a multi and before each of its results; the last has nothing
// behind it.
struct PartHeader {
  Opcode type = Opcode::kError;
  bool done = false;
  ErrorCode error = ErrorCode::kOk;  // of results only
};

class Reader {
 public:
  // `bytes` outlives the reader.
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  size_t left() const { return rest_.size(); }

  uint8_t Byte();
  bool Bool() { return Byte() != 0; }
  int32_t Int();
  int64_t Long();
  std::string String();   // null: empty
  std::string NonNull();  // a string; null: a failure
  model::NodeBytes Buffer();
  std::vector<std::string> Strings();         // null: empty
  model::Acl Acl();                           // null: empty
  model::Acl NonNullAcl();                    // null: a failure
  std::vector<model::Identity> Identities();  // null: empty
  // ZooKeeper's 68 bytes.
  model::Stat Stat();
  PartHeader Part();

 private:
  std::string_view Take(size_t bytes);
  // A length that the bytes left can hold, with at least `each` for one; none: null, or a failure.
  std::optional<size_t> Length(size_t each);
  model::Acl AclOf(size_t entries);
  void Fail();

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pando::jute

#endif  // PANDO_JUTE_READER_H_
