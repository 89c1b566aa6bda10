// pando_client_test CLIENTS_DIR [gtest's flags] | pando_client_test --idle ENDPOINT,…
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "ensemble.h"
#include "idle.h"
#include "world.h"

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--idle") return pando::client::HoldIdleSession(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CLIENTS_DIR\n", argv[0]);
    return 2;
  }
  pando::client::World::clients_dir = argv[1];
  pando::client::Ensemble ensemble(argv[1]);
  pando::client::World::ensemble = &ensemble;
  return RUN_ALL_TESTS();
}
