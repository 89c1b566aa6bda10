// sim_seeds FIRST COUNT [JOBS]: runs so many seeds of a simulated ensemble, a process a job.
// sim_seeds --trace SEED: one of them, and says what happens.
//
// Prints the seeds that failed, then one line of totals; exit status 1 if any has failed.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "sim/cluster.h"

namespace {

using pando::sim::ClusterTotals;

// What one job has done so far; shared with its parent, which reads it when the job is dead.
struct Job {
  pid_t pid;
  uint64_t next;  // the seed at hand
  ClusterTotals totals;
};

void RunJob(Job* job, uint64_t step, uint64_t end) {
  for (; job->next < end; job->next += step) {
    job->totals.Add(pando::sim::RunCluster(job->next, nullptr));
  }
  std::_Exit(0);
}

pid_t Start(Job* job, uint64_t step, uint64_t end) {
  const pid_t pid = fork();
  if (pid == 0) RunJob(job, step, end);
  return pid;
}

int RunSeeds(uint64_t first, uint64_t count, uint64_t jobs) {
  void* const shared =
      mmap(nullptr, sizeof(Job) * jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  Job* const all = static_cast<Job*>(shared);
  std::fflush(stdout);
  for (uint64_t i = 0; i < jobs; ++i) {
    new (&all[i]) Job{0, first + i, {}};
    all[i].pid = Start(&all[i], jobs, first + count);
  }
  uint64_t failed = 0;
  for (uint64_t running = jobs; running > 0;) {
    int status = 0;
    const pid_t pid = wait(&status);
    if (pid < 0) return 2;
    for (uint64_t i = 0; i < jobs; ++i) {
      if (all[i].pid != pid) continue;
      --running;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
      ++failed;
      std::printf("FAILED seed %llu\n", static_cast<unsigned long long>(all[i].next));
      std::fflush(stdout);
      all[i].next += jobs;
      all[i].pid = Start(&all[i], jobs, first + count);
      ++running;
      break;
    }
  }
  ClusterTotals totals;
  for (uint64_t i = 0; i < jobs; ++i) totals.Add(all[i].totals);
  std::printf("%s, %llu failed\n", totals.Line().c_str(), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
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
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: sim_seeds FIRST COUNT [JOBS] | sim_seeds --trace SEED\n");
    return 2;
  }
  const uint64_t jobs = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 1;
  return RunSeeds(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10),
                  jobs == 0 ? 1 : jobs);
}
