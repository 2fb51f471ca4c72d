// What the nodes showed, gathered into one finding.
//
// Any failure makes the finding fail; else anything unknown makes it unknown; else it passes,
// unless the rule applies to no node. Nodes that follow another rule's failing are added by
// Evaluate.
//
// However much one node says, there is room for what the others show: of each node a rule has so
// many lines that fail or are unknown, and the number of the others; texts are cut at 1 KiB.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
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
  // Of one node with one outcome; a node that lacks every runtime is far from it.
  static constexpr size_t kLinesOfANode = 50;

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

  using LinesOf = std::map<std::pair<std::string, v1::Outcome>, size_t>;  // a node, an outcome

  void Add(Entry entry);
  void LeaveOutMany();
  v1::Outcome Combined() const;
  std::string Summary(v1::Outcome outcome) const;

  std::vector<Entry> entries_;
  // Beyond so many entries, those of a node that are too many are let go of.
  size_t most_entries_ = 100'000;
  LinesOf left_out_;
};

// "node-1", "node-1, node-2", "node-1, node-2 and 7 more".
std::string JoinNames(const std::vector<std::string>& names);

}  // namespace connect_ha
