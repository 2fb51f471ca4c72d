// Reads and writes that go on until all is done, whatever interrupts them.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

namespace connect_ha {

// False, and errno says why: a part of it may be written.
inline bool WriteFully(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// What there is from here to the end, or `most` bytes of it. False, and errno says why.
inline bool ReadFully(int file, size_t most, std::string& bytes) {
  bytes.assign(most, '\0');
  size_t done = 0;
  while (done < most) {
    const ssize_t count = read(file, bytes.data() + done, most - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  bytes.resize(done);
  return true;
}

}  // namespace connect_ha
