// Sharing information between servers: what one puts, all others get.
//
//   sharing put KEY VALUE | sharing get KEY
#include <cstdio>
#include <string>

#include "connect.h"

using pando::client::Session;

namespace v1 = pando::v1;

const std::string kRoot = "/sharing";

void Put(Session* session, const std::string& key, const std::string& value) {
  v1::CreateRequest create;
  create.set_path(kRoot + "/" + key);
  create.set_data(value);
  create.set_create_parents(true);
  create.set_if_not_exists(true);
  if (!Must(session->Create(create)).existed()) return;
  v1::SetRequest set;
  set.set_path(kRoot + "/" + key);
  set.set_data(value);
  Must(session->Set(set));
}

void Get(Session* session, const std::string& key) {
  v1::GetRequest get;
  get.set_path(kRoot + "/" + key);
  // What any server was told before, wherever this one is connected.
  std::printf("%s\n", Must(session->Get(get, {.linearizable = true})).data().c_str());
}

int main(int argc, char** argv) {
  const auto session = ToEnsemble();
  if (argc == 4) {
    Put(session.get(), argv[2], argv[3]);
  } else {
    Get(session.get(), argv[2]);
  }
}
