#include "common/checklist/rules/database/locks.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/proving.h"
#include "common/checklist/rules/database/whereabouts.h"
#include "common/checklist/view/proof_matrix.h"

namespace connect_ha {
namespace {

// One node of two groups that do not see each other's locks.
Fixes ApartFix(const DatabaseNoun& noun, const v1::NodeSnapshot& node,
               const v1::NodeSnapshot& right) {
  const v1::DatabaseFacts& own = *noun.get(node.facts());
  const v1::DatabaseFacts& other = *noun.get(right.facts());
  if (own.port() != other.port() || own.database() != other.database() ||
      Whereabouts(own) != Whereabouts(other)) {
    return SameFix(noun, node, right);
  }
  return {Type(node.name(), {Psql(own, "select inet_server_addr(), pg_postmaster_start_time()")},
               absl::StrCat("two servers stand behind one name: compare with what ", right.name(),
                            " is answered"))};
}

std::vector<std::string> NamesOf(const ProofMatrix& matrix, const std::vector<size_t>& places) {
  std::vector<std::string> names;
  for (const size_t place : places) names.push_back(matrix.nodes[place]->name());
  return names;
}

void SayApart(const ProofMatrix& matrix, const Apart& apart, const DatabaseNoun& noun,
              Verdict& verdict) {
  std::vector<const v1::NodeSnapshot*> nodes;
  for (const size_t place : apart.named) nodes.push_back(matrix.nodes[place]);
  for (const size_t place : apart.named) {
    const v1::NodeSnapshot& node = *matrix.nodes[place];
    const std::string used = UsedDatabase(*noun.get(node.facts()));
    if (!apart.others.empty()) {
      verdict.Fail(node.name(),
                   absl::StrCat("holds its lock in ", used, ", where ",
                                JoinNames(NamesOf(matrix, apart.others)),
                                " do not see it: it is in another database"),
                   ApartFix(noun, node, *matrix.nodes[apart.others.front()]), {v1::PROOF});
      continue;
    }
    verdict.Fail(node.name(),
                 absl::StrCat("holds its lock in ", used,
                              ", and does not see that of every other node, or is not seen"),
                 {ByHand("", WhatDecides(nodes, noun))},
                 {v1::PROOF, /*undecided=*/true,
                  absl::StrCat(JoinNames(NamesOf(matrix, apart.named)),
                               " do not see each other's locks: they use several databases, and "
                               "which is the cluster's cannot be seen from here")});
  }
}

// Those whose locks are there, and which this node has not seen.
std::vector<std::string> NotYetSeen(const ProofMatrix& matrix, size_t viewer,
                                    const std::set<size_t>& named) {
  std::vector<std::string> names;
  for (size_t other = 0; other < matrix.nodes.size(); ++other) {
    if (other == viewer || named.count(other) > 0 || !matrix.why_not[other].empty()) continue;
    if (matrix.glances[viewer][other].sight != Sight::kSeen) {
      names.push_back(matrix.nodes[other]->name());
    }
  }
  return names;
}

Fixes NoLockFix(const v1::NodeSnapshot& node, const DatabaseNoun& noun) {
  const v1::Facts& facts = node.facts();
  if (!facts.has_presence() && node.allow() == v1::ALLOW_OBSERVE) return {AllowProof(node.name())};
  if (!facts.presence().shared_session()) return {};
  return Reconfigure(node, absl::StrCat("name the database itself, not a pooler that shares its "
                                        "sessions, in ",
                                        UrlSetting(node, noun)));
}

}  // namespace

void JudgeLocks(const v1::Snapshot& cluster, const DatabaseNoun& noun, Verdict& verdict) {
  std::vector<const v1::NodeSnapshot*> nodes;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (node.facts().has_database()) nodes.push_back(&node);
  }
  const ProofMatrix matrix = SeePresence(cluster, nodes);
  const std::optional<Apart> apart = FindApart(matrix);
  std::set<size_t> named;
  if (apart) {
    named.insert(apart->named.begin(), apart->named.end());
    SayApart(matrix, *apart, noun, verdict);
  }
  for (size_t place = 0; place < nodes.size(); ++place) {
    const v1::NodeSnapshot& node = *nodes[place];
    if (named.count(place) > 0) continue;
    if (!matrix.too_many.empty()) {
      verdict.Unknown(node.name(), matrix.too_many);
    } else if (!matrix.why_not[place].empty()) {
      verdict.Unknown(node.name(), matrix.why_not[place], NoLockFix(node, noun));
    } else if (const auto missing = NotYetSeen(matrix, place, named); !missing.empty()) {
      verdict.Unknown(node.name(),
                      absl::StrCat("has not seen the lock of ", JoinNames(missing),
                                   " yet, which may take ", kProofTakesSeconds, " s"),
                      {Type("", {"connect-ha proof database"}, "it shows who sees whose lock")});
    } else {
      verdict.Pass(node.name(), absl::StrCat(UsedDatabase(node.facts().database()),
                                             ", where it sees the locks of the other nodes"));
    }
  }
}

}  // namespace connect_ha
