// Denial: what goes on record when somebody was not allowed to do something.
#ifndef PANDO_ZOOKEEPER_DENIAL_H_
#define PANDO_ZOOKEEPER_DENIAL_H_

#include <string_view>

namespace pando::zookeeper {

// What a client was not allowed to do. Views: it lives as long as the call that takes it.
struct Denial {
  std::string_view method;  // "zookeeper/setData"
  std::string_view caller;  // its identities, as acl::NamesOf writes them
  std::string_view path;    // the node that the trouble is with, if any
  std::string_view reason;  // as the native API names it
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_DENIAL_H_
