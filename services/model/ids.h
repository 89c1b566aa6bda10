// The identities of Pando's nouns. Every one is a type of its own; zero is "none".
#ifndef PANDO_MODEL_IDS_H_
#define PANDO_MODEL_IDS_H_

#include "base/strong.h"

namespace pando::model {

// The number of a change: the Raft index of the log entry that made it. Strictly increasing over
// the whole ensemble, with gaps, 63 bits. Watch cursor, fencing token and zxid are the same number.
using Revision = base::Strong<struct RevisionTag>;
// A Raft term.
using Term = base::Strong<struct TermTag>;
// A server of the ensemble, given by its operator: 1, 2, 3, …
using ServerId = base::Strong<struct ServerIdTag>;
// Random, made with an empty data dir: tells a server from its wiped successor under the same id.
using StorageId = base::Strong<struct StorageIdTag>;
// Random, in entry 1 of an ensemble's log.
using ClusterId = base::Strong<struct ClusterIdTag>;
// How often the server of a storage id has started.
using StartCount = base::Strong<struct StartCountTag>;
// The place of a command among all that one start of one server has numbered: 1, 2, 3, …
using SourceNumber = base::Strong<struct SourceNumberTag>;
// The revision of the session's Open.
using SessionId = base::Strong<struct SessionIdTag>;
// The revision of the Attach, or of the Open, that a connection's commands are sent under.
using Attachment = base::Strong<struct AttachmentTag>;
// Chosen by the client; never used twice within one session but to repeat a request.
using RequestId = base::Strong<struct RequestIdTag>;
// One client's channel of watch events, on one server. Never replicated.
using StreamId = base::Strong<struct StreamIdTag>;
// One ordered connection (a Pipeline, a ZooKeeper connection), on one server. Never replicated.
using LaneId = base::Strong<struct LaneIdTag>;

}  // namespace pando::model

#endif  // PANDO_MODEL_IDS_H_
