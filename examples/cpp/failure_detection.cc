// Failure detection: who went without a word has failed.
//
//   failure_detection live NAME: until its input ends | failure_detection watch
#include <cstdio>
#include <set>
#include <string>

#include "connect.h"

using pando::client::Session;

namespace v1 = pando::v1;

const std::string kRoot = "/alive";

void Live(Session* session, const std::string& name) {
  // It goes when the session does: at once if that is closed, else after its timeout.
  v1::CreateRequest create;
  create.set_path(kRoot + "/" + name);
  create.set_create_parents(true);
  create.set_kind(v1::NODE_KIND_EPHEMERAL);
  Must(session->Create(create));
  WaitForEnd();
  v1::SetRequest bye;
  bye.set_path(create.path());
  bye.set_data("bye");
  Must(session->Set(bye));
}

void Tell(Session* session) {
  std::set<std::string> polite;
  const auto watch = Must(session->Watch({pando::client::WatchSubtree(kRoot)}));
  std::printf("watching\n");
  for (;;) {
    const v1::WatchEvent event = Must(watch->Next());
    const std::string name = NameIn(kRoot, event.path());
    if (name.empty()) continue;
    if (event.kind() == v1::EVENT_KIND_CREATED) {
      std::printf("%s lives\n", name.c_str());
    } else if (event.kind() == v1::EVENT_KIND_DATA_CHANGED) {
      polite.insert(name);
    } else {
      std::printf("%s has %s\n", name.c_str(), polite.erase(name) == 1 ? "left" : "failed");
    }
  }
}

int main(int, char** argv) {
  const auto session = ToEnsemble();
  if (argv[1] == std::string("live")) {
    Live(session.get(), argv[2]);
  } else {
    Tell(session.get());
  }
}
