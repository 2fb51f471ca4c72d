// How the cluster is judged: status and checklist.
#include "absl/strings/str_cat.h"
#include "tests/common/checklist/fixture.h"
#include "tests/coordinator/cli/clusters.h"
#include "tests/coordinator/cli/golden_cases.h"

namespace connect_ha {
namespace {

// A cause on node-2 with what follows from it, a failure on node-1, advice on node-3.
v1::Snapshot Trouble() {
  v1::Snapshot cluster = ThreeNodes();
  OpenConfiguration(NodeOf(cluster, "node-1"));
  MountALocalDisk(NodeOf(cluster, "node-2"));
  FillDisk(NodeOf(cluster, "node-3"));
  return cluster;
}

void InTrouble(World& world) { Judged(world, Trouble()); }

// Nothing but what nobody asked the nodes to prove.
void Unproved(World& world) {
  v1::Snapshot cluster = ThreeNodes();
  cluster.mutable_spec()->clear_prove();
  Judged(world, cluster);
}

void OneSilent(World& world) {
  v1::Snapshot cluster = ThreeNodes();
  NeverReported(NodeOf(cluster, "node-3"));
  Judged(world, cluster);
}

void ThreeCauses(World& world) {
  v1::Snapshot cluster = ThreeNodes();
  BreakConfiguration(NodeOf(cluster, "node-1"));
  MountALocalDisk(NodeOf(cluster, "node-2"));
  NeverReported(NodeOf(cluster, "node-3"));
  Judged(world, cluster);
}

// Two nodes serve, and a key differs: nobody can say whose is right.
void Undecided(World& world) {
  v1::Snapshot cluster = test::BaseCluster();
  cluster.mutable_nodes(1)->mutable_facts()->mutable_host()->set_os_version("24.04");
  JudgedBy(world, cluster, "platform-matches");
}

// Connect is not started before its file system is there.
void HeldBack(World& world) {
  v1::Snapshot cluster = ThreeNodes();
  MountALocalDisk(NodeOf(cluster, "node-2"));
  StopConnect(NodeOf(cluster, "node-2"));
  Judged(world, cluster);
}

void MakeDistinct(int number, v1::NodeSnapshot& node) {
  const std::string digits = absl::StrCat(10000 + number);
  v1::HostFacts& host = *node.mutable_facts()->mutable_host();
  host.set_machine_id(std::string(27, '0') + digits);
  host.set_boot_id(absl::StrCat("5a3f4c1b-9d2e-4a6b-8c0d-0000000", digits));
  node.mutable_claimants(0)->set_machine_id(host.machine_id());
  node.mutable_claimants(0)->set_boot_id(host.boot_id());
  node.mutable_facts()->mutable_instance()->set_instance_id("i-000000000000" + digits);
}

// node-2 to node-500: a hundred are silent, two hundred have an open configuration, each of a
// hundred has its own mistake in it.
void FiveHundred(World& world) {
  constexpr int kNodes = 500;
  v1::Snapshot cluster = test::BaseCluster();
  const v1::NodeSnapshot right = cluster.nodes(1);
  cluster.mutable_nodes()->RemoveLast();
  for (int i = 2; i <= kNodes; ++i) {
    v1::NodeSnapshot& node = *cluster.add_nodes();
    node = right;
    node.set_name(absl::StrCat("node-", i));
    MakeDistinct(i, node);
    if (i % 5 == 0) {
      NeverReported(node);
    } else if (i % 5 < 3) {
      OpenConfiguration(node);
    } else if (i % 5 == 3) {
      BreakConfiguration(node);
      node.mutable_facts()->mutable_configuration()->mutable_errors(0)->set_line(
          static_cast<uint32_t>(i));
    }
  }
  Judged(world, cluster);
}

void OnlyAdviceFails(World& world) {
  v1::Snapshot cluster = ThreeNodes();
  FillDisk(NodeOf(cluster, "node-3"));
  JudgedBy(world, cluster, "disk-has-room");
}

void OneIsOpen(World& world) {
  v1::Snapshot cluster = ThreeNodes();
  OpenConfiguration(NodeOf(cluster, "node-2"));
  JudgedBy(world, cluster, "configuration-is-protected");
}

// That there is no second node is so of the cluster, not of the one.
void OneNodeOnly(World& world) { JudgedOf(world, "at-least-two-nodes", "fail-one-node"); }

// What is asked for is a consequence, and its cause is not shown.
void OneFollows(World& world) {
  v1::Snapshot cluster = ThreeNodes();
  MountALocalDisk(NodeOf(cluster, "node-2"));
  Judged(world, cluster);
}

void Narrow(World& world) {
  InTrouble(world);
  world.width = 60;
}

// As narrow as it is printed for.
void Narrowest(World& world) {
  HeldBack(world);
  world.width = 40;
}

void Refreshing(World& world) {
  auto& polls = world.coordinator.refresh;
  polls.resize(3);
  for (auto& poll : polls) {
    for (const char* name : {"node-1", "node-2"}) poll.add_pending(name);
    poll.add_unreachable("node-3");
  }
  polls[1].mutable_pending()->RemoveLast();
  polls[1].add_done("node-2");
  polls[2] = polls[1];
  polls[2].clear_pending();
  polls[2].add_done("node-1");
  world.waits = 10;
}

void NoAnswer(World& world) {
  world.coordinator.error = absl::UnavailableError(
      "no answer from the coordinator at coordinator.example.internal:8443; fix: on its host: "
      "systemctl status connect-ha-coordinator");
}

// As ExplainConnection says it to whoever asks.
void AnotherAuthority(World& world) {
  world.coordinator.error = absl::FailedPreconditionError(
      "the coordinator at coordinator.example.internal:8443 presents a CA with hash sha256:" +
      std::string(64, 'a') + ", not the pinned sha256:" + std::string(64, 'b') +
      "; fix: take the command from connect-ha token create on the right coordinator, and if that "
      "does not help: something else answers at this address");
}

void NoIdentity(World& world) {
  world.variables["CONNECT_HA_IDENTITY"] = "";
  world.variables["HOME"] = "/nonexistent";
}

}  // namespace

std::vector<GoldenCase> ChecklistCases() {
  return {
      {"status/trouble", {"status"}, InTrouble},
      {"status/good", {"status"}, AllPass},
      {"status/silent", {"status"}, OneSilent},
      {"status/two-of-one-name", {"status"}, {}},
      {"status/json",
       {"status", "--output", "json"},
       [](World& w) { JudgedOf(w, "disk-has-room", "fail"); },
       true},
      {"status/narrow", {"status"}, Narrow},
      {"checklist/trouble", {"checklist"}, InTrouble},
      {"checklist/good", {"checklist"}, AllPass},
      {"checklist/unproved", {"checklist"}, Unproved},
      {"checklist/silent", {"checklist"}, OneSilent},
      {"checklist/three-causes", {"checklist"}, ThreeCauses},
      {"checklist/undecided", {"checklist"}, Undecided},
      {"checklist/held-back", {"checklist"}, HeldBack},
      {"checklist/five-hundred", {"checklist"}, FiveHundred},
      {"checklist/advice", {"checklist"}, OnlyAdviceFails},
      {"checklist/advice-strict", {"checklist", "--strict"}, OnlyAdviceFails},
      {"checklist/no-node-joined",
       {"checklist"},
       [](World& w) {
         v1::Snapshot cluster = test::BaseCluster();
         cluster.clear_nodes();
         Judged(w, cluster);
       }},
      {"checklist/color",
       {"checklist"},
       [](World& w) {
         InTrouble(w);
         w.color = true;
       }},
      {"checklist/narrow", {"checklist"}, Narrow},
      {"checklist/narrowest", {"checklist"}, Narrowest},
      {"checklist/all", {"checklist", "--all"}, InTrouble},
      {"checklist/all-silent", {"checklist", "--all"}, OneSilent},
      {"checklist/json", {"checklist", "--output", "json"}, OneIsOpen, true},
      {"checklist/junit", {"checklist", "--output", "junit"}, InTrouble, true},
      {"checklist/refresh", {"checklist", "--refresh"}, Refreshing},
      {"checklist-part/node", {"checklist", "--node", "node-2"}, InTrouble},
      {"checklist-part/node-all", {"checklist", "--node", "node-2", "--all"}, InTrouble},
      {"checklist-part/node-silent", {"checklist", "--node", "node-3"}, OneSilent},
      {"checklist-part/node-in-order", {"checklist", "--node", "node-1"}, OneIsOpen},
      {"checklist-part/node-open", {"checklist", "--node", "node-2"}, OneIsOpen},
      {"checklist-part/node-rule",
       {"checklist", "--rule", "configuration-is-protected", "--node", "node-1"},
       OneIsOpen},
      {"checklist-part/node-junit",
       {"checklist", "--node", "node-1", "--output", "junit"},
       OneIsOpen,
       true},
      {"checklist-part/node-alone", {"checklist", "--node", "node-1"}, OneNodeOnly},
      {"checklist-part/node-nothing",
       {"checklist", "--node", "node-3"},
       [](World& w) {
         OnlyAdviceFails(w);
         w.coordinator.checklist.mutable_findings(0)->clear_evidence();
       }},
      {"checklist-part/node-no-part",
       {"checklist", "--node", "node-3", "--rule", "disk-has-room"},
       [](World& w) {
         OnlyAdviceFails(w);
         w.coordinator.checklist.mutable_findings(0)->clear_evidence();
       }},
      {"checklist-part/rule", {"checklist", "--rule", "storage-is-mounted"}, InTrouble},
      {"checklist-part/rule-undecided", {"checklist", "--rule", "platform-matches"}, Undecided},
      {"checklist-part/rule-follows", {"checklist", "--rule", "storage-options"}, OneFollows},
      {"checklist-part/rule-follows-elsewhere",
       {"checklist", "--rule", "storage-options", "--node", "node-1"},
       OneFollows},
      {"checklist-part/rule-follows-unknown",
       {"checklist", "--rule", "storage-options"},
       OneSilent},
      {"checklist-part/rule-follows-junit",
       {"checklist", "--rule", "storage-options", "--output", "junit"},
       OneFollows,
       true},
      {"checklist-wrong/no-node", {"checklist", "--node=nod-2"}, {}},
      {"checklist-wrong/no-rule", {"checklist", "--rule", "encription-key-matches"}, {}},
      {"checklist-wrong/unlike-any-rule", {"checklist", "--rule", "xyzzy"}, {}},
      {"checklist-wrong/watch-no-node", {"checklist", "--watch", "--node", "nod-2"}, {}},
      {"checklist-wrong/no-answer", {"checklist"}, NoAnswer},
      {"checklist-wrong/other-authority", {"checklist"}, AnotherAuthority},
      {"checklist-wrong/no-identity", {"checklist"}, NoIdentity},
  };
}

}  // namespace connect_ha
