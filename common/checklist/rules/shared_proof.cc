#include "common/checklist/rules/shared_proof.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/proving.h"

namespace connect_ha {
namespace {

constexpr char kProofCommand[] = "connect-ha proof storage";

std::string NameOf(const Located& one) { return one.node->name(); }

std::string InsteadText(Instead instead, const std::vector<std::string>& nodes) {
  const std::string names = JoinNames(nodes);
  switch (instead) {
    case Instead::kOld:
      return absl::StrCat("sees only an old beacon of ", names,
                          ", which is renewed elsewhere: this is a copy of the file system");
    case Instead::kOtherMachine:
      return absl::StrCat("sees another machine's beacon under the name of ", names,
                          ": this is another file system");
    default:
      return absl::StrCat("sees no beacon of ", names,
                          ": this is another file system, or something is mounted over it");
  }
}

}  // namespace

SharedProof::SharedProof(const v1::Snapshot& cluster, const std::string& key,
                         const std::vector<Located>& located)
    : cluster_(cluster), key_(key), asked_(cluster.spec().prove().storage()) {
  std::vector<const v1::NodeSnapshot*> nodes;
  for (const Located& one : located) {
    if (one.directory == nullptr) {
      whole_ = false;
      continue;
    }
    places_[&one] = located_.size();
    located_.push_back(&one);
    nodes.push_back(one.node);
  }
  if (asked_) matrix_ = SeeBeacons(cluster, nodes, key);
}

std::optional<size_t> SharedProof::PlaceInMatrix(const Located& one) const {
  const auto found = places_.find(&one);
  if (!asked_ || found == places_.end()) return std::nullopt;
  return found->second;
}

bool SharedProof::Judge(Verdict& verdict) const {
  if (!asked_ || !whole_) return false;
  if (const auto apart = FindApart(matrix_)) {
    SayApart(*apart, verdict);
    return true;
  }
  if (!matrix_.AllSeen()) return false;
  const bool alone = located_.size() == 1;
  // Others are there, and nothing can be said of them here.
  if (alone && cluster_.nodes_size() > 1) return false;
  for (const Located* one : located_) {
    if (alone) {
      verdict.NotApplicable(NameOf(*one),
                            absl::StrCat(one->place.Text(), "; no other node can be looked at"));
    } else {
      verdict.Pass(NameOf(*one),
                   absl::StrCat(one->place.Text(), "; the nodes see what each of them writes"));
    }
  }
  return true;
}

void SharedProof::SayApart(const Apart& apart, Verdict& verdict) const {
  std::vector<std::string> named;
  for (const size_t node : apart.named) named.push_back(NameOf(*located_[node]));
  const std::string together =
      apart.others.empty()
          ? absl::StrCat(JoinNames(named), " do not all see what the others write in ", key_,
                         ", and which of them is right cannot be seen from here")
          : "";
  for (const size_t node : apart.named) SayNamed(node, apart, together, verdict);
  const bool by_serving = !apart.others.empty() && apart.others.size() * 2 <= located_.size();
  for (size_t node = 0; node < located_.size(); ++node) {
    if (std::count(apart.named.begin(), apart.named.end(), node) > 0) continue;
    if (SeesTheOthers(node, apart)) {
      verdict.Pass(NameOf(*located_[node]),
                   absl::StrCat(located_[node]->place.Text(),
                                by_serving ? "; the nodes that serve have this one"
                                           : "; most nodes see what it writes"));
    } else {
      SayNotProved(*located_[node], false, verdict);
    }
  }
}

// Those that are right, or everybody where nobody can tell who is; and is seen by them.
bool SharedProof::SeesTheOthers(size_t node, const Apart& apart) const {
  for (size_t other = 0; other < located_.size(); ++other) {
    const bool counts =
        apart.others.empty() || std::count(apart.others.begin(), apart.others.end(), other) > 0;
    if (other == node || !counts) continue;
    if (matrix_.glances[node][other].sight != Sight::kSeen ||
        matrix_.glances[other][node].sight != Sight::kSeen) {
      return false;
    }
  }
  return true;
}

void SharedProof::SayNamed(size_t node, const Apart& apart, const std::string& together,
                           Verdict& verdict) const {
  Why why;
  why.basis = v1::PROOF;
  why.undecided = apart.others.empty();
  why.together = together;
  verdict.Fail(NameOf(*located_[node]),
               absl::StrCat(located_[node]->place.Text(), " by its name, but ", WhatItSees(node)),
               FixOf(node, apart), why);
}

// And, of what it does see, who does not see it.
std::string SharedProof::WhatItSees(size_t node) const {
  std::map<Instead, std::vector<std::string>> instead;
  std::vector<std::string> blind;
  for (size_t other = 0; other < located_.size(); ++other) {
    if (other == node) continue;
    const Glance& glance = matrix_.glances[node][other];
    if (glance.sight == Sight::kNotSeen) {
      instead[glance.instead].push_back(NameOf(*located_[other]));
    } else if (matrix_.glances[other][node].sight == Sight::kNotSeen) {
      blind.push_back(NameOf(*located_[other]));
    }
  }
  std::vector<std::string> texts;
  texts.reserve(instead.size());
  for (const auto& [what, nodes] : instead) texts.push_back(InsteadText(what, nodes));
  if (!blind.empty()) texts.push_back(absl::StrCat("is not seen by ", JoinNames(blind)));
  return absl::StrJoin(texts, "; ");
}

Fixes SharedProof::FixOf(size_t node, const Apart& apart) const {
  const Located& one = *located_[node];
  const std::string look = absl::StrCat("findmnt --target=", ShellWord(one.directory->resolved()));
  if (apart.others.empty()) {
    return {ByHand("",
                   "see which of them holds the content that users have, and mount that on "
                   "every node; leave the others as they are"),
            Type(NameOf(one), {look})};
  }
  Fixes fixes;
  // Content is only in the landing directory while it is uploaded.
  if (key_ != "Server.LandingDir") fixes.push_back(StopConnect(NameOf(one)));
  const Located& right = *located_[apart.others.front()];
  fixes.push_back(
      Type(NameOf(one), {look},
           absl::StrCat("compare it with ", NameOf(right), " (", right.place.Text(),
                        "), and mount what is mounted there; what was written here meanwhile stays "
                        "where it is")));
  return fixes;
}

std::string SharedProof::WhyWaiting(size_t node) const {
  if (!matrix_.too_many.empty()) return matrix_.too_many;
  if (!matrix_.why_not[node].empty()) return matrix_.why_not[node];
  std::vector<std::string> waits;
  std::vector<std::string> whys;
  for (size_t other = 0; other < located_.size(); ++other) {
    if (other == node || !matrix_.why_not[other].empty()) continue;
    const Glance& sees = matrix_.glances[node][other];
    const Glance& seen = matrix_.glances[other][node];
    const std::string& name = NameOf(*located_[other]);
    if (!sees.why.empty()) {
      whys.push_back(absl::StrCat("of ", name, ": ", sees.why));
    } else if (sees.sight != Sight::kSeen || seen.sight != Sight::kSeen) {
      waits.push_back(name);
    }
  }
  if (!whys.empty()) return absl::StrJoin(whys, "; ");
  if (waits.empty()) return "waits for the other nodes' beacons";
  return absl::StrCat("waits to see and to be seen by ", JoinNames(waits), ", which may take ",
                      kProofTakesSeconds, " s");
}

void SharedProof::SayNotProved(const Located& one, bool is_unclear, Verdict& verdict) const {
  const std::string place = one.place.Text();
  const auto node = PlaceInMatrix(one);
  if (!node) {
    verdict.Unknown(
        NameOf(one),
        absl::StrCat(place, is_unclear ? " cannot be told from what other nodes have"
                                       : "; no proof that nodes see each other's files"),
        {AskForStorageProof()});
    return;
  }
  const bool may_not = one.node->allow() == v1::ALLOW_OBSERVE;
  verdict.Unknown(NameOf(one), absl::StrCat(place, "; ", WhyWaiting(*node)),
                  {may_not ? AllowProof(NameOf(one))
                           : Type("", {kProofCommand}, "it shows who sees whom, and since when")});
}

}  // namespace connect_ha
