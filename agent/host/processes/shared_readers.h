// The readers of all network file systems, by mount point.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/host/mounts/mount_table.h"
#include "agent/host/processes/shared_reader.h"

namespace connect_ha {

// From any thread.
class SharedReaders {
 public:
  // A process each: whether a file system answers must not be asked behind a read that is slow, or
  // that waits for another file system which somebody mounted below the first; and what writes
  // holds up neither. Work has 30 s, and its process a minute.
  enum class Lane { kReads, kLiveness, kWork };

  // How long is waited in a lane; without command and name.
  static SharedReaderOptions LimitsOf(Lane lane);

  // `command`: SharedReaderOptions'.
  explicit SharedReaders(std::vector<std::string> command) : command_(std::move(command)) {}

  // Made at the first call, and anew where another file system is mounted there by now: what waits
  // for the one before may do so for ever. Those of mounts that `mounts` does not have end with
  // that.
  std::shared_ptr<SharedReader> Get(const std::vector<MountEntry>& mounts,
                                    const std::string& mount_point, Lane lane);

 private:
  using Key = std::pair<std::string, Lane>;
  struct One {
    std::string device;  // of the mount that it was made for
    std::shared_ptr<SharedReader> reader;
  };

  const std::vector<std::string> command_;
  std::mutex mutex_;
  std::map<Key, One> readers_;
};

}  // namespace connect_ha
