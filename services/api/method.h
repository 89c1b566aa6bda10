// Method: the table of rpcs: what each asks of its caller. An rpc without a line here does not
// compile, and a test compares the table with the protos.
#ifndef PANDO_API_METHOD_H_
#define PANDO_API_METHOD_H_

#include <cstdint>
#include <string_view>

namespace pando::api {

enum class Access : uint8_t {
  kAnyone,   // nothing
  kNode,     // what acl/needs.h says of each node that it names
  kSession,  // the secret of the session that its header names
  kAdmin,    // to be super, or an administrator (Options)
};

struct Method {
  std::string_view name;
  Access access;
};

inline constexpr Method kMethods[] = {
    {"TreeService/Create", Access::kNode},
    {"TreeService/Get", Access::kNode},
    {"TreeService/Set", Access::kNode},
    {"TreeService/Delete", Access::kNode},
    {"TreeService/List", Access::kNode},
    {"TreeService/Walk", Access::kNode},
    {"TreeService/GetAcl", Access::kNode},
    {"TreeService/SetAcl", Access::kNode},
    {"TreeService/Transact", Access::kNode},
    {"TreeService/Watch", Access::kNode},
    {"TreeService/Sync", Access::kAnyone},
    {"TreeService/WhoAmI", Access::kAnyone},
    {"TreeService/Pipeline", Access::kNode},
    {"SessionService/Open", Access::kAnyone},
    {"SessionService/KeepAlive", Access::kSession},
    {"SessionService/Attach", Access::kSession},
    {"SessionService/Close", Access::kSession},
    {"SessionService/List", Access::kAdmin},
    {"LockService/Lock", Access::kNode},
    {"LockService/Unlock", Access::kSession},
    {"LockService/Describe", Access::kNode},
    {"ElectionService/Campaign", Access::kNode},
    {"ElectionService/Resign", Access::kSession},
    {"ElectionService/Leader", Access::kNode},
    {"ElectionService/Observe", Access::kNode},
    {"ClusterService/Status", Access::kAdmin},
    {"ClusterService/ListMembers", Access::kAdmin},
    {"ClusterService/AddMember", Access::kAdmin},
    {"ClusterService/PromoteMember", Access::kAdmin},
    {"ClusterService/RemoveMember", Access::kAdmin},
    {"ClusterService/TransferLeadership", Access::kAdmin},
    {"ClusterService/Snapshot", Access::kAdmin},
    {"ClusterService/Digest", Access::kAdmin},
};

void RpcHasNoLineInMethods();  // defined nowhere: a call of it is no constant
consteval const Method& MethodOf(std::string_view name) {
  for (const Method& method : kMethods) {
    if (method.name == name) return method;
  }
  RpcHasNoLineInMethods();
  return kMethods[0];
}

}  // namespace pando::api

#endif  // PANDO_API_METHOD_H_
