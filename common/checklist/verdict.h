// What the nodes showed, gathered into one finding.
//
// Any failure makes the finding fail; else anything unknown makes it unknown; else it passes,
// unless the rule applies to no node. Nodes that follow another rule's failing are added by
// Evaluate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/checklist/fix.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// What a failure rests on.
struct Why {
  v1::Basis basis = v1::SELF;
  // The nodes differ, and nothing tells which is right.
  bool undecided = false;
  // What the summary says once for all nodes that fail by it, instead of each one's text.
  std::string together;
};

class Verdict {
 public:
  // `node` is "" for what no single node said. Without fixes, the rule's own holds.
  void Pass(const std::string& node, const std::string& text);
  void Fail(const std::string& node, const std::string& text, const Fixes& fixes = {},
            const Why& why = {});
  void Unknown(const std::string& node, const std::string& text, const Fixes& fixes = {});
  // Unknown only until a probe that takes longer has come to it.
  void Pending(const std::string& node, const std::string& text);
  void NotApplicable(const std::string& node, const std::string& text);

  // True when the field at `path` of the node's facts could not be observed (see facts_view.h);
  // the node is then unknown.
  bool Unobserved(const v1::NodeSnapshot& node, absl::string_view path);

  bool Has(v1::Outcome outcome) const;
  // Rule, title and class are left for Evaluate. Of a node that fails or is unknown, what it passes
  // beside that is left out.
  v1::Finding Finish() const;
  // With these words when it passes.
  v1::Finding Finish(const std::string& when_passed) const;

 private:
  struct Entry {
    v1::Outcome outcome;
    std::string node;
    std::string text;
    Fixes fixes;
    Why why;
    bool pending = false;
  };

  v1::Outcome Combined() const;
  std::string Summary(v1::Outcome outcome) const;

  std::vector<Entry> entries_;
};

// "node-1", "node-1, node-2", "node-1, node-2 and 7 more".
std::string JoinNames(const std::vector<std::string>& names);

}  // namespace connect_ha
