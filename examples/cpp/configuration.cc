// System management: a configuration that services follow.
//
//   configuration set KEY=VALUE… (all at once, or none) | configuration follow
#include <cstdio>
#include <string>

#include "connect.h"

using pando::client::Session;

namespace v1 = pando::v1;

const std::string kRoot = "/configuration";

void Change(Session* session, char** settings) {
  v1::TransactRequest transaction;
  for (; *settings != nullptr; ++settings) {
    const std::pair<std::string, std::string> setting =
        absl::StrSplit(*settings, absl::MaxSplits('=', 1));
    v1::CreateRequest create;
    create.set_path(kRoot + "/" + setting.first);
    create.set_create_parents(true);
    create.set_if_not_exists(true);
    Must(session->Create(create));
    v1::SetRequest* const set = transaction.add_then_operations()->mutable_set();
    set->set_path(create.path());
    set->set_data(setting.second);
  }
  Must(session->Transact(transaction));
}

void Say(const std::string& path, const std::string& value) {
  std::printf("%s = %s\n", NameIn(kRoot, path).c_str(), value.c_str());
}

void Follow(Session* session) {
  // First as it stands, then every change after that: nothing is between the two.
  const auto watch =
      Must(session->Watch({pando::client::WatchSubtree(kRoot)}, {.send_initial = true}));
  for (const v1::WalkEntry& node : watch->initial()) {
    if (node.path() != kRoot) Say(node.path(), node.data());
  }
  for (;;) {
    const v1::WatchEvent event = Must(watch->Next());
    if (event.kind() == v1::EVENT_KIND_DATA_CHANGED) Say(event.path(), event.data());
  }
}

int main(int, char** argv) {
  const auto session = ToEnsemble();
  if (argv[1] == std::string("set")) {
    Change(session.get(), argv + 2);
  } else {
    Follow(session.get());
  }
}
