#include "common/checklist/rules/database/locks.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
  names.reserve(places.size());
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
                                apart.others.size() == 1 ? " does" : " do",
                                " not see it: it is in another database"),
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

// What is wanting until a node sees and is seen by every other one.
struct Wanting {
  std::vector<std::string> unseen;    // hold a lock, which this node has not seen
  std::vector<std::string> blind;     // have not seen this node's
  std::vector<std::string> lockless;  // hold none

  bool IsNothing() const { return unseen.empty() && blind.empty() && lockless.empty(); }
  std::string Text() const;
};

std::string Wanting::Text() const {
  std::vector<std::string> texts;
  if (!unseen.empty()) {
    texts.push_back(absl::StrCat("has not seen the lock of ", JoinNames(unseen), " yet"));
  }
  if (!blind.empty()) {
    texts.push_back(absl::StrCat("its lock was not seen by ", JoinNames(blind), " yet"));
  }
  if (!texts.empty()) {
    absl::StrAppend(&texts.back(), ", which may take ", kProofTakesSeconds, " s");
  }
  if (!lockless.empty()) {
    texts.push_back(absl::StrCat("waits for the lock of ", JoinNames(lockless)));
  }
  return absl::StrJoin(texts, "; ");
}

// Those that are in another database need not see it.
Wanting WantingFor(const ProofMatrix& matrix, size_t place, const std::set<size_t>& wrong) {
  Wanting wanting;
  for (size_t other = 0; other < matrix.nodes.size(); ++other) {
    if (other == place || wrong.count(other) > 0) continue;
    const std::string& name = matrix.nodes[other]->name();
    if (!matrix.why_not[other].empty()) {
      wanting.lockless.push_back(name);
      continue;
    }
    if (matrix.glances[place][other].sight != Sight::kSeen) wanting.unseen.push_back(name);
    if (matrix.glances[other][place].sight != Sight::kSeen) wanting.blind.push_back(name);
  }
  return wanting;
}

v1::Fix ShowLocks() {
  return Type("", {"connect-ha proof database"}, "it shows who sees whose lock");
}

Fixes NoLockFix(const v1::NodeSnapshot& node, const DatabaseNoun& noun) {
  const v1::Facts& facts = node.facts();
  const v1::PresenceFacts& presence = facts.presence();
  if (!facts.has_presence() && node.allow() == v1::ALLOW_OBSERVE) return {AllowProof(node.name())};
  if (presence.shared_session()) {
    return Reconfigure(node, absl::StrCat("name the database itself, not a pooler that stands "
                                          "before it, in ",
                                          UrlSetting(node, noun)));
  }
  if (presence.error() == kLockIsHeld) {
    return {Type(node.name(),
                 {Psql(*noun.get(facts),
                       absl::StrCat("select pid, client_addr, backend_start from pg_stat_activity "
                                    "join pg_locks using (pid) where locktype = 'advisory' and "
                                    "objid = '",
                                    presence.own_key(), "'"))},
                 "a session that this node has lost lets go of it within two minutes; one that "
                 "stays is of another machine under this name")};
  }
  if (presence.has_error()) {
    return {
        ByHand(node.name(),
               "the agent tries again every 30 s; where it goes on, see to what the server says"),
        ShowLocks()};
  }
  return {ShowLocks()};
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
  std::set<size_t> wrong;  // of these: those that are known to be
  if (apart) {
    named.insert(apart->named.begin(), apart->named.end());
    if (!apart->others.empty()) wrong = named;
    SayApart(matrix, *apart, noun, verdict);
  }
  for (size_t place = 0; place < nodes.size(); ++place) {
    const v1::NodeSnapshot& node = *nodes[place];
    if (named.count(place) > 0) continue;
    if (!matrix.too_many.empty()) {
      verdict.Unknown(node.name(), matrix.too_many);
    } else if (!matrix.why_not[place].empty()) {
      verdict.Unknown(node.name(), matrix.why_not[place], NoLockFix(node, noun));
    } else if (const Wanting wanting = WantingFor(matrix, place, wrong); !wanting.IsNothing()) {
      // Who holds none is told what to do.
      const bool takes_time = !wanting.unseen.empty() || !wanting.blind.empty();
      verdict.Unknown(node.name(), wanting.Text(), takes_time ? Fixes{ShowLocks()} : Fixes{});
    } else {
      const bool is_alone = wrong.size() + 1 == nodes.size();
      verdict.Pass(node.name(),
                   absl::StrCat(UsedDatabase(node.facts().database()),
                                is_alone ? ", which is what the node that serves has"
                                         : ", where it sees the locks of the other nodes"));
    }
  }
}

}  // namespace connect_ha
