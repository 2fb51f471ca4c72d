// A shell of each node that does nothing and refuses what a fix must never say.
//
// It knows the commands that fixes are made of, which paths hold what may be the only copy of
// something, whether Connect may start, and what is mounted. A command that it does not know is
// refused: who adds one to a fix says here what it does.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha::test {

class FakeShell {
 public:
  // As the nodes reported themselves.
  explicit FakeShell(const v1::Snapshot& cluster);

  // Types the commands of a fix on its node. Nullopt, or why it must not be proposed.
  std::optional<std::string> Type(const v1::Fix& fix);
  // After all was typed: what is gone now and was there before; nullopt when nothing is.
  std::optional<std::string> WhatIsLost() const;

 private:
  struct NodeState {
    bool can_start = false;             // the configuration is valid, the share is there
    std::set<std::string> data;         // directories whose content may be the only copy
    std::set<std::string> keys;         // key files
    std::map<std::string, int> shares;  // network mounts by mount point; how many on top of it
    std::set<std::string> lost_shares;  // unmounted and not mounted again
    std::set<std::string> stale;        // mount points whose server does not know them any more
  };

  std::optional<std::string> Run(NodeState& node, const v1::Fix& fix, const std::string& command);
  std::optional<std::string> RunWords(NodeState& node, const v1::Fix& fix,
                                      const std::vector<std::string>& words);
  std::optional<std::string> Systemctl(NodeState& node, const v1::Fix& fix,
                                       const std::vector<std::string>& words);
  bool IsPrecious(const NodeState& node, const std::string& path) const;

  std::map<std::string, NodeState> nodes_;
};

// The words of a simple command, quotes taken off; nullopt where it is none: several commands in
// one line, a redirection, a substitution.
std::optional<std::vector<std::string>> SimpleWords(const std::string& command);

}  // namespace connect_ha::test
