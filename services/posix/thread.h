// Thread: a std::thread with a name that top and gdb show, and with all signals blocked, so that
// only main takes them. Joined at its end.
#ifndef PANDO_POSIX_THREAD_H_
#define PANDO_POSIX_THREAD_H_

#include <functional>
#include <string>
#include <thread>

namespace pando::posix {

// The calling thread's. REQUIRES: at most 15 bytes.
void NameThread(const std::string& name);

class Thread {
 public:
  Thread(std::string name, std::function<void()> body);
  ~Thread() { Join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Waits for the body's end; fine if it was called before.
  void Join();

 private:
  std::thread thread_;
};

}  // namespace pando::posix

#endif  // PANDO_POSIX_THREAD_H_
