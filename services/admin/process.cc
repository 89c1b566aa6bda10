#include "admin/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace pando::admin {
namespace {

constexpr char kOpenFiles[] = "/proc/self/fd";

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The first two numbers of /proc/self/statm, in bytes.
bool ReadMemory(double* virtual_bytes, double* resident_bytes) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                   std::fclose);
  long pages = 0, resident = 0;
  if (!file || std::fscanf(file.get(), "%ld %ld", &pages, &resident) != 2) return false;
  const double page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  *virtual_bytes = static_cast<double>(pages) * page_bytes;
  *resident_bytes = static_cast<double>(resident) * page_bytes;
  return true;
}

// Of a kernel that does not tell their number as the folder's size.
uint64_t CountEntries() {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(kOpenFiles), closedir);
  uint64_t entries = 0;
  while (dir && readdir(dir.get())) ++entries;
  return entries - std::min<uint64_t>(entries, 3);  // ".", ".." and the one that reads it
}

}  // namespace

OpenFiles CountOpenFiles() {
  OpenFiles files;
  struct stat folder {};
  if (stat(kOpenFiles, &folder) == 0) files.open = static_cast<uint64_t>(folder.st_size);
  if (files.open == 0) files.open = CountEntries();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) files.max = limit.rlim_cur;
  return files;
}

std::vector<ProcessNumber> ReadProcessNumbers() {
  std::vector<ProcessNumber> numbers;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    numbers.push_back({"process_cpu_seconds_total", "CPU time of user and system", true,
                       Seconds(usage.ru_utime) + Seconds(usage.ru_stime)});
  }
  const OpenFiles files = CountOpenFiles();
  if (files.open > 0) {
    numbers.push_back(
        {"process_open_fds", "Open file descriptors", false, static_cast<double>(files.open)});
  }
  if (files.max > 0) {
    numbers.push_back({"process_max_fds", "File descriptors that may be open", false,
                       static_cast<double>(files.max)});
  }
  double virtual_bytes = 0, resident_bytes = 0;
  if (ReadMemory(&virtual_bytes, &resident_bytes)) {
    numbers.push_back({"process_virtual_memory_bytes", "Address space", false, virtual_bytes});
    numbers.push_back({"process_resident_memory_bytes", "Memory in RAM", false, resident_bytes});
  }
  return numbers;
}

}  // namespace pando::admin
