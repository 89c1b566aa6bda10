// Errors: Pando's reasons in ZooKeeper's numbers.
#ifndef PANDO_ZOOKEEPER_ERRORS_H_
#define PANDO_ZOOKEEPER_ERRORS_H_

#include "jute/records.h"
#include "model/reply.h"

namespace pando::zookeeper {

// kOk for kOk. Reasons that end a connection instead of being told have no number: kSystemError.
jute::ErrorCode CodeOf(model::Reason reason);

// The session is over, has moved to another connection, or is not this client's: the connection
// ends, and the handshake of the next one says which it was.
bool EndsConnection(model::Reason reason);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_ERRORS_H_
