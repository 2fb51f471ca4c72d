#include "tests/coordinator/cli/golden_cases.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checklist/rule.h"
#include "common/spec/spec_bundle.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha {
namespace {

void MakeAllPass(World& world) {
  for (v1::Finding& finding : *world.coordinator.checklist.mutable_findings()) {
    finding.set_outcome(v1::PASS);
    finding.set_summary("all 2 nodes: as it should be");
    finding.clear_evidence();
    finding.clear_fix();
  }
  world.coordinator.snapshot.mutable_nodes()->RemoveLast();
}

void OnlyUnknown(World& world) {
  v1::Checklist& checklist = world.coordinator.checklist;
  *checklist.mutable_findings(0) = checklist.findings(1);
  checklist.mutable_findings()->DeleteSubrange(1, checklist.findings_size() - 1);
}

void OneReasonForMany(World& world) {
  for (v1::Finding& finding : *world.coordinator.checklist.mutable_findings()) {
    finding.set_outcome(v1::UNKNOWN);
    finding.set_summary("node-1: not heard for 4m 10s");
    finding.set_fix("on node-1: systemctl status connect-ha-agent");
    finding.clear_evidence();
  }
}

void OnlyAdviceFails(World& world) {
  world.coordinator.checklist.mutable_findings()->DeleteSubrange(0, 5);
}

// What this rule says of a cluster, as the coordinator would.
void Judged(World& world, const v1::Snapshot& cluster, const std::string& rule) {
  world.coordinator.snapshot = cluster;
  world.coordinator.checklist = Evaluate(cluster);
  auto* findings = world.coordinator.checklist.mutable_findings();
  findings->erase(std::remove_if(findings->begin(), findings->end(),
                                 [&](const v1::Finding& f) { return f.rule() != rule; }),
                  findings->end());
}

// The same of a cluster in tests/clusters/RULE.
void JudgedOf(World& world, const std::string& rule, const std::string& file) {
  Judged(world, test::LoadCluster(test::ClusterFile{rule, file}.Path(".textproto")), rule);
}

void OneIsOpen(World& world) { JudgedOf(world, "configuration-is-protected", "fail"); }

// That there is no second node is so of the cluster, not of the one.
void OneNodeOnly(World& world) { JudgedOf(world, "at-least-two-nodes", "fail-one-node"); }

// So many nodes besides node-1 could not look at their configuration.
void CannotBeRead(World& world, int count) {
  v1::Snapshot cluster = test::BaseCluster();
  v1::NodeSnapshot node = cluster.nodes(1);
  cluster.mutable_nodes()->RemoveLast();
  test::MakeUnobserved(*node.mutable_facts(), "configuration", "permission denied: /etc");
  for (int i = 0; i < count; ++i) {
    node.set_name(absl::StrCat("node-", i + 2));
    *cluster.add_nodes() = node;
  }
  Judged(world, cluster, "configuration-is-protected");
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
}

// The help of every command that is shown, and of the program.
void AddHelp(std::vector<GoldenCase>& cases) {
  cases.push_back({"help", {"--help"}, {}});
  World world;
  for (const std::string& name : world.CommandNames()) {
    std::string file = name;
    std::replace(file.begin(), file.end(), ' ', '-');
    cases.push_back({"help-" + file, absl::StrSplit("help " + name, ' '), {}});
  }
}

}  // namespace

void PrintTo(const GoldenCase& golden, std::ostream* out) { *out << golden.name; }

std::vector<GoldenCase> GoldenCases() {
  std::vector<GoldenCase> cases = {
      {"status", {"status"}, {}},
      {"status-good", {"status"}, MakeAllPass},
      {"status-json", {"status", "--output", "json"}, MakeAllPass, true},
      {"status-empty", {"status"}, NobodyJoined},
      {"status-narrow", {"status"}, [](World& w) { w.width = 60; }},
      {"checklist", {"checklist"}, {}},
      {"checklist-good", {"checklist"}, MakeAllPass},
      {"checklist-unknown", {"checklist"}, OnlyUnknown},
      {"checklist-one-reason", {"checklist"}, OneReasonForMany},
      {"checklist-advice", {"checklist"}, OnlyAdviceFails},
      {"checklist-advice-strict", {"checklist", "--strict"}, OnlyAdviceFails},
      {"checklist-color", {"checklist"}, [](World& w) { w.color = true; }},
      {"checklist-narrow", {"checklist"}, [](World& w) { w.width = 60; }},
      {"checklist-node", {"checklist", "--node", "node-2"}, {}},
      {"checklist-node-in-order", {"checklist", "--node", "node-1"}, OneIsOpen},
      {"checklist-node-open", {"checklist", "--node", "node-2"}, OneIsOpen},
      {"checklist-node-rule",
       {"checklist", "--rule", "configuration-is-protected", "--node", "node-1"},
       OneIsOpen},
      {"checklist-node-junit",
       {"checklist", "--node", "node-1", "--output", "junit"},
       OneIsOpen,
       true},
      {"checklist-node-alone", {"checklist", "--node", "node-1"}, OneNodeOnly},
      {"checklist-node-nothing", {"checklist", "--node", "node-3"}, OnlyAdviceFails},
      {"checklist-node-no-part", {"checklist", "--node", "node-3", "--rule", "disk-has-room"}, {}},
      {"checklist-nodes-same", {"checklist"}, [](World& w) { CannotBeRead(w, 2); }},
      {"checklist-nodes-many", {"checklist"}, [](World& w) { CannotBeRead(w, 9); }},
      {"checklist-no-node", {"checklist", "--node=nod-2"}, {}},
      {"checklist-rule", {"checklist", "--rule", "storage-options"}, {}},
      {"checklist-no-rule", {"checklist", "--rule", "encription-key-matches"}, {}},
      {"checklist-unlike-any-rule", {"checklist", "--rule", "xyzzy"}, {}},
      {"checklist-watch-no-node", {"checklist", "--watch", "--node", "nod-2"}, {}},
      {"checklist-json", {"checklist", "--output", "json"}, OnlyUnknown, true},
      {"checklist-junit", {"checklist", "--output", "junit"}, {}, true},
      {"checklist-refresh", {"checklist", "--refresh"}, Refreshing},
      {"checklist-no-answer", {"checklist"}, NoAnswer},
      {"nodes-refresh-no-live-node", {"nodes", "--refresh"}, NobodyLive},
      {"nodes-refresh-no-node", {"nodes", "--refresh"}, NobodyJoined},
      {"checklist-other-authority", {"checklist"}, AnotherAuthority},
      {"checklist-no-identity", {"checklist"}, NoIdentity},
      {"nodes", {"nodes"}, {}},
      {"facts", {"facts", "node-1"}, {}},
      {"facts-table", {"facts", "node-2", "--output", "table"}, {}},
      {"facts-no-node", {"facts", "node-4"}, {}},
      {"diff", {"diff", "node-1", "node-2"}, {}},
      {"diff-json", {"diff", "node-1", "node-2", "--output", "json"}, {}, true},
      {"diff-same", {"diff", "node-1", "node-1"}, {}},
      {"events", {"events"}, {}},
      {"events-json", {"events", "--output", "json"}, {}, true},
      {"events-unlike-any-rule", {"events", "--rule", "xyzzy"}, {}},
      {"events-limit", {"events", "--limit", "many"}, {}},
      {"token-create", {"token", "create", "--node", "node-*", "--uses", "3"}, Tokens},
      {"token-create-ttl", {"token", "create", "--ttl", "soon"}, Tokens},
      {"token-list", {"token", "list"}, Tokens},
      {"token-list-empty", {"token", "list"}, {}},
      {"token-revoke", {"token", "revoke", "4xk2vq7mza"}, {}},
      {"node-remove", {"node", "remove", "node-2", "--yes"}, {}},
      {"node-remove-no-terminal", {"node", "remove", "node-2"}, {}},
      {"init", {"init", "--cluster", "analytics", "--address", "a"}, Initialised},
      {"init-not-root", {"init", "--cluster", "analytics", "--address", "a"}, NotRoot},
      {"check-config-bad", {"check-config", "tests/coordinator/cli/bad_cluster.yaml"}, {}, true},
      {"check-config-good", {"check-config", "tests/coordinator/cli/cluster.yaml"}, {}},
      {"check-config-missing", {"check-config", "tests/coordinator/cli/none.yaml"}, {}, true},
      {"apply", {"apply", kEnforced, "--yes"}, Applied},
      {"apply-observe", {"apply", "tests/coordinator/cli/cluster.yaml", "--yes"}, Applied},
      {"apply-no-terminal", {"apply", kEnforced}, Applied},
      {"apply-first",
       {"apply", kEnforced, "--yes"},
       [](World& w) {
         Applied(w);
         w.coordinator.specs.clear();
       }},
      {"apply-already", {"apply", kEnforced}, AppliedAlready},
      {"apply-already-but-ahead", {"apply", kEnforced, "--yes"}, AppliedAlreadyToAll},
      {"apply-overtaken", {"apply", kEnforced, "--yes"}, SomebodyElseApplied},
      {"apply-bad", {"apply", "tests/coordinator/cli/bad_cluster.yaml"}, {}, true},
      {"apply-wait", {"apply", kEnforced, "--yes", "--wait"}, EndsRight},
      {"apply-wait-stuck", {"apply", kEnforced, "--yes", "--wait"}, Following},
      {"apply-wait-not-heard", {"apply", kEnforced, "--yes", "--wait"}, EndsWithoutOne},
      {"apply-wait-timeout", {"apply", kEnforced, "--yes", "--wait", "--timeout", "2s"}, EndsRight},
      {"spec-show", {"spec", "show"}, Applied},
      {"spec-show-config", {"spec", "show", "2", "--part", "config"}, Applied},
      {"spec-show-no-config", {"spec", "show", "1", "--part", "config"}, Applied},
      {"spec-show-none", {"spec", "show", "7"}, Applied},
      {"spec-history", {"spec", "history"}, Applied},
      {"spec-history-json", {"spec", "history", "--output", "json"}, Applied, true},
      {"spec-diff", {"spec", "diff", "1", "2"}, Applied},
      {"spec-diff-same", {"spec", "diff", "2", "2"}, Applied},
      {"spec-diff-word", {"spec", "diff", "one", "2"}, Applied},
      {"spec-rollback", {"spec", "rollback", "1", "--yes"}, Applied},
      {"status-converging", {"status"}, Converging},
      {"rules", {"rules"}, {}},
      {"rules-json", {"rules", "--output", "json"}, {}},
      {"version", {"version"}, {}},
      {"usage-none", {}, {}},
      {"usage-command", {"checklst"}, {}},
      {"usage-second-word", {"token"}, {}},
      {"usage-option", {"nodes", "--ouput", "json"}, {}},
      {"usage-value", {"nodes", "--output"}, {}},
      {"usage-operand", {"diff", "node-1"}, {}},
  };
  AddHelp(cases);
  return cases;
}

}  // namespace connect_ha
