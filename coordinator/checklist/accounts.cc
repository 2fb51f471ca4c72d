#include <map>

#include "absl/strings/str_cat.h"
#include "coordinator/checklist/compare.h"
#include "coordinator/checklist/rules.h"
#include "coordinator/checklist/verdict.h"

namespace connect_ha {
namespace {

// One number that has to be the same everywhere: "uid of rstudio-connect".
struct Id {
  std::string what;
  std::string missing;  // what to say of a node that has no such account
  std::string fix;
  std::optional<std::string> wanted;
  std::vector<Seen> seen;
  std::vector<std::string> absent;
  size_t reported = 0;
};

// By "user/rstudio-connect/uid", so that the findings have one order.
using Ids = std::map<std::string, Id>;

const char kUserFix[] =
    "on NODE: systemctl stop rstudio-connect; usermod -u UID NAME; find / -xdev -uid OLD_UID "
    "-exec chown -h UID {} +";
const char kGroupFix[] =
    "on NODE: systemctl stop rstudio-connect; groupmod -g GID NAME; find / -xdev -gid OLD_GID "
    "-exec chgrp -h GID {} +";

Id& IdOf(Ids& ids, const std::string& kind, const std::string& name, const char* number,
         const char* fix) {
  Id& id = ids[absl::StrCat(kind, "/", name, "/", number)];
  if (id.what.empty()) {
    id.what = absl::StrCat(name, " has ", number);
    id.missing = absl::StrCat("there is no ", kind, " ", name);
    id.fix = fix;
  }
  return id;
}

void Add(Id& id, const std::string& node, bool present, uint32_t value) {
  ++id.reported;
  if (present) {
    id.seen.push_back({node, absl::StrCat(value)});
  } else {
    id.absent.push_back(node);
  }
}

void AddNode(const v1::NodeSnapshot& node, Ids& ids) {
  for (const v1::Account& account : node.facts().accounts().accounts()) {
    const std::string& name = account.name();
    Add(IdOf(ids, "user", name, "uid", kUserFix), node.name(), account.has_uid(), account.uid());
    if (!account.has_uid()) continue;
    Add(IdOf(ids, "user", name, "gid", kGroupFix), node.name(), account.has_gid(), account.gid());
  }
  for (const v1::Group& group : node.facts().accounts().groups()) {
    Add(IdOf(ids, "group", group.name(), "gid", kGroupFix), node.name(), group.has_gid(),
        group.gid());
  }
}

// What the specification wants counts, whether an agent looked for the account or not.
void AddWanted(const v1::ClusterSpec& spec, Ids& ids) {
  for (const auto& [name, account] : spec.accounts()) {
    if (account.has_uid()) {
      IdOf(ids, "user", name, "uid", kUserFix).wanted = absl::StrCat(account.uid());
    }
    if (account.has_gid()) {
      IdOf(ids, "user", name, "gid", kGroupFix).wanted = absl::StrCat(account.gid());
    }
  }
}

void Judge(const Id& id, size_t nodes, Verdict& verdict) {
  for (const std::string& node : id.absent) {
    verdict.Fail(node, id.missing,
                 "on NODE: getent passwd; getent group (make it with the ids "
                 "that the other nodes have)");
  }
  if (id.reported < nodes && id.absent.empty()) {
    verdict.Unknown("",
                    absl::StrCat(id.what, " ",
                                 id.seen.empty() ? id.wanted.value_or("?") : id.seen.front().value,
                                 ", but ", nodes - id.reported, " nodes did not look for it"));
  }
  Compare(verdict, id.what, id.seen, id.wanted, id.fix);
}

}  // namespace

v1::Finding AccountsMatch(const v1::Snapshot& cluster) {
  Verdict verdict;
  Ids ids;
  size_t nodes = 0;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "accounts.accounts") ||
        verdict.Unobserved(node, "accounts.groups")) {
      continue;
    }
    if (node.facts().accounts().accounts().empty()) {
      verdict.Unknown(node.name(), "no account was reported");
      continue;
    }
    ++nodes;
    AddNode(node, ids);
  }
  AddWanted(cluster.spec(), ids);
  for (const auto& [key, id] : ids) Judge(id, nodes, verdict);
  return verdict.Finish("every account that runs content has one uid and one gid");
}

}  // namespace connect_ha
