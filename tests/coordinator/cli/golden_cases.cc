#include "tests/coordinator/cli/golden_cases.h"

#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

void NobodyLive(World& world) {
  for (v1::NodeSnapshot& node : *world.coordinator.snapshot.mutable_nodes()) {
    node.mutable_last_seen()->set_seconds(1722513350);
    world.coordinator.refresh[0].add_unreachable(node.name());
  }
}

void NobodyJoined(World& world) { world.coordinator.snapshot.clear_nodes(); }

void Tokens(World& world) {
  v1::CreateTokenResponse& created = world.coordinator.created;
  created.mutable_token()->set_id("4xk2vq7mza");
  created.mutable_token()->set_node_pattern("node-*");
  created.mutable_token()->set_uses_allowed(3);
  created.mutable_token()->mutable_expires_at()->set_seconds(1722517200);
  created.set_join_command(
      "connect-ha-agent enroll --coordinator coordinator.example.internal:8444 --ca-hash "
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

void Admins(World& world) {
  const std::pair<const char*, v1::Role> known[] = {
      {"admin", v1::ADMIN}, {"alice", v1::OPERATOR}, {"bob", v1::VIEWER}};
  for (const auto& one : known) {
    v1::AdminRecord& record = *world.coordinator.admins.add_admins();
    record.set_name(one.first);
    record.set_role(one.second);
    const bool first = one.second == v1::ADMIN;
    record.mutable_created_at()->set_seconds(first ? 1722500000 : 1722510000);
    record.set_created_by(first ? "init" : "admin/admin");
  }
  world.coordinator.admins.mutable_admins(2)->mutable_removed_at()->set_seconds(1722513000);
}

void Audited(World& world) {
  v1::AuditEntry entry;
  entry.set_id(1);
  entry.mutable_at()->set_seconds(1722500000);
  entry.set_action(v1::AuditEntry::CLUSTER_MADE);
  entry.set_actor("init");
  entry.set_subject("analytics");
  entry.set_text("store 6f1e");
  world.coordinator.audit.push_back(entry);
  entry.set_id(12);
  entry.mutable_at()->set_seconds(1722510000);
  entry.set_action(v1::AuditEntry::NODE_REMOVED);
  entry.set_actor("admin/alice");
  entry.set_address("10.0.0.1");
  entry.set_subject("node-9");
  entry.set_text("");
  entry.set_why("disk broken");
  world.coordinator.audit.push_back(entry);
}

void Initialised(World& world) {
  InitResult result;
  result.cluster = "analytics";
  result.address = "coordinator.example.internal:8443";
  result.join_address = "coordinator.example.internal:8444";
  result.ca_hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  result.made = {"/var/lib/connect-ha/tls/coordinator.crt", "/var/lib/connect-ha/admin/admin.crt"};
  result.kept = {"/var/lib/connect-ha/ca/ca.crt"};
  world.init_result = result;
}

void NotRoot(World& world) {
  world.init_result =
      absl::PermissionDeniedError("cannot make /var/lib/connect-ha/ca: permission denied");
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
      {"status/empty", {"status"}, NobodyJoined},
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
      {"events/audit", {"audit"}, Audited},
      {"events/audit-empty", {"audit"}, {}},
      {"events/audit-broken", {"audit", "--verify"}, Audited},
      {"events/unlike-any-rule", {"events", "--rule", "xyzzy"}, {}},
      {"events/limit", {"events", "--limit", "many"}, {}},
      {"join/token-create", {"token", "create", "--node", "node-*", "--uses", "3"}, Tokens},
      {"join/token-create-ttl", {"token", "create", "--ttl", "soon"}, Tokens},
      {"join/token-list", {"token", "list"}, Tokens},
      {"join/token-list-empty", {"token", "list"}, {}},
      {"join/token-revoke", {"token", "revoke", "4xk2vq7mza"}, {}},
      {"join/node-remove", {"node", "remove", "node-2", "--yes"}, {}},
      {"join/node-remove-no-terminal", {"node", "remove", "node-2"}, {}},
      {"join/admin-list", {"admin", "list"}, Admins},
      {"join/admin-list-json", {"admin", "list", "--output", "json"}, Admins, true},
      {"join/admin-remove", {"admin", "remove", "bob", "--yes"}, Admins},
      {"join/admin-create-no-role", {"admin", "create", "bob"}, Admins},
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
  for (const auto& more : {ChecklistCases(), PlanCases(), RolloutCases(), SpecCases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  AddHelp(cases);
  return cases;
}

}  // namespace connect_ha
