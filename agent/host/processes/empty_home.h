// A home for one run of a program as another account: empty, and gone afterwards.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/host/processes/spawn.h"

namespace connect_ha {

// The account owns the home and nothing above it, so it cannot put another thing in its place. Its
// files are removed by a process of the account itself: whatever it makes of them meanwhile, links
// and mounts of its own included, nothing is removed that it might not remove anyway.
class EmptyHome {
 public:
  explicit EmptyHome(std::optional<SpawnAccount> account) : account_(std::move(account)) {}
  // Takes up to ten seconds. What cannot be removed stays in /tmp, and is logged.
  ~EmptyHome();
  EmptyHome(const EmptyHome&) = delete;
  EmptyHome& operator=(const EmptyHome&) = delete;

  absl::Status Make();
  // Once it is made.
  const std::string& path() const { return path_; }

 private:
  void RemoveWhatIsInIt() const;

  const std::optional<SpawnAccount> account_;
  std::string top_;
  std::string path_;
};

}  // namespace connect_ha
