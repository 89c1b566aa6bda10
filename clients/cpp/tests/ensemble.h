// Ensemble: drives clients/conformance/ensemble.py: three real servers, and every fault. Not
// thread-safe.
#ifndef PANDO_CLIENTS_CPP_TESTS_ENSEMBLE_H_
#define PANDO_CLIENTS_CPP_TESTS_ENSEMBLE_H_

#include <sys/types.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pando::client {

class Ensemble final {
 public:
  // Starts it. Whatever goes wrong with it ends the program: no test means anything without it.
  explicit Ensemble(const std::string& clients_dir);
  ~Ensemble();
  Ensemble(const Ensemble&) = delete;
  Ensemble& operator=(const Ensemble&) = delete;

  nlohmann::json Ask(const std::string& command);
  // The endpoint in its answer.
  std::string AskEndpoint(const std::string& command) { return Ask(command).at("endpoint"); }

  const std::vector<std::string>& endpoints() const { return endpoints_; }

 private:
  nlohmann::json Read();

  pid_t process_ = 0;
  FILE* in_ = nullptr;
  FILE* out_ = nullptr;
  std::vector<std::string> endpoints_;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_TESTS_ENSEMBLE_H_
