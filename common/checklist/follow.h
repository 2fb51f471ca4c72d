// Causes and consequences: a rule is not judged for a node where a rule that it needs does not
// hold.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/checklist/rule.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

class Follow {
 public:
  // Borrows the cluster, whose nodes are taken out and given back only in part while a rule judges;
  // all of them at the end.
  explicit Follow(v1::Snapshot& cluster);
  ~Follow();
  Follow(const Follow&) = delete;
  Follow& operator=(const Follow&) = delete;

  // The rules of the table in its order, and then those that another one explains. Rule, title and
  // class are left for the caller.
  v1::Finding Judge(const Rule& rule);
  // After all were judged. Takes the commands out of every fix whose needs do not hold on its node,
  // and names the root where a rule said itself that it follows from one below it.
  void Finish(v1::Checklist& checklist) const;

 private:
  struct Trouble {
    v1::Outcome outcome;
    std::string cause;  // the rule at the root of it
  };

  using Troubles = std::map<std::string, Trouble>;  // by node; what holds is not in it
  struct Needed {
    const Need* need;
    const Troubles* troubles;  // of its rule
  };

  // What the rule needs, so far as it does not hold for some node.
  std::vector<Needed> NeededBy(const Rule& rule) const;
  // Null: all of that holds for the node.
  static const Trouble* Blocking(const std::vector<Needed>& needed, const v1::NodeSnapshot& node);
  // Where it fails by itself.
  std::set<std::string> FailingOn(const std::string& rule) const;
  const Trouble* TroubleWith(const std::string& rule, const std::string& node) const;
  void NameRoots(v1::Finding& finding) const;
  void Remember(const Rule& rule, const v1::Finding& finding);

  v1::Snapshot& cluster_;
  std::vector<v1::NodeSnapshot*> nodes_;      // whosever the cluster is
  std::map<std::string, Troubles> troubles_;  // by rule
};

}  // namespace connect_ha
