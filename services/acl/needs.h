// Needs: the table of permissions. It says what each operation on the tree needs, and of which
// node; alone or inside a transaction. An operation without a line here does not compile.
#ifndef PANDO_ACL_NEEDS_H_
#define PANDO_ACL_NEEDS_H_

#include <cstdint>

#include "model/acl.h"
#include "model/command.h"
#include "model/query.h"

namespace pando::acl {

struct Need {
  enum class Of : uint8_t { kNode, kParent };
  Of of;
  uint32_t permissions;  // one of them is enough
};

constexpr Need Needs(const model::Create&) { return {Need::Of::kParent, model::kCreate}; }
constexpr Need Needs(const model::Delete&) { return {Need::Of::kParent, model::kDelete}; }
constexpr Need Needs(const model::Set&) { return {Need::Of::kNode, model::kWrite}; }
constexpr Need Needs(const model::SetAcl&) { return {Need::Of::kNode, model::kAdmin}; }
constexpr Need Needs(const model::Check&) { return {Need::Of::kNode, model::kRead}; }
constexpr Need Needs(const model::CheckAbsent&) { return {Need::Of::kNode, model::kRead}; }
constexpr Need Needs(const model::Compare&) { return {Need::Of::kNode, model::kRead}; }
constexpr Need Needs(const model::Get&) { return {Need::Of::kNode, model::kRead}; }
constexpr Need Needs(const model::List&) { return {Need::Of::kNode, model::kRead}; }
constexpr Need Needs(const model::ListNames&) { return {Need::Of::kNode, model::kRead}; }
constexpr Need Needs(const model::CountDescendants&) { return {Need::Of::kNode, model::kRead}; }
constexpr Need Needs(const model::Walk&) { return {Need::Of::kNode, model::kRead}; }
// Without ADMIN the hashes of digests are masked.
constexpr Need Needs(const model::GetAcl&) {
  return {Need::Of::kNode, model::kRead | model::kAdmin};
}

}  // namespace pando::acl

#endif  // PANDO_ACL_NEEDS_H_
