// What the nodes showed, gathered into one finding.
//
// Any failure makes the finding fail; else anything unknown makes it unknown; else it passes,
// unless the rule applies to no node.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

class Verdict {
 public:
  // `node` is "" for what no single node said. `fix` is what to type; NODE in it becomes the
  // names of the nodes it is for; without one, the rule's own fix holds.
  void Pass(const std::string& node, const std::string& text);
  // `together`: what the summary says once for all nodes that fail by it, instead of `text`.
  void Fail(const std::string& node, const std::string& text, const std::string& fix = "",
            const std::string& together = "");
  void Unknown(const std::string& node, const std::string& text, const std::string& fix = "");
  void NotApplicable(const std::string& node, const std::string& text);

  // True when the field at `path` of the node's facts could not be observed (see facts_view.h);
  // the node is then unknown.
  bool Unobserved(const v1::NodeSnapshot& node, absl::string_view path);

  bool Has(v1::Outcome outcome) const;
  // Rule, title and class are left for Evaluate.
  v1::Finding Finish() const;
  // With these words when it passes.
  v1::Finding Finish(const std::string& when_passed) const;

 private:
  struct Entry {
    v1::Outcome outcome;
    std::string node;
    std::string text;
    std::string fix;
    // Where in together_; none: nullopt.
    std::optional<size_t> together;
  };

  v1::Outcome Combined() const;
  std::string Summary(v1::Outcome outcome) const;
  std::string Fixes(v1::Outcome outcome) const;

  std::vector<Entry> entries_;
  // Once for all entries that follow each other with the same.
  std::vector<std::string> together_;
};

// "node-1", "node-1, node-2", "node-1, node-2 and 7 more".
std::string JoinNames(const std::vector<std::string>& names);
// NODE in `fix` becomes the names; a command that takes one node becomes one for each.
std::string NameNodes(const std::string& fix, const std::vector<std::string>& names);

}  // namespace connect_ha
