#include "common/checklist/view/proof_matrix.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// For so long after it came back a node may go by what was: a machine that was paused writes, holds
// its lock and looks anew within a round, and the others see it in theirs.
constexpr std::chrono::seconds kBackFor{2 * kProofTakesSeconds};
// As many keys as a node reports: of what is beyond, it says nothing.
constexpr int kMostKeys = 1024;
// Of two nodes that do not see each other, none is the odd one out.
constexpr size_t kLeastForAMajority = 3;

// Until now, and for a while.
bool IsHeardSteadily(const v1::Snapshot& cluster, const v1::NodeSnapshot& node) {
  if (!node.has_last_seen()) return false;
  const Time now = FromProto(cluster.taken_at());
  const auto ago = now - FromProto(node.last_seen());
  // What is yet to come was heard before the coordinator's clock was set back.
  if (ago > kAwayFor || ago < -kAwayFor) return false;
  return !node.has_back_at() || now - FromProto(node.back_at()) > kBackFor;
}

// The way from Server.DataDir to a directory that is below it on one mount; nullopt where it is
// not.
std::optional<std::string> BelowDataDir(const v1::Facts& facts, const std::string& key) {
  const v1::DataDirectory* data = FindDirectory(facts, "Server.DataDir");
  const v1::DataDirectory* directory = FindDirectory(facts, key);
  if (data == nullptr || directory == nullptr || data->mount_point() != directory->mount_point() ||
      !IsBelow(directory->resolved(), data->resolved())) {
    return std::nullopt;
  }
  return directory->resolved().substr(
      std::min(data->resolved().size(), directory->resolved().size()));
}

// A node's beacons for a directory.
struct Own {
  const v1::BeaconDirectory* beacons = nullptr;
  // What they count for: two nodes' are for one directory where both are equal.
  std::string key;
  std::string below;
  std::map<std::string, const v1::SeenBeacon*> seen;
  bool settled = false;
};

const v1::BeaconDirectory* FindBeacons(const v1::Facts& facts, const std::string& key) {
  for (const v1::BeaconDirectory& directory : facts.beacons().directories()) {
    if (directory.key() == key) return &directory;
  }
  return nullptr;
}

Own OwnOf(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const std::string& key) {
  const v1::Facts& facts = node.facts();
  Own own;
  own.key = key;
  own.beacons = FindBeacons(facts, key);
  if (own.beacons == nullptr) {
    const auto below = BelowDataDir(facts, key);
    if (!below) return own;
    own.key = "Server.DataDir";
    own.below = *below;
    own.beacons = FindBeacons(facts, own.key);
  }
  if (own.beacons == nullptr) return own;
  for (const v1::SeenBeacon& seen : own.beacons->seen()) own.seen[seen.node()] = &seen;
  own.settled = own.beacons->rounds() >= kSettledRounds && IsHeardSteadily(cluster, node);
  return own;
}

std::string WhyNothingWritten(const v1::NodeSnapshot& node, const std::string& otherwise) {
  return node.allow() == v1::ALLOW_OBSERVE ? kMayNotProve : otherwise;
}

std::string WhyNoBeacon(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const Own& own) {
  if (const auto why = WhyUnobserved(node.facts(), "beacons")) return *why;
  if (own.beacons == nullptr) return WhyNothingWritten(node, "has put no beacon there yet");
  if (own.beacons->has_error()) {
    return absl::StrCat("cannot put its beacon there: ", own.beacons->error());
  }
  const bool asked_since = own.beacons->challenge() == cluster.proof_challenge();
  return own.beacons->nonce().empty() || !asked_since
             ? "has not written its beacon since the coordinator asked for it"
             : "";
}

Glance At(const Own& viewer, const v1::NodeSnapshot& node, const Own& other) {
  Glance glance;
  if (viewer.key != other.key || viewer.below != other.below) {
    glance.why = "the directory is another one there";
    return glance;
  }
  const auto found = viewer.seen.find(node.name());
  const v1::SeenBeacon* seen = found == viewer.seen.end() ? nullptr : found->second;
  const bool is_own = seen != nullptr && !seen->has_error() &&
                      seen->machine_id() == node.facts().host().machine_id();
  if (is_own && seen->renewed() && seen->nonce() == other.beacons->nonce() &&
      seen->challenge() == other.beacons->challenge()) {
    glance.sight = Sight::kSeen;
    if (seen->has_age_ms()) glance.age_ms = seen->age_ms();
    return glance;
  }
  if (seen != nullptr && seen->has_error()) {
    glance.why = absl::StrCat("the beacon under its name ", seen->error());
    return glance;
  }
  // Renewed under another nonce than it says: it has begun anew, and one of the two reports is
  // older.
  const bool begun_anew = is_own && seen->renewed();
  const bool is_too_new = seen != nullptr && seen->too_new();
  if (!viewer.settled || !other.settled || begun_anew || is_too_new) return glance;
  if (seen == nullptr && viewer.beacons->left_out() > 0) {
    glance.why = "there are more beacons than are looked at";
    return glance;
  }
  glance.sight = Sight::kNotSeen;
  glance.instead = seen == nullptr ? Instead::kNothing
                   : is_own        ? Instead::kOld
                                   : Instead::kOtherMachine;
  return glance;
}

std::string WhyNoLock(const v1::NodeSnapshot& node) {
  if (const auto why = WhyUnobserved(node.facts(), "presence")) return *why;
  if (!node.facts().has_presence()) {
    return WhyNothingWritten(node, "holds no lock in the database yet");
  }
  const v1::PresenceFacts& presence = node.facts().presence();
  if (presence.shared_session()) {
    constexpr char kPooler[] = "a pooler stands between, which may share sessions";
    return presence.has_error() ? absl::StrCat(kPooler, ": ", presence.error()) : kPooler;
  }
  if (presence.has_error()) return absl::StrCat("holds no lock: ", presence.error());
  return presence.rounds() == 0 ? "holds no lock in the database yet" : "";
}

using AgeByKey = std::map<uint32_t, std::optional<int64_t>>;

// An older agent does not say how long ago it saw them.
AgeByKey SeenKeys(const v1::PresenceFacts& presence) {
  const bool has_ages = presence.seen_ages_ms_size() == presence.seen_keys_size();
  AgeByKey keys;
  for (int i = 0; i < presence.seen_keys_size(); ++i) {
    std::optional<int64_t> age_ms;
    if (has_ages) age_ms = presence.seen_ages_ms(i);
    keys[presence.seen_keys(i)] = age_ms;
  }
  return keys;
}

ProofMatrix Of(const std::vector<const v1::NodeSnapshot*>& nodes) {
  ProofMatrix matrix;
  matrix.nodes = nodes;
  matrix.why_not.resize(nodes.size());
  if (nodes.size() > kMostProvedNodes) {
    matrix.too_many = absl::StrCat("more than ", kMostProvedNodes, " nodes cannot prove it");
  }
  return matrix;
}

// Fills in the glances between nodes that have a part in it.
template <typename Look>
void Fill(ProofMatrix& matrix, Look look) {
  const size_t count = matrix.nodes.size();
  matrix.glances.assign(count, std::vector<Glance>(count));
  for (size_t viewer = 0; viewer < count; ++viewer) {
    for (size_t other = 0; other < count; ++other) {
      if (viewer == other) continue;
      if (!matrix.why_not[viewer].empty() || !matrix.why_not[other].empty()) continue;
      matrix.glances[viewer][other] = look(viewer, other);
    }
  }
}

bool SeeEachOther(const ProofMatrix& matrix, size_t a, size_t b) {
  return matrix.glances[a][b].sight == Sight::kSeen && matrix.glances[b][a].sight == Sight::kSeen;
}

bool AreApart(const ProofMatrix& matrix, size_t a, size_t b) {
  return matrix.glances[a][b].sight == Sight::kNotSeen ||
         matrix.glances[b][a].sight == Sight::kNotSeen;
}

std::vector<std::pair<size_t, size_t>> PairsApart(const ProofMatrix& matrix) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t a = 0; a < matrix.glances.size(); ++a) {
    for (size_t b = a + 1; b < matrix.glances.size(); ++b) {
      if (AreApart(matrix, a, b)) pairs.emplace_back(a, b);
    }
  }
  return pairs;
}

using Groups = std::vector<std::vector<size_t>>;

// Those that see each other, or are seen by way of another one, are in one group.
Groups GroupsOf(const ProofMatrix& matrix) {
  const size_t count = matrix.nodes.size();
  std::vector<bool> done(count, false);
  Groups groups;
  for (size_t first = 0; first < count; ++first) {
    if (done[first]) continue;
    done[first] = true;
    std::vector<size_t> group = {first};
    for (size_t next = 0; next < group.size(); ++next) {
      for (size_t other = 0; other < count; ++other) {
        if (done[other] || !SeeEachOther(matrix, group[next], other)) continue;
        done[other] = true;
        group.push_back(other);
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

// What it has is what users have; where it has just stopped, too.
bool IsInService(const v1::NodeSnapshot& node) {
  return node.assigned_state() == v1::SERVING || MayServe(node.facts());
}

// Of the groups the one that is right; empty where nobody can tell. A newcomer is no witness
// against the nodes that serve, however many of its kind there are: they may all have one copy.
std::vector<size_t> RightGroup(const ProofMatrix& matrix) {
  std::vector<bool> has_say;
  has_say.reserve(matrix.nodes.size());
  for (const v1::NodeSnapshot* node : matrix.nodes) has_say.push_back(IsInService(*node));
  auto voices = static_cast<size_t>(std::count(has_say.begin(), has_say.end(), true));
  const bool some_serve = voices > 0;
  if (!some_serve) {
    voices = has_say.size();
    has_say.assign(voices, true);
  }
  for (const std::vector<size_t>& group : GroupsOf(matrix)) {
    const auto own = static_cast<size_t>(std::count_if(
        group.begin(), group.end(), [&has_say](size_t node) { return has_say[node]; }));
    const bool is_most = voices >= kLeastForAMajority && own * 2 > voices;
    if (is_most || (some_serve && own == voices)) return group;
  }
  return {};
}

}  // namespace

bool ProofMatrix::AllSeen() const {
  if (!too_many.empty()) return false;
  for (size_t viewer = 0; viewer < nodes.size(); ++viewer) {
    if (!why_not[viewer].empty()) return false;
    for (size_t other = 0; other < nodes.size(); ++other) {
      if (viewer != other && glances[viewer][other].sight != Sight::kSeen) return false;
    }
  }
  return true;
}

ProofMatrix SeeBeacons(const v1::Snapshot& cluster,
                       const std::vector<const v1::NodeSnapshot*>& nodes, const std::string& key) {
  ProofMatrix matrix = Of(nodes);
  if (!matrix.too_many.empty()) return matrix;
  std::vector<Own> owns;
  for (size_t i = 0; i < nodes.size(); ++i) {
    owns.push_back(OwnOf(cluster, *nodes[i], key));
    matrix.why_not[i] = WhyNoBeacon(cluster, *nodes[i], owns.back());
  }
  Fill(matrix,
       [&](size_t viewer, size_t other) { return At(owns[viewer], *nodes[other], owns[other]); });
  return matrix;
}

ProofMatrix SeePresence(const v1::Snapshot& cluster,
                        const std::vector<const v1::NodeSnapshot*>& nodes) {
  ProofMatrix matrix = Of(nodes);
  if (!matrix.too_many.empty()) return matrix;
  std::vector<AgeByKey> keys;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const v1::PresenceFacts& presence = nodes[i]->facts().presence();
    matrix.why_not[i] = WhyNoLock(*nodes[i]);
    keys.push_back(SeenKeys(presence));
  }
  const auto is_settled = [&cluster](const v1::NodeSnapshot& node) {
    return node.facts().presence().rounds() >= kSettledRounds && IsHeardSteadily(cluster, node);
  };
  Fill(matrix, [&](size_t viewer, size_t other) {
    Glance glance;
    const auto seen = keys[viewer].find(nodes[other]->facts().presence().own_key());
    if (seen != keys[viewer].end()) {
      glance.sight = Sight::kSeen;
      glance.age_ms = seen->second;
    } else if (nodes[viewer]->facts().presence().seen_keys_size() < kMostKeys &&
               is_settled(*nodes[viewer]) && is_settled(*nodes[other])) {
      glance.sight = Sight::kNotSeen;
    }
    return glance;
  });
  return matrix;
}

std::optional<Apart> FindApart(const ProofMatrix& matrix) {
  const std::vector<std::pair<size_t, size_t>> pairs = PairsApart(matrix);
  if (pairs.empty()) return std::nullopt;
  const std::vector<size_t> group = RightGroup(matrix);
  const std::set<size_t> right(group.begin(), group.end());
  std::set<size_t> named;  // apart from one that is right
  std::set<size_t> all;
  for (const auto& [a, b] : pairs) {
    all.insert({a, b});
    if (right.count(a) == right.count(b)) continue;
    named.insert(right.count(a) == 0 ? a : b);
  }
  Apart apart;
  if (named.empty()) {
    apart.named.assign(all.begin(), all.end());
    return apart;
  }
  apart.named.assign(named.begin(), named.end());
  apart.others.assign(right.begin(), right.end());
  return apart;
}

}  // namespace connect_ha
