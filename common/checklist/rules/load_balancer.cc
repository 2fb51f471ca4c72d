// Whether the load balancer keeps sessions together and reaches the nodes that serve, and no other:
// by what answered through it (BalancerLook), not by how it is configured.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/fix.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"

namespace connect_ha {
namespace {

using Request = v1::BalancerLook::Request;

// After a node entered or left service: a balancer's health checks notice that, and what is under
// way ends. The defaults of an ALB take half a minute to take a node out, and two and a half to let
// one in (five checks that pass, 30 s apart).
constexpr std::chrono::minutes kSettles{3};
// What a balancer does now: this long ago at the most.
constexpr std::chrono::minutes kLately{3};
// So many requests for each node that serves: where each has the same share, one that is reached
// is missed by all of them once in three million times.
constexpr int kRequestsForEach = 15;
// What is counted, and of the time before as many requests as it takes.
constexpr std::chrono::minutes kCounted{10};
// What a balancer answers by itself where it has no target, or none that answers; as
// coordinator/cluster/balancer/balancer_ask.cc words it.
constexpr const char* kNoTarget[] = {"it answers 502", "it answers 503", "it answers 504"};
// One may have been on its node while that left service.
constexpr int kBrokenForCertain = 2;

Fixes StickyFix() {
  return {ByHand("",
                 "turn on cookies that keep a session on its node: of an ALB's target group "
                 "stickiness.enabled with lb_cookie, in HAProxy cookie SERVERID insert")};
}

Fixes TargetsFix(const std::string& node) {
  return {ByHand(node,
                 "look at the balancer's targets: every node, its health check on port 3938, path "
                 "/healthz, expecting 200")};
}

std::string FirstLabel(const std::string& host) { return host.substr(0, host.find('.')); }

// Null: it is none of the cluster's.
const v1::NodeSnapshot* NodeThatSays(const v1::Snapshot& cluster, const std::string& said) {
  const v1::NodeSnapshot* by_host = nullptr;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const std::string& host = node.facts().host().hostname();
    if (node.name() == said) return &node;
    if (!host.empty() && (host == said || FirstLabel(host) == FirstLabel(said))) by_host = &node;
  }
  return by_host;
}

bool WasIdentified(const Request& request) {
  return request.error().empty() && !request.node().empty();
}

// False, and said in the verdict, when there is nothing to judge by.
bool WasAsked(const v1::Snapshot& cluster, Verdict& verdict) {
  const std::string& url = cluster.spec().load_balancer().url();
  const v1::BalancerLook& look = cluster.balancer();
  if (url.empty()) {
    verdict.NotApplicable("", "cluster.yaml names no load_balancer");
    return false;
  }
  if (look.url() != url || look.requests().empty()) {
    verdict.Unknown("", absl::StrCat(url, " was not asked yet"));
    return false;
  }
  if (std::any_of(look.requests().begin(), look.requests().end(), WasIdentified)) return true;
  const std::string& error = look.requests(look.requests_size() - 1).error();
  if (!error.empty()) {
    verdict.Unknown("", absl::StrCat("nothing answers at ", url, ": ", error));
    return false;
  }
  verdict.Unknown(
      "",
      absl::StrCat("what answers at ", url,
                   " does not say which node it is, by X-Connect-HA-Node or by its host's name"),
      {ByHand("", "have the balancer add the header X-Connect-HA-Node with the target's name")});
  return false;
}

bool TakesUsers(v1::NodeState state) {
  return state == v1::SERVING || state == v1::OBSERVED || state == v1::NODE_STATE_UNSPECIFIED;
}

bool IsInService(const v1::NodeSnapshot& node) {
  return Serves(node.facts()) && TakesUsers(node.assigned_state());
}

// As far as is known: one of which that is not known is another node to go to.
bool MayBeInService(const v1::NodeSnapshot& node) {
  return MayServe(node.facts()) && TakesUsers(node.assigned_state());
}

// Of a request of no session, or the first of one; since then.
std::vector<const Request*> WithoutCookies(const v1::BalancerLook& look, Time since) {
  std::set<uint64_t> begun;
  std::vector<const Request*> requests;
  for (const Request& request : look.requests()) {
    const bool kept = request.session() != 0 && !begun.insert(request.session()).second;
    const bool counts = !kept && WasIdentified(request) && FromProto(request.at()) >= since;
    if (counts) requests.push_back(&request);
  }
  return requests;
}

// Since when it is as it is, as far as is known.
Time Since(const v1::NodeSnapshot& node) {
  Time since = FromProto(node.assigned_since());
  const v1::Unit& unit = node.facts().connect().unit();
  if (unit.has_started_at()) since = std::max(since, FromProto(unit.started_at()));
  return since;
}

// In their order; of one session.
using Requests = std::vector<const Request*>;

// What answered may have left service then: a balancer has to take its sessions to another node.
bool MayHaveLeft(const v1::Snapshot& cluster, const Request& request) {
  const v1::NodeSnapshot* node = NodeThatSays(cluster, request.node());
  if (node == nullptr) return cluster.nodes_left_out() > 0;
  return !MayBeInService(*node) || Since(*node) + kSettles >= FromProto(request.at());
}

enum class Kept { kWhole, kBroken, kNothing };  // kNothing: its node may have left

Kept HowKept(const v1::Snapshot& cluster, const Requests& requests) {
  Kept kept = Kept::kWhole;
  for (size_t i = 1; i < requests.size(); ++i) {
    const Request& left = *requests[i - 1];
    if (requests[i]->node() == left.node()) continue;
    const bool is_there =
        std::any_of(requests.begin() + static_cast<std::ptrdiff_t>(i), requests.end(),
                    [&left](const Request* later) { return later->node() == left.node(); });
    if (is_there || !MayHaveLeft(cluster, left)) return Kept::kBroken;
    kept = Kept::kNothing;
  }
  return kept;
}

struct Sessions {
  int tried = 0;   // of two requests and more
  int broken = 0;  // of these, by the balancer
  std::string example;
};

Sessions LookAtSessions(const v1::Snapshot& cluster, Time since) {
  std::map<uint64_t, Requests> by_number;
  for (const Request& request : cluster.balancer().requests()) {
    if (request.session() == 0 || !WasIdentified(request)) continue;
    if (FromProto(request.at()) >= since) by_number[request.session()].push_back(&request);
  }
  Sessions sessions;
  for (const auto& [number, requests] : by_number) {
    const Kept kept = HowKept(cluster, requests);
    if (requests.size() < 2 || kept == Kept::kNothing) continue;
    ++sessions.tried;
    if (kept == Kept::kWhole) continue;
    ++sessions.broken;
    std::set<std::string> nodes;
    for (const Request* request : requests) nodes.insert(request->node());
    sessions.example = JoinNames({nodes.begin(), nodes.end()});
  }
  return sessions;
}

// A request without cookies, and where it went.
struct Visit {
  Time at;
  std::string said;
  const v1::NodeSnapshot* node;  // null: to none of the cluster's
};

// Oldest first.
std::vector<Visit> VisitsOf(const v1::Snapshot& cluster) {
  std::vector<Visit> visits;
  for (const Request* request : WithoutCookies(cluster.balancer(), Time{})) {
    const std::string& said = request->node();
    visits.push_back({FromProto(request->at()), said, NodeThatSays(cluster, said)});
  }
  return visits;
}

// How many of them went to the node, and to any, since then.
struct Share {
  int of_node = 0;
  int of_all = 0;
};

Share ShareOf(const v1::NodeSnapshot& node, const std::vector<Visit>& visits, Time since) {
  Share share;
  for (const Visit& visit : visits) {
    if (visit.at < since) continue;
    ++share.of_all;
    if (visit.node == &node) ++share.of_node;
  }
  return share;
}

Time CountedSince(const v1::Snapshot& cluster) { return FromProto(cluster.taken_at()) - kCounted; }

// From when on a node would be among what was answered: the more nodes serve, the longer that is.
Time EnoughSince(const v1::Snapshot& cluster, const std::vector<Visit>& visits, int enough) {
  const auto newest = static_cast<size_t>(enough);
  if (visits.size() < newest) return Time{};
  return std::min(visits[visits.size() - newest].at, CountedSince(cluster));
}

void JudgeServing(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                  const std::vector<Visit>& visits, int serving, Verdict& verdict) {
  const int enough = kRequestsForEach * serving;
  const Time since = std::max(Since(node) + kSettles, EnoughSince(cluster, visits, enough));
  const Share share = ShareOf(node, visits, since);
  if (share.of_node > 0) {
    verdict.Pass(node.name(), "answers through the balancer");
  } else if (share.of_all >= enough) {
    verdict.Fail(
        node.name(),
        absl::StrCat("serves, and the balancer sent it none of ", share.of_all, " requests"),
        TargetsFix(node.name()));
  } else {
    verdict.Unknown(node.name(), "too few requests since it serves to say whether it is reached");
  }
}

void JudgeOut(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
              const std::vector<Visit>& visits, Verdict& verdict) {
  const Time lately = FromProto(cluster.taken_at()) - kLately;
  const Time since = std::max(FromProto(node.assigned_since()) + kSettles, lately);
  const bool told_out = node.has_assigned_since() && !TakesUsers(node.assigned_state());
  const int sent = told_out ? ShareOf(node, visits, since).of_node : 0;
  if (sent == 0) return verdict.NotApplicable(node.name(), "does not serve");
  verdict.Fail(node.name(),
               absl::StrCat("is out of service, and the balancer sent it ", sent,
                            sent == 1 ? " new session" : " new sessions"),
               TargetsFix(node.name()));
}

// Where a node may be missing from the snapshot, nobody is called a stranger.
void JudgeStrangers(const v1::Snapshot& cluster, const std::vector<Visit>& visits,
                    Verdict& verdict) {
  if (cluster.nodes_left_out() > 0) return;
  std::set<std::string> strangers;
  for (const Visit& visit : visits) {
    const bool is_of_late = visit.at >= FromProto(cluster.taken_at()) - kLately;
    if (visit.node == nullptr && is_of_late) strangers.insert(visit.said);
  }
  if (strangers.empty()) return;
  verdict.Fail(
      "",
      absl::StrCat(JoinNames({strangers.begin(), strangers.end()}),
                   strangers.size() == 1 ? " answers" : " answer", " at ",
                   cluster.spec().load_balancer().url(), " and is no node of this cluster"),
      TargetsFix(""));
}

bool HasNoTarget(const Request& request) {
  return std::find(std::begin(kNoTarget), std::end(kNoTarget), request.error()) !=
         std::end(kNoTarget);
}

// Of the newest requests, since then, those to which a balancer without a target answered; none
// where anything else did since.
int ReachedNobody(const v1::BalancerLook& look, Time since) {
  int count = 0;
  for (int i = look.requests_size() - 1; i >= 0; --i) {
    const Request& request = look.requests(i);
    if (request.error().empty() || FromProto(request.at()) < since) break;
    if (HasNoTarget(request)) ++count;
  }
  return count;
}

// True: nodes serve, and the balancer sends nobody to any.
bool SaidNobodyIsReached(const v1::Snapshot& cluster, Verdict& verdict) {
  const v1::BalancerLook& look = cluster.balancer();
  const std::string& url = cluster.spec().load_balancer().url();
  if (url.empty() || look.url() != url) return false;
  Time since = Time::max();
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (IsInService(node)) since = std::min(since, Since(node) + kSettles);
  }
  const int count = ReachedNobody(look, since);
  if (count < kRequestsForEach) return false;
  verdict.Fail("",
               absl::StrCat("none of ", count, " requests reached a node that serves: ", url, ": ",
                            look.requests(look.requests_size() - 1).error()),
               TargetsFix(""));
  return true;
}

}  // namespace

v1::Finding LoadBalancerIsSticky(const v1::Snapshot& cluster) {
  Verdict verdict;
  const v1::LoadBalancerSpec& balancer = cluster.spec().load_balancer();
  if (balancer.has_sticky() && !balancer.sticky()) {
    verdict.NotApplicable("",
                          "sessions need not keep to their node: load_balancer.sticky is false");
    return verdict.Finish();
  }
  if (!WasAsked(cluster, verdict)) return verdict.Finish();
  const auto may_serve =
      std::count_if(cluster.nodes().begin(), cluster.nodes().end(), MayBeInService) +
      cluster.nodes_left_out();
  const Time since = CountedSince(cluster);
  const Sessions sessions = LookAtSessions(cluster, since);
  std::set<std::string> fresh;
  for (const Request* request : WithoutCookies(cluster.balancer(), since)) {
    fresh.insert(request->node());
  }
  const std::vector<std::string> answering(fresh.begin(), fresh.end());
  const std::string broken = absl::StrCat(
      sessions.broken, " of ", sessions.tried, sessions.tried == 1 ? " session" : " sessions",
      " went from one node to another, cookies and all (", sessions.example, ")");
  if (sessions.broken >= kBrokenForCertain) {
    verdict.Fail("", broken, StickyFix());
  } else if (sessions.broken > 0) {
    verdict.Unknown("", broken, StickyFix());
  } else if (sessions.tried < 2) {
    verdict.Unknown("", "too few sessions were tried to say whether they keep to their node");
  } else if (answering.size() >= 2) {
    verdict.Pass("", absl::StrCat("sessions keep to their node; without cookies ",
                                  JoinNames(answering), " answer"));
  } else if (may_serve < 2) {
    verdict.NotApplicable("", "one node serves: there is no other to go to");
  } else {
    verdict.Unknown("", absl::StrCat("every request went to ", JoinNames(answering),
                                     ": nothing shows that it is cookies that keep a session"));
  }
  return verdict.Finish();
}

v1::Finding LoadBalancerReachesNodes(const v1::Snapshot& cluster) {
  Verdict verdict;
  if (SaidNobodyIsReached(cluster, verdict)) return verdict.Finish();
  if (!WasAsked(cluster, verdict)) return verdict.Finish();
  const auto serving =
      static_cast<int>(std::count_if(cluster.nodes().begin(), cluster.nodes().end(), IsInService));
  const std::vector<Visit> visits = VisitsOf(cluster);
  // Who asks Connect alone goes on with every Connect that runs.
  const bool asks_gate =
      cluster.spec().load_balancer().health_check() != v1::LoadBalancerSpec::CONNECT;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit") || verdict.Unobserved(node, "connect.ping")) {
      continue;
    }
    if (IsInService(node)) {
      JudgeServing(cluster, node, visits, serving, verdict);
    } else if (asks_gate) {
      JudgeOut(cluster, node, visits, verdict);
    } else {
      verdict.NotApplicable(node.name(), "is not in service");
    }
  }
  JudgeStrangers(cluster, visits, verdict);
  return verdict.Finish();
}

}  // namespace connect_ha
