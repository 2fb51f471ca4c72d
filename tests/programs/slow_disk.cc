// Preloaded, makes a disk slow: each sync takes three seconds while the file that
// $CONNECT_HA_SLOW_DISK names is there.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

namespace {

void Wait() {
  const char* file = std::getenv("CONNECT_HA_SLOW_DISK");
  if (file != nullptr && access(file, F_OK) == 0) sleep(3);
}

using Sync = int (*)(int);

}  // namespace

extern "C" int fsync(int fd) {
  static const Sync real = reinterpret_cast<Sync>(dlsym(RTLD_NEXT, "fsync"));
  Wait();
  return real(fd);
}

extern "C" int fdatasync(int fd) {
  static const Sync real = reinterpret_cast<Sync>(dlsym(RTLD_NEXT, "fdatasync"));
  Wait();
  return real(fd);
}
