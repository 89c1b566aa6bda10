// Servers joining and leaving: each is in the list for as long as it lives.
//
//   membership NAME ADDRESS: joins, says who comes and goes, and leaves when its input ends
#include <cstdio>
#include <string>
#include <thread>

#include "connect.h"

namespace v1 = pando::v1;

const std::string kRoot = "/members";

void SayMember(const std::string& path, const std::string& address) {
  std::printf("%s at %s\n", NameIn(kRoot, path).c_str(), address.c_str());
}

// Until the watch is closed.
void Say(pando::client::Watch* watch) {
  for (const v1::WalkEntry& node : watch->initial()) {
    if (node.path() != kRoot) SayMember(node.path(), node.data());
  }
  for (auto event = watch->Next(); event.ok(); event = watch->Next()) {
    if (event->kind() == v1::EVENT_KIND_DELETED) {
      std::printf("%s left\n", NameIn(kRoot, event->path()).c_str());
    } else {
      SayMember(event->path(), event->data());
    }
  }
}

int main(int, char** argv) {
  const auto session = ToEnsemble();
  v1::CreateRequest join;
  join.set_path(kRoot + "/" + argv[1]);
  join.set_data(argv[2]);
  join.set_create_parents(true);
  // It goes with the session, so also when this process is killed.
  join.set_kind(v1::NODE_KIND_EPHEMERAL);
  Must(session->Create(join));
  const auto watch =
      Must(session->Watch({pando::client::WatchSubtree(kRoot)}, {.send_initial = true}));
  std::thread saying(Say, watch.get());
  WaitForEnd();
  watch->Close();
  saying.join();
}
