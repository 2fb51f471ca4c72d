#include "tests/coordinator/cli/golden_cases.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/spec/spec_bundle.h"
#include "tests/common/checklist/fixture.h"
#include "tests/coordinator/cli/clusters.h"

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

// Nothing but what the nodes' reports cannot prove.
void Unproved(World& world) { Judged(world, ThreeNodes()); }

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

void NobodyLive(World& world) {
  for (v1::NodeSnapshot& node : *world.coordinator.snapshot.mutable_nodes()) {
    node.mutable_last_seen()->set_seconds(1722513350);
    world.coordinator.refresh[0].add_unreachable(node.name());
  }
}

void NobodyJoined(World& world) { world.coordinator.snapshot.clear_nodes(); }

void NoIdentity(World& world) {
  world.variables["CONNECT_HA_IDENTITY"] = "";
  world.variables["HOME"] = "/nonexistent";
}

void Tokens(World& world) {
  v1::CreateTokenResponse& created = world.coordinator.created;
  created.mutable_token()->set_id("4xk2vq7mza");
  created.mutable_token()->set_node_pattern("node-*");
  created.mutable_token()->set_uses_allowed(3);
  created.mutable_token()->mutable_expires_at()->set_seconds(1722517200);
  created.set_join_command(
      "connect-ha-agent enroll --coordinator coordinator.example.internal:8443 --ca-hash "
      "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --token "
      "4xk2vq7mza.mfzwizltoqqhg5dsnfxgoidpmyqhgzldojsxiidcpf2gk4zanvqxi5dfoi");
  for (int i = 0; i < 4; ++i) {
    v1::Token& token = *world.coordinator.tokens.add_tokens();
    token = created.token();
    token.set_id("4xk2vq7mz" + std::string(1, static_cast<char>('a' + i)));
    token.mutable_created_at()->set_seconds(1722510000);
    token.set_created_by("admin/admin");
  }
  world.coordinator.tokens.mutable_tokens(1)->set_uses_spent(3);
  world.coordinator.tokens.mutable_tokens(2)->set_revoked(true);
  world.coordinator.tokens.mutable_tokens(3)->mutable_expires_at()->set_seconds(1722513000);
}

void Initialised(World& world) {
  InitResult result;
  result.cluster = "analytics";
  result.address = "coordinator.example.internal:8443";
  result.ca_hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  result.made = {"/var/lib/connect-ha/tls/coordinator.crt", "/var/lib/connect-ha/admin/admin.crt"};
  result.kept = {"/var/lib/connect-ha/ca/ca.crt"};
  world.init_result = result;
}

void NotRoot(World& world) {
  world.init_result =
      absl::PermissionDeniedError("cannot make /var/lib/connect-ha/ca: permission denied");
}

constexpr char kEnforced[] = "tests/coordinator/cli/enforced.yaml";

// Two generations; the nodes answered what they would change for a third.
void Applied(World& world) {
  FakeCoordinator& coordinator = world.coordinator;
  coordinator.specs.resize(2);
  for (size_t i = 0; i < 2; ++i) {
    v1::SpecGeneration& spec = coordinator.specs[i];
    spec.set_generation(i + 1);
    spec.mutable_applied_at()->set_seconds(1722500000 + static_cast<int64_t>(i) * 3600);
    spec.set_applied_by(i == 0 ? "coordinator" : "admin/alice");
    spec.mutable_bundle()->set_source(
        i == 0 ? "cluster: analytics\nlimits:\n  stale_after: 30s\n"
               : "cluster: analytics\nconnect:\n  version: 2024.08.0\n  config: connect.gcfg\n"
                 "limits:\n  stale_after: 30s\n");
    spec.mutable_bundle()->mutable_spec()->set_cluster("analytics");
  }
  v1::SpecBundle& second = *coordinator.specs[1].mutable_bundle();
  second.mutable_spec()->mutable_connect()->set_config("connect.gcfg");
  second.mutable_spec()->mutable_connect()->mutable_license()->set_file("connect.lic");
  second.set_connect_config("[Server]\nAddress = https://connect.example.com\n");
  second.set_license("a licence\n");
  coordinator.previews.resize(2);
  ReadFixture("previews.textproto", coordinator.previews[1]);
  coordinator.previews[0] = coordinator.previews[1];
  for (int i = 0; i < 4; ++i) coordinator.previews[0].mutable_nodes(i)->clear_preview();
  world.waits = 10;
}

// The nodes go on while they are followed.
void Following(World& world) {
  Applied(world);
  v1::Snapshot last;
  ReadFixture("converging.textproto", last);
  last.mutable_nodes()->RemoveLast();  // what is applied ends that
  last.set_generation(3);
  for (v1::NodeSnapshot& node : *last.mutable_nodes()) {
    if (node.reported_generation() > 0) node.set_reported_generation(3);
    if (node.has_convergence()) node.mutable_convergence()->set_generation(3);
  }
  auto& snapshots = world.coordinator.snapshots;
  snapshots.assign(4, last);
  snapshots[0].mutable_nodes(0)->set_reported_generation(2);
  snapshots[1].mutable_nodes(1)->mutable_convergence()->mutable_step()->set_done_bytes(2000000);
  auto& waiting = *snapshots[1].mutable_nodes(2)->mutable_convergence();
  waiting.set_state(v1::Convergence::WAITING);
  waiting.mutable_troubles(0)->mutable_retry_at()->set_seconds(1722513620);
  snapshots[3].mutable_nodes(1)->mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  world.waits = 60;
}

void KeepNodes(World& world, const std::vector<int>& kept) {
  for (v1::Snapshot& snapshot : world.coordinator.snapshots) {
    v1::Snapshot whole = snapshot;
    snapshot.clear_nodes();
    for (const int node : kept) *snapshot.add_nodes() = whole.nodes(node);
  }
}

void EndsRight(World& world) {
  Following(world);
  KeepNodes(world, {0, 1});
}

void EndsWithoutOne(World& world) {
  Following(world);
  KeepNodes(world, {0, 4});
}

void SomebodyElseApplied(World& world) {
  Applied(world);
  world.coordinator.refusal =
      absl::AbortedError("generation 3 of the specification is the newest by now, not 2");
}

void NothingToChange(World& world) {
  Applied(world);
  for (v1::GetPreviewsResponse& previews : world.coordinator.previews) {
    for (v1::NodePreview& node : *previews.mutable_nodes()) {
      node.mutable_preview()->Clear();
      node.clear_unreachable();
    }
  }
}

void AppliedAlready(World& world) {
  Applied(world);
  v1::SpecBundle bundle;
  LoadSpecBundle(kEnforced, bundle);
  *world.coordinator.specs[1].mutable_bundle() = bundle;
}

// It says so already, but a node holds a newer one that the coordinator has lost.
void AppliedAlreadyToAll(World& world) {
  AppliedAlready(world);
  v1::NodeSnapshot& node = *world.coordinator.snapshot.mutable_nodes(0);
  node.set_reported_generation(4);
  node.set_ahead(true);
}

void Converging(World& world) {
  v1::Snapshot& snapshot = world.coordinator.snapshot;
  ReadFixture("converging.textproto", snapshot);
  world.coordinator.checklist.clear_findings();
}

// The help of every command that is shown, and of the program.
void AddHelp(std::vector<GoldenCase>& cases) {
  cases.push_back({"help/connect-ha", {"--help"}, {}});
  World world;
  for (const std::string& name : world.CommandNames()) {
    std::string file = name;
    std::replace(file.begin(), file.end(), ' ', '-');
    cases.push_back({"help/" + file, absl::StrSplit("help " + name, ' '), {}});
  }
}

}  // namespace

void PrintTo(const GoldenCase& golden, std::ostream* out) { *out << golden.name; }

std::vector<GoldenCase> GoldenCases() {
  std::vector<GoldenCase> cases = {
      {"status/trouble", {"status"}, InTrouble},
      {"status/good", {"status"}, AllPass},
      {"status/silent", {"status"}, OneSilent},
      {"status/two-of-one-name", {"status"}, {}},
      {"status/json",
       {"status", "--output", "json"},
       [](World& w) { JudgedOf(w, "disk-has-room", "fail"); },
       true},
      {"status/empty", {"status"}, NobodyJoined},
      {"status/narrow", {"status"}, Narrow},
      {"status/converging", {"status"}, Converging},
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
      {"nodes/nodes-refresh-no-live-node", {"nodes", "--refresh"}, NobodyLive},
      {"nodes/nodes-refresh-no-node", {"nodes", "--refresh"}, NobodyJoined},
      {"nodes/nodes", {"nodes"}, {}},
      {"nodes/facts", {"facts", "node-1"}, {}},
      {"nodes/facts-table", {"facts", "node-2", "--output", "table"}, {}},
      {"nodes/facts-no-node", {"facts", "node-4"}, {}},
      {"nodes/diff", {"diff", "node-1", "node-2"}, {}},
      {"nodes/diff-json", {"diff", "node-1", "node-2", "--output", "json"}, {}, true},
      {"nodes/diff-same", {"diff", "node-1", "node-1"}, {}},
      {"events/events", {"events"}, {}},
      {"events/json", {"events", "--output", "json"}, {}, true},
      {"events/unlike-any-rule", {"events", "--rule", "xyzzy"}, {}},
      {"events/limit", {"events", "--limit", "many"}, {}},
      {"join/token-create", {"token", "create", "--node", "node-*", "--uses", "3"}, Tokens},
      {"join/token-create-ttl", {"token", "create", "--ttl", "soon"}, Tokens},
      {"join/token-list", {"token", "list"}, Tokens},
      {"join/token-list-empty", {"token", "list"}, {}},
      {"join/token-revoke", {"token", "revoke", "4xk2vq7mza"}, {}},
      {"join/node-remove", {"node", "remove", "node-2", "--yes"}, {}},
      {"join/node-remove-no-terminal", {"node", "remove", "node-2"}, {}},
      {"join/init", {"init", "--cluster", "analytics", "--address", "a"}, Initialised},
      {"join/init-not-root", {"init", "--cluster", "analytics", "--address", "a"}, NotRoot},
      {"other/check-config-bad",
       {"check-config", "tests/coordinator/cli/bad_cluster.yaml"},
       {},
       true},
      {"other/check-config-of-connect",
       {"check-config", "tests/common/gcfg_corpus/connect.gcfg"},
       {}},
      {"other/check-config-good", {"check-config", "tests/coordinator/cli/cluster.yaml"}, {}},
      {"other/check-config-missing", {"check-config", "tests/coordinator/cli/none.yaml"}, {}, true},
      {"apply/apply", {"apply", kEnforced, "--yes"}, Applied},
      {"apply/observe", {"apply", "tests/coordinator/cli/cluster.yaml", "--yes"}, Applied},
      {"apply/no-terminal", {"apply", kEnforced}, Applied},
      {"apply/first",
       {"apply", kEnforced, "--yes"},
       [](World& w) {
         Applied(w);
         w.coordinator.specs.clear();
       }},
      {"apply/already", {"apply", kEnforced}, AppliedAlready},
      {"apply/already-but-ahead", {"apply", kEnforced, "--yes"}, AppliedAlreadyToAll},
      {"apply/overtaken", {"apply", kEnforced, "--yes"}, SomebodyElseApplied},
      {"apply/bad", {"apply", "tests/coordinator/cli/bad_cluster.yaml"}, {}, true},
      {"apply/wait", {"apply", kEnforced, "--yes", "--wait"}, EndsRight},
      {"apply/wait-stuck", {"apply", kEnforced, "--yes", "--wait"}, Following},
      {"apply/wait-not-heard", {"apply", kEnforced, "--yes", "--wait"}, EndsWithoutOne},
      {"apply/wait-timeout", {"apply", kEnforced, "--yes", "--wait", "--timeout", "2s"}, EndsRight},
      {"preview/preview", {"preview", kEnforced}, Applied},
      {"preview/observe", {"preview", "tests/coordinator/cli/cluster.yaml"}, Applied},
      {"preview/nothing", {"preview", kEnforced}, NothingToChange},
      {"preview/json", {"preview", kEnforced, "--output", "json"}, Applied, true},
      {"preview/bad", {"preview", "tests/coordinator/cli/bad_cluster.yaml"}, {}, true},
      {"spec/show", {"spec", "show"}, Applied},
      {"spec/show-config", {"spec", "show", "2", "--part", "config"}, Applied},
      {"spec/show-no-config", {"spec", "show", "1", "--part", "config"}, Applied},
      {"spec/show-none", {"spec", "show", "7"}, Applied},
      {"spec/history", {"spec", "history"}, Applied},
      {"spec/history-json", {"spec", "history", "--output", "json"}, Applied, true},
      {"spec/diff", {"spec", "diff", "1", "2"}, Applied},
      {"spec/diff-same", {"spec", "diff", "2", "2"}, Applied},
      {"spec/diff-word", {"spec", "diff", "one", "2"}, Applied},
      {"spec/rollback", {"spec", "rollback", "1", "--yes"}, Applied},
      {"other/rules", {"rules"}, {}},
      {"other/rules-json", {"rules", "--output", "json"}, {}},
      {"other/version", {"version"}, {}},
      {"usage/none", {}, {}},
      {"usage/command", {"checklst"}, {}},
      {"usage/second-word", {"token"}, {}},
      {"usage/option", {"nodes", "--ouput", "json"}, {}},
      {"usage/value", {"nodes", "--output"}, {}},
      {"usage/operand", {"diff", "node-1"}, {}},
  };
  AddHelp(cases);
  return cases;
}

}  // namespace connect_ha
