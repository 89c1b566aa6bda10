#include <cstdio>

#include "pando/client/session.h"

namespace client = pando::client;

// quickstart HOST:PORT…
int main(int argc, char** argv) {
  auto session = client::Session::Connect({.endpoints = {argv + 1, argv + argc}});
  if (!session.ok()) return std::puts(session.status().ToString().c_str());
  auto watch = (*session)->Watch({client::WatchSubtree("/color")});
  if (!watch.ok()) return std::puts(watch.status().ToString().c_str());

  pando::v1::CreateRequest create;
  create.set_path("/color");
  create.set_data("green");
  auto created = (*session)->Create(create);
  if (client::ReasonOf(created.status()) == client::Reason::kNodeExists) std::puts("it was there");

  auto event = (*watch)->Next(std::chrono::seconds(5));
  if (event.ok()) std::printf("%s %s\n", event->path().c_str(), event->data().c_str());
}
