#include "ensemble.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace pando::client {
namespace {

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "the ensemble: %s\n", why.c_str());
  std::abort();
}

}  // namespace

Ensemble::Ensemble(const std::string& clients_dir) {
  const std::string script = clients_dir + "/conformance/ensemble.py";
  std::array<int, 2> in, out;
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) Die("no pipes");
  process_ = fork();
  if (process_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execlp("python3", "python3", script.c_str(), nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  in_ = fdopen(in[1], "w");
  out_ = fdopen(out[0], "r");
  endpoints_ = Read().at("endpoints");
}

Ensemble::~Ensemble() {
  std::fclose(in_);  // it stops everything, and ends
  waitpid(process_, nullptr, 0);
  std::fclose(out_);
}

nlohmann::json Ensemble::Ask(const std::string& command) {
  std::fprintf(in_, "%s\n", command.c_str());
  std::fflush(in_);
  return Read();
}

nlohmann::json Ensemble::Read() {
  char* line = nullptr;
  size_t size = 0;
  if (getline(&line, &size, out_) < 0) Die("it has ended");
  const nlohmann::json answer = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  std::free(line);
  if (!answer.is_object()) Die("it makes no sense");
  if (answer.contains("error")) Die(answer.at("error"));
  return answer;
}

}  // namespace pando::client
