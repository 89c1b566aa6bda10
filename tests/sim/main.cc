// sim_seeds FIRST COUNT [JOBS]: runs so many seeds of a simulated ensemble, a process a job.
// sim_seeds --kept FILE: those that begin its lines, but for lines that begin with '#'.
// sim_seeds --trace SEED: one of them, and says what happens.
//
// Prints the seeds that failed, then one line of totals; exit status 1 if any has failed. SIGTERM
// and SIGINT end it early, with the totals of what was done.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#include "sim/cluster.h"

namespace {

using pando::sim::ClusterTotals;

using Seeds = std::vector<uint64_t>;

volatile std::sig_atomic_t stop_asked = 0;

void OnStop(int) { stop_asked = 1; }

// wait() has to return: no SA_RESTART.
void StopOn(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

// What one job has done so far; shared with its parent, which reads it when the job is dead.
struct Job {
  pid_t pid;
  size_t next;  // the place of the seed at hand
  ClusterTotals totals;
};

void RunJob(Job* job, const Seeds& seeds, size_t step) {
  StopOn(SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // whoever stops the parent, stops all of it
  for (; job->next < seeds.size(); job->next += step) {
    job->totals.Add(pando::sim::RunCluster(seeds[job->next], nullptr));
  }
  std::_Exit(0);
}

pid_t Start(Job* job, const Seeds& seeds, size_t step) {
  const pid_t pid = fork();
  if (pid == 0) RunJob(job, seeds, step);
  return pid;
}

int RunSeeds(const Seeds& seeds, size_t jobs) {
  void* const shared =
      mmap(nullptr, sizeof(Job) * jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  Job* const all = static_cast<Job*>(shared);
  std::fflush(stdout);
  StopOn(OnStop);
  for (size_t i = 0; i < jobs; ++i) {
    new (&all[i]) Job{0, i, {}};
    all[i].pid = Start(&all[i], seeds, jobs);
  }
  uint64_t failed = 0;
  for (size_t running = jobs; running > 0;) {
    int status = 0;
    const pid_t pid = wait(&status);
    if (stop_asked) {
      // Their seeds at hand count neither as good nor as failed.
      for (size_t i = 0; i < jobs; ++i) kill(all[i].pid, SIGKILL);
      break;
    }
    if (pid < 0) return 2;
    for (size_t i = 0; i < jobs; ++i) {
      if (all[i].pid != pid) continue;
      --running;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
      ++failed;
      std::printf("FAILED seed %llu\n", static_cast<unsigned long long>(seeds[all[i].next]));
      std::fflush(stdout);
      all[i].next += jobs;
      all[i].pid = Start(&all[i], seeds, jobs);
      ++running;
      break;
    }
  }
  ClusterTotals totals;
  for (size_t i = 0; i < jobs; ++i) totals.Add(all[i].totals);
  std::printf("%s, %llu failed\n", totals.Line().c_str(), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}

Seeds Kept(const char* file) {
  std::ifstream in(file);
  Seeds seeds;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with('#')) seeds.push_back(std::strtoull(line.c_str(), nullptr, 10));
  }
  return seeds;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--trace") == 0) {
    const ClusterTotals totals =
        pando::sim::RunCluster(std::strtoull(argv[2], nullptr, 10), [](const std::string& line) {
          std::printf("%s\n", line.c_str());
          std::fflush(stdout);  // a violation aborts
        });
    std::printf("%s\n", totals.Line().c_str());
    return 0;
  }
  if (argc == 3 && std::strcmp(argv[1], "--kept") == 0) {
    const Seeds seeds = Kept(argv[2]);
    return seeds.empty() ? 2 : RunSeeds(seeds, 1);
  }
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr,
                 "usage: sim_seeds FIRST COUNT [JOBS] | sim_seeds --kept FILE | "
                 "sim_seeds --trace SEED\n");
    return 2;
  }
  Seeds seeds(std::strtoull(argv[2], nullptr, 10));
  std::iota(seeds.begin(), seeds.end(), std::strtoull(argv[1], nullptr, 10));
  const size_t jobs = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 1;
  return RunSeeds(seeds, jobs == 0 ? 1 : jobs);
}
