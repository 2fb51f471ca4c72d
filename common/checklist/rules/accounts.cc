#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

// One number that has to be the same everywhere: "uid of rstudio-connect".
struct Id {
  std::string kind;  // "user" or "group"
  std::string name;
  std::string number;  // "uid" or "gid"
  std::optional<std::string> wanted;
  std::vector<Seen> seen;
  std::vector<std::string> absent;
  std::set<std::string> reported;  // nodes that looked for it
};

// By "user/rstudio-connect/uid", so that the findings have one order.
using Ids = std::map<std::string, Id>;

std::string KeyOf(const std::string& kind, const std::string& name, const std::string& number) {
  return absl::StrCat(kind, "/", name, "/", number);
}

Id& IdOf(Ids& ids, const std::string& kind, const std::string& name, const std::string& number) {
  Id& id = ids[KeyOf(kind, name, number)];
  id.kind = kind;
  id.name = name;
  id.number = number;
  return id;
}

void Add(Id& id, const v1::NodeSnapshot* node, bool present, uint32_t value) {
  id.reported.insert(node->name());
  if (present) {
    id.seen.push_back({node, absl::StrCat(value)});
  } else {
    id.absent.push_back(node->name());
  }
}

void AddNode(const v1::NodeSnapshot& node, Ids& ids) {
  for (const v1::Account& account : node.facts().accounts().accounts()) {
    const std::string& name = account.name();
    Add(IdOf(ids, "user", name, "uid"), &node, account.has_uid(), account.uid());
    Id& gid = IdOf(ids, "user", name, "gid");
    if (account.has_uid()) {
      Add(gid, &node, account.has_gid(), account.gid());
    } else {
      gid.reported.insert(node.name());  // it has none without the user
    }
  }
  for (const v1::Group& group : node.facts().accounts().groups()) {
    Add(IdOf(ids, "group", group.name(), "gid"), &node, group.has_gid(), group.gid());
  }
}

// What the specification wants counts, whether an agent looked for the account or not.
void AddWanted(const v1::ClusterSpec& spec, Ids& ids) {
  for (const auto& [name, account] : spec.accounts()) {
    if (account.has_uid()) {
      IdOf(ids, "user", name, "uid").wanted = absl::StrCat(account.uid());
    }
    if (account.has_gid()) {
      IdOf(ids, "user", name, "gid").wanted = absl::StrCat(account.gid());
    }
  }
}

std::string LookUp(const Id& id) {
  return absl::StrCat("getent ", id.kind == "user" ? "passwd " : "group ", ShellOperand(id.name));
}

// Files belong to numbers: who has another one is changed by a person, who sees what they own.
Fixes NumberFix(const Id& id, const Seen& one, const Seen& right) {
  const bool is_user = id.number == "uid";
  return {Type(one.node->name(),
               {LookUp(id), absl::StrCat("find / -xdev -", is_user ? "uid " : "gid ", one.value,
                                         " -print -quit")},
               absl::StrCat("renumber ", id.name, " to ", id.number, " ", right.value,
                            " while Connect is stopped here, with the files that the second "
                            "command finds, or replace the node"))};
}

// The number that a missing account has elsewhere, as an option of useradd; "" when there is none.
std::string Option(const Ids& ids, const std::string& key, const std::string& option) {
  const auto it = ids.find(key);
  if (it == ids.end()) return "";
  if (it->second.wanted) return absl::StrCat(option, *it->second.wanted);
  return it->second.seen.empty() ? "" : absl::StrCat(option, it->second.seen.front().value);
}

Fixes MakeFix(const Ids& ids, const Id& id, const std::string& node) {
  const std::string gid = Option(ids, KeyOf("user", id.name, "gid"), " --gid ");
  if (id.kind == "group") {
    return {Type(node, {LookUp(id)},
                 absl::StrCat("create the group: groupadd --system",
                              Option(ids, KeyOf("group", id.name, "gid"), " --gid "), " ",
                              ShellOperand(id.name)))};
  }
  return {Type(node, {LookUp(id)},
               absl::StrCat("create the user, its group first: useradd --system",
                            Option(ids, KeyOf("user", id.name, "uid"), " --uid "), gid,
                            " --no-create-home ", ShellOperand(id.name)))};
}

// A node did not look for what others look for, or what the specification names.
void SayNotLookedFor(const Id& id, const std::string& node, Verdict& verdict) {
  const Fixes look = {Type(node, {LookUp(id)})};
  const std::string text = absl::StrCat(id.kind, " ", id.name, " was not looked for");
  if (id.wanted) {
    verdict.Unknown(node, absl::StrCat(text, ", wanted ", id.number, " ", *id.wanted), look);
  } else if (id.seen.empty()) {
    verdict.Unknown(node, text, look);
  } else {
    const Seen& other = id.seen.front();
    verdict.Unknown(
        node, absl::StrCat(text, ", ", id.number, " ", other.value, " on ", other.node->name()),
        look);
  }
}

void Judge(const Ids& ids, const Id& id, const std::vector<std::string>& nodes, Verdict& verdict) {
  for (const std::string& node : id.absent) {
    verdict.Fail(node, absl::StrCat("there is no ", id.kind, " ", id.name), MakeFix(ids, id, node));
  }
  for (const std::string& node : nodes) {
    if (id.reported.count(node) == 0) SayNotLookedFor(id, node, verdict);
  }
  Compare(verdict, id.seen,
          {absl::StrCat(id.name, " has ", id.number), id.wanted,
           [&id](const Seen& one, const Seen& right) { return NumberFix(id, one, right); },
           absl::StrCat("write the ", id.number, " that is right under accounts in cluster.yaml")});
}

// The agent looks for the account that is configured and the package's by itself.
bool NamesOtherAccounts(const v1::ClusterSpec& spec, const v1::Facts& facts) {
  const std::string package = "rstudio-connect";
  const std::string run_as = ConfigValue(facts, "Applications", "RunAs", package);
  return std::any_of(spec.accounts().begin(), spec.accounts().end(), [&](const auto& account) {
    return account.first != package && account.first != run_as;
  });
}

// Content may run as whoever looks at it: which accounts these are, only the specification can say.
void JudgeCurrentUser(const v1::ClusterSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  if (const auto why = WhyConfigurationUnknown(node.facts())) {
    return verdict.Unknown(node.name(), absl::StrCat("whether content runs as other accounts, by "
                                                     "Applications.RunAsCurrentUser: ",
                                                     *why));
  }
  if (!ConfigFlag(node.facts(), "Applications", "RunAsCurrentUser", false)) return;
  if (NamesOtherAccounts(spec, node.facts())) return;
  verdict.Unknown(node.name(),
                  "content runs as whoever looks at it (Applications.RunAsCurrentUser), and those "
                  "accounts were not looked for",
                  {ByHand("", "name their accounts under accounts in cluster.yaml, and apply it")});
}

}  // namespace

v1::Finding AccountsMatch(const v1::Snapshot& cluster) {
  Verdict verdict;
  Ids ids;
  std::vector<std::string> nodes;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "accounts.accounts") ||
        verdict.Unobserved(node, "accounts.groups")) {
      continue;
    }
    if (node.facts().accounts().accounts().empty()) {
      verdict.Unknown(node.name(), "no account was reported");
      continue;
    }
    nodes.push_back(node.name());
    AddNode(node, ids);
    JudgeCurrentUser(cluster.spec(), node, verdict);
  }
  AddWanted(cluster.spec(), ids);
  for (const auto& [key, id] : ids) Judge(ids, id, nodes, verdict);
  return verdict.Finish("every account that runs content has one uid and one gid");
}

}  // namespace connect_ha
