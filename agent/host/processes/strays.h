// Ends what a program leaves behind in another session: a process group does not hold what calls
// setsid(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>

namespace connect_ha {

// While it lives, processes of the account whose parents have gone become children of this process
// (prctl(2), PR_SET_CHILD_SUBREAPER) instead of PID 1's; at the end they are killed, and what they
// leave behind too. What else became a child meanwhile, an orphan of root's commands, is left
// alone, and reaped once it has ended: at the end, or by the next one. One at a time: who comes
// second waits, since nothing tells one program's strays from another's. Not for the account of
// this process itself: its other children would be killed.
class Strays {
 public:
  explicit Strays(uint32_t uid);
  ~Strays();
  // Ends those that there are by now.
  void End();
  Strays(const Strays&) = delete;
  Strays& operator=(const Strays&) = delete;

 private:
  const std::unique_lock<std::mutex> only_one_;
  const uint32_t uid_;
};

}  // namespace connect_ha
