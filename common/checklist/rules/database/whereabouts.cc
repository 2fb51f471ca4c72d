#include "common/checklist/rules/database/whereabouts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace connect_ha {
namespace {

constexpr size_t kPlacesShown = 3;

}  // namespace

std::string Whereabouts(const v1::DatabaseFacts& database) {
  if (database.addresses().empty()) return database.host();
  return absl::StrCat(database.host(), " (", absl::StrJoin(database.addresses(), ", "), ")");
}

std::string UsedDatabase(const v1::DatabaseFacts& database) {
  return absl::StrCat(database.database(), "/", database.current_schema(), " on ", database.host());
}

Fixes SameFix(const DatabaseNoun& noun, const v1::NodeSnapshot& node,
              const v1::NodeSnapshot& right) {
  const v1::DatabaseFacts& own = *noun.get(node.facts());
  const v1::DatabaseFacts& other = *noun.get(right.facts());
  if (own.host() == other.host() && own.addresses_size() > 0 && other.addresses_size() > 0 &&
      Whereabouts(own) != Whereabouts(other)) {
    return {Type(node.name(),
                 {absl::StrCat("getent hosts ", ShellOperand(own.host())),
                  absl::StrCat("grep -nF ", ShellOperand(own.host()), " /etc/hosts")},
                 absl::StrCat(own.host(), " must resolve as on ", right.name(), ", to ",
                              absl::StrJoin(other.addresses(), ", ")))};
  }
  return Reconfigure(node, absl::StrCat("give ", UrlSetting(node, noun), " the value that ",
                                        right.name(), " has"));
}

std::string WhatDecides(const std::vector<const v1::NodeSnapshot*>& nodes,
                        const DatabaseNoun& noun) {
  std::vector<std::string> places;
  for (const v1::NodeSnapshot* node : nodes) {
    if (places.size() == kPlacesShown) break;
    places.push_back(absl::StrCat(node->name(), " reaches ", Whereabouts(*noun.get(node->facts())),
                                  " by ", UrlSetting(*node, noun)));
  }
  return absl::StrCat("decide which database is the cluster's: ", absl::StrJoin(places, "; "));
}

}  // namespace connect_ha
