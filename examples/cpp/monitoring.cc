// Monitoring servers: each reports its load, and a monitor has the newest of all.
//
//   monitoring report NAME: reports each line of its input | monitoring watch LIMIT
#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "connect.h"

using pando::client::Session;

namespace v1 = pando::v1;

const std::string kRoot = "/monitoring";

void Report(Session* session, const std::string& name) {
  v1::CreateRequest create;
  create.set_path(kRoot + "/" + name);
  create.set_data("0");
  create.set_create_parents(true);
  create.set_kind(v1::NODE_KIND_EPHEMERAL);
  Must(session->Create(create));
  v1::SetRequest set;
  set.set_path(create.path());
  while (std::getline(std::cin, *set.mutable_data())) Must(session->Set(set));
}

void Tell(Session* session, int limit) {
  const auto watch = Must(session->Watch({pando::client::WatchSubtree(kRoot)}));
  std::printf("watching\n");
  std::map<std::string, int> loads;
  for (int sum = 0;;) {
    const v1::WatchEvent event = Must(watch->Next());
    const std::string name = NameIn(kRoot, event.path());
    if (name.empty()) continue;
    const int load = std::atoi(event.data().c_str());  // of one that is gone: 0
    sum += load - loads[name];
    loads[name] = load;
    if (event.kind() == v1::EVENT_KIND_DELETED) {
      std::printf("%s reports no more\n", name.c_str());
    } else {
      std::printf("%s %d, all %d%s\n", name.c_str(), load, sum, load > limit ? " ALARM" : "");
    }
  }
}

int main(int, char** argv) {
  const auto session = ToEnsemble();
  if (argv[1] == std::string("watch")) {
    Tell(session.get(), std::atoi(argv[2]));
  } else {
    Report(session.get(), argv[2]);
  }
}
