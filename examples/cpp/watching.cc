// Watching data: every change of a subtree, also over the end of this program.
//
//   watching PATH BOOKMARK: goes on after the revision in the file BOOKMARK, where it left off
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "connect.h"

using pando::client::Reason;
using pando::client::ReasonOf;
using pando::client::WatchSubtree;

namespace v1 = pando::v1;

int main(int, char** argv) {
  const std::string path = argv[1], bookmark = argv[2];
  const auto keep = [&](int64_t revision) { std::ofstream(bookmark) << revision; };
  const auto session = ToEnsemble();
  int64_t last = -1;
  std::ifstream(bookmark) >> last;
  auto watch = session->Watch({WatchSubtree(path)}, {.start_revision = last + 1});
  if (ReasonOf(watch.status()) == Reason::kCompacted) {
    // Too long ago: what is kept begins later. Read the state, and go on from there.
    watch = session->Watch({WatchSubtree(path)}, {.send_initial = true});
    if (watch.ok()) std::printf("%zu nodes now\n", (*watch)->initial().size());
  }
  const auto events = Must(std::move(watch));
  keep(events->start_revision() - 1);
  std::printf("watching\n");
  for (;;) {
    const v1::WatchEvent event = Must(events->Next());
    const std::string kind = v1::EventKind_Name(event.kind()).substr(sizeof("EVENT_KIND_") - 1);
    std::printf("%s %s %s\n", kind.c_str(), event.path().c_str(), event.data().c_str());
    keep(event.revision());
  }
}
