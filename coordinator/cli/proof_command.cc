#include "absl/strings/str_cat.h"
#include "common/checklist/view/proof_matrix.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/node_text.h"
#include "coordinator/cli/text/proof_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows which node sees what which other one leaves for it: storage, the beacons in the directories that nodes share, which each agent writes anew every 30 s; database, the locks that they hold there. Without a word both. This is what the items data-dir-is-shared, database-dir-is-shared, landing-dir-is-shared and database-is-same are judged by.

"NO": it is not seen and would be by now, so the two have not one file system, or not one database. "?": not yet, or it cannot be known. A node that has just joined, or a coordinator that has just started, takes up to 60 s to be seen.

Exit status: 1 when a node does not see another one, else 3 when something is not known, else 0.)";

// One by one: of many nodes, all facts at once are a lot.
absl::Status FetchFacts(AdminLink& admin, v1::Snapshot& cluster) {
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    if (!IsLive(cluster, node)) continue;
    v1::GetSnapshotRequest request;
    request.set_node(node.name());
    const auto one = admin.GetSnapshot(request);
    if (absl::IsNotFound(one.status())) continue;  // removed meanwhile
    if (!one.ok()) return one.status();
    if (one->nodes_size() == 1) node = one->nodes(0);
  }
  return absl::OkStatus();
}

int Render(const Arguments& arguments, AdminLink& admin, Terminal& terminal, std::string& key) {
  const std::string what = arguments.positional.empty() ? "" : arguments.positional[0];
  if (!what.empty() && what != "storage" && what != "database") {
    return Fail(terminal, absl::InvalidArgumentError(absl::StrCat(
                              "there is no proof of \"", what,
                              "\"; fix: connect-ha proof storage, or connect-ha proof database")));
  }
  auto cluster = GetStates(admin);
  if (!cluster.ok()) return Fail(terminal, cluster.status());
  if (static_cast<size_t>(cluster->nodes_size()) > kMostProvedNodes) {
    return Fail(terminal,
                absl::FailedPreconditionError(absl::StrCat(
                    "more than ", kMostProvedNodes, " nodes are not shown against each other; ",
                    "fix: connect-ha checklist --rule data-dir-is-shared")));
  }
  if (const absl::Status fetched = FetchFacts(admin, *cluster); !fetched.ok()) {
    return Fail(terminal, fetched);
  }
  const v1::Proofs proofs = ProofsOf(*cluster, what != "database", what != "storage");
  key = ProofsKey(proofs);
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(proofs);
  } else if (cluster->nodes().empty()) {
    terminal.out << "no node has joined yet; next: connect-ha token create\n";
  } else {
    PrintProofs(terminal, proofs);
  }
  return ProofsExitCode(proofs);
}

}  // namespace

Command ProofCommand(const Environment& environment) {
  Command command = {"proof", "[PROOF]", "Show which nodes see what the others write and lock",
                     kDescription};
  command.operand_choices = "storage|database";
  command.options = ShowOptions("table|json");
  command.examples = {"connect-ha proof", "connect-ha proof storage --watch",
                      "connect-ha proof database --output json"};
  command.run = Showing(environment, Render);
  return command;
}

}  // namespace connect_ha
