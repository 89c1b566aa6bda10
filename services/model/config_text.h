// What is in /zookeeper/config: the membership in the words of ZooKeeper's dynamic configuration.
#ifndef PANDO_MODEL_CONFIG_TEXT_H_
#define PANDO_MODEL_CONFIG_TEXT_H_

#include <string>

#include "model/ids.h"
#include "model/membership.h"

namespace pando::model {

// "server.1=host:7401:7401:participant;host:7403", a line for each member, and last "version=1f".
// There is one port among servers: it stands for elections, too. A member that has not yet said
// where ZooKeeper's clients find it has no address behind the semicolon, and none of that.
std::string ConfigText(const Membership& membership, Revision version);

}  // namespace pando::model

#endif  // PANDO_MODEL_CONFIG_TEXT_H_
