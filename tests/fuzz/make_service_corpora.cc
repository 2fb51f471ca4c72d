// The first inputs of the services' fuzz targets: make_service_corpora DIRECTORY makes heartbeat/,
// enrolment/ and admin/ in it. What their names promise, service_replay.cc looks at, in the order
// of the names.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/tls/certificate.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/enrolment_service.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "tests/common/checklist/fixture.h"
#include "tests/fuzz/service_names.h"

namespace connect_ha {
namespace {

// More than a message may have that brings no facts, and less than the fuzzer's -max_len.
constexpr size_t kTooMuch = 290'000;

class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  void Add(const std::string& name, const std::string& bytes) const {
    std::ofstream file(path_ + "/" + name, std::ios::binary);
    file << bytes;
    if (file.flush()) return;
    std::fprintf(stderr, "cannot write %s/%s\n", path_.c_str(), name.c_str());
    std::exit(1);
  }

 private:
  const std::string path_;
};

std::string NewCsr() {
  const auto key = MakeKey();
  const auto csr = key.ok() ? MakeCsr(*key) : key;
  if (csr.ok()) return *csr;
  std::fprintf(stderr, "%s\n", csr.status().ToString().c_str());
  std::exit(1);
}

v1::HeartbeatRequest Heartbeat() {
  v1::HeartbeatRequest request;
  request.set_node(kFuzzedNode);
  request.set_machine_id(absl::StrCat("machine-", kFuzzedNode));
  request.set_boot_id("boot-1");
  request.set_agent_version("0.1.0");
  request.set_reported_state(v1::OBSERVED);
  request.set_facts_digest("digest");
  request.set_agent_sent_us(1'722'513'600'000'000);
  request.mutable_last_exchange()->set_agent_sent_us(1'722'513'595'000'000);
  request.mutable_last_exchange()->set_coordinator_received_us(1'722'513'595'001'000);
  request.mutable_last_exchange()->set_coordinator_sent_us(1'722'513'595'002'000);
  request.mutable_last_exchange()->set_agent_received_us(1'722'513'595'003'000);
  return request;
}

v1::Facts HealthyFacts() { return test::BaseCluster().nodes(0).facts(); }

v1::HeartbeatRequest Converging() {
  v1::HeartbeatRequest request = Heartbeat();
  request.set_reported_generation(1);
  request.set_reported_lineage("lineage");
  request.mutable_reported_applied_at()->set_seconds(1'722'513'600);
  request.mutable_order()->set_lineage("lineage");
  request.mutable_order()->set_epoch(1);
  request.mutable_order()->set_serial(2);
  request.set_digest_key_id("0123456789abcdef");
  request.set_allow(v1::ALLOW_INSTALL);
  request.add_trusted_signers("c2lnbmVy");
  v1::Convergence& convergence = *request.mutable_convergence();
  convergence.set_generation(1);
  convergence.set_state(v1::Convergence::STUCK);
  v1::Change& change = *convergence.add_changes();
  change.set_resource("package rstudio-connect");
  change.set_from("2024.06.0");
  change.set_to("2024.08.0");
  change.set_interrupts("Connect must be stopped");
  convergence.mutable_step()->set_resource(change.resource());
  convergence.mutable_step()->set_phase(v1::Step::DOWNLOADING);
  v1::Trouble& trouble = *convergence.add_troubles();
  trouble.set_resource(change.resource());
  trouble.set_error("dpkg ended with 1");
  trouble.set_fix("dpkg --configure -a");
  request.mutable_preview()->set_number(1);
  *request.mutable_preview()->add_changes() = change;
  return request;
}

v1::HeartbeatRequest WithChanges(int count) {
  v1::HeartbeatRequest request = Heartbeat();
  for (int i = 1; i <= count; ++i) {
    v1::ChangeMade& made = *request.add_changes_made();
    made.set_number(static_cast<uint64_t>(i));
    made.mutable_change()->set_resource("a");
  }
  return request;
}

void MakeHeartbeats(const Folder& folder) {
  folder.Add("ok-unchanged", Heartbeat().SerializeAsString());
  v1::HeartbeatRequest request = Heartbeat();
  *request.mutable_facts() = HealthyFacts();
  folder.Add("ok-facts-of-0.1", request.SerializeAsString());
  request.set_facts_bytes(request.facts().SerializeAsString());
  request.clear_facts();
  folder.Add("ok-facts", request.SerializeAsString());
  folder.Add("ok-converging", Converging().SerializeAsString());
  folder.Add("ok-changes", WithChanges(3).SerializeAsString());
  // What an agent still has to say is never a reason not to listen to it.
  folder.Add("ok-more-changes-than-are-taken", WithChanges(5'000).SerializeAsString());
  request = Heartbeat();
  request.set_reported_generation(UINT64_MAX);
  request.mutable_order()->set_epoch(UINT64_MAX);
  folder.Add("ok-absurd-generation", request.SerializeAsString());

  request = Heartbeat();
  request.set_facts_bytes("\x0a\x7f");
  folder.Add("any-facts-that-are-none", request.SerializeAsString());
  v1::Facts facts;
  for (int i = 0; i < 80'000; ++i) facts.add_runs();
  request.set_facts_bytes(facts.SerializeAsString());
  folder.Add("any-empty-runs", request.SerializeAsString());
  request = Heartbeat();
  request.set_machine_id("another-machine");
  folder.Add("ok-other-machine", request.SerializeAsString());
  request = Heartbeat();
  request.set_node("another-node");
  folder.Add("refused-other-node", request.SerializeAsString());
  request = Heartbeat();
  request.set_agent_version(std::string(kTooMuch, 'x'));
  folder.Add("refused-too-large", request.SerializeAsString());
  folder.Add("refused-no-message", "\xff\xff\xff\xff");
}

std::string Input(EnrolmentInput call, const google::protobuf::Message& message) {
  return static_cast<char>(call) + message.SerializeAsString();
}

void MakeEnrolments(const Folder& folder) {
  v1::ChallengeRequest challenge;
  challenge.set_token_id("abcdefgh23");
  folder.Add("ok-challenge", Input(EnrolmentInput::kChallenge, challenge));
  challenge.set_token_id(std::string(kTooMuch, 'a'));
  folder.Add("refused-challenge-too-large", Input(EnrolmentInput::kChallenge, challenge));

  v1::EnrollRequest enroll;
  enroll.set_node("n1");
  enroll.set_machine_id("machine-n1");
  enroll.set_csr_der(NewCsr());
  folder.Add("ok-enroll-proved", Input(EnrolmentInput::kEnrollProved, enroll));
  enroll.set_node("other");
  folder.Add("refused-name-not-of-the-token", Input(EnrolmentInput::kEnrollProved, enroll));
  enroll.set_node("n2");
  enroll.set_csr_der(enroll.csr_der().substr(1));
  folder.Add("refused-csr-that-is-none", Input(EnrolmentInput::kEnrollProved, enroll));
  enroll.set_csr_der(NewCsr());
  enroll.set_token_id("abcdefgh23");
  enroll.set_challenge(std::string(48, 'c'));
  enroll.set_proof(std::string(32, 'p'));
  folder.Add("refused-enroll-guessed", Input(EnrolmentInput::kEnroll, enroll));

  v1::RenewRequest renew;
  renew.set_csr_der(NewCsr());
  folder.Add("ok-renew-node", Input(EnrolmentInput::kRenewNode, renew));
  folder.Add("ok-renew-admin", Input(EnrolmentInput::kRenewAdmin, renew));
  renew.set_csr_der("0");
  folder.Add("refused-renew", Input(EnrolmentInput::kRenewNode, renew));
}

std::string Input(const std::string& method, const google::protobuf::Message& message,
                  unsigned caller = 0) {
  const auto found = std::find_if(kAdminMethods.begin(), kAdminMethods.end(),
                                  [&](const AdminMethod& known) { return known.name == method; });
  if (found == kAdminMethods.end()) std::exit(1);
  const auto choice = static_cast<unsigned>(found - kAdminMethods.begin()) | caller;
  return static_cast<char>(choice) + message.SerializeAsString();
}

v1::SpecBundle Bundle() {
  v1::SpecBundle bundle;
  bundle.mutable_spec()->set_cluster(kFuzzedCluster);
  bundle.mutable_spec()->mutable_connect()->set_version("2024.08.0");
  bundle.mutable_spec()->mutable_limits()->mutable_stale_after()->set_seconds(60);
  bundle.set_source("cluster: test\nconnect:\n  version: 2024.08.0\nlimits:\n  stale_after: 60s\n");
  return bundle;
}

void MakeAdminsReads(const Folder& folder) {
  folder.Add("ok-checklist", Input("GetChecklist", v1::GetChecklistRequest()));
  v1::GetSnapshotRequest snapshot;
  folder.Add("ok-snapshot", Input("GetSnapshot", snapshot));
  folder.Add("ok-snapshot-by-viewer", Input("GetSnapshot", snapshot, kByViewer));
  folder.Add("refused-snapshot-by-node", Input("GetSnapshot", snapshot, kByNode));
  snapshot.set_node(kSteadyNode);
  snapshot.set_without_facts(true);
  folder.Add("ok-snapshot-of-one", Input("GetSnapshot", snapshot));
  v1::RefreshStatusRequest refreshed;
  refreshed.set_number(1);
  folder.Add("ok-refresh-status", Input("RefreshStatus", refreshed));
  v1::ListEventsRequest events;
  events.set_after_id(1);
  events.set_limit(10);
  events.set_node(kSteadyNode);
  events.set_rule("nodes-are-distinct");
  folder.Add("ok-events", Input("ListEvents", events));
  folder.Add("ok-tokens", Input("ListTokens", v1::ListTokensRequest()));
  folder.Add("ok-admins", Input("ListAdmins", v1::ListAdminsRequest()));
  v1::ListAuditRequest audit;
  audit.set_after_id(1);
  audit.set_limit(10);
  folder.Add("ok-audit", Input("ListAudit", audit));
  folder.Add("ok-nodes", Input("ListNodes", v1::ListNodesRequest()));
  v1::GetSpecRequest spec;
  spec.set_generation(1);
  folder.Add("ok-spec", Input("GetSpec", spec));
  folder.Add("ok-specs", Input("ListSpecs", v1::ListSpecsRequest()));
  folder.Add("ok-plan", Input("GetPlan", v1::GetPlanRequest()));
  folder.Add("ok-rollouts", Input("ListRollouts", v1::ListRolloutsRequest()));
  v1::GetPreviewsRequest previews;
  previews.set_number(1);
  folder.Add("refused-previews-nobody-asked-for", Input("GetPreviews", previews));
}

void MakeAdminsWords(const Folder& folder) {
  v1::GiveWordRequest give;
  v1::Word& word = *give.mutable_word();
  word.set_kind(v1::Word::CORDON);
  word.set_node(kSteadyNode);
  folder.Add("refused-word-without-a-reason", Input("GiveWord", give));
  word.set_reason("disk is replaced");
  folder.Add("ok-word-1-given", Input("GiveWord", give));
  folder.Add("refused-word-by-viewer", Input("GiveWord", give, kByViewer));
  word.set_node("nobody");
  folder.Add("refused-word-of-nobody", Input("GiveWord", give));
  v1::TakeBackRequest back;
  back.set_node(kSteadyNode);
  back.add_kinds(v1::Word::CORDON);
  back.set_why("done");
  folder.Add("ok-word-2-taken-back", Input("TakeBack", back));
  folder.Add("refused-take-back-by-viewer", Input("TakeBack", back, kByViewer));
  word.set_kind(v1::Word::WAIVE);
  word.clear_node();
  word.set_rule("clocks-are-synchronised");
  folder.Add("refused-waiver-without-an-end", Input("GiveWord", give));
}

void MakeAdminsOrders(const Folder& folder) {
  folder.Add("ok-refresh", Input("Refresh", v1::RefreshRequest()));
  folder.Add("refused-refresh-by-viewer", Input("Refresh", v1::RefreshRequest(), kByViewer));
  v1::CreateTokenRequest token;
  token.set_node_pattern("web-*");
  token.mutable_ttl()->set_seconds(600);
  token.set_uses(2);
  token.set_why("three more nodes");
  folder.Add("ok-token", Input("CreateToken", token));
  folder.Add("refused-token-by-viewer", Input("CreateToken", token, kByViewer));
  token.set_why(std::string(kTooMuch, 'w'));
  folder.Add("refused-token-too-large", Input("CreateToken", token));
  v1::RevokeTokenRequest revoke;
  revoke.set_id("abcdefgh23");
  folder.Add("refused-no-such-token", Input("RevokeToken", revoke));

  v1::CreateAdminRequest admin;
  admin.set_name("bob");
  admin.set_role(v1::OPERATOR);
  admin.set_csr_der(NewCsr());
  admin.set_why("on call");
  folder.Add("ok-operator-1-made", Input("CreateAdmin", admin));
  admin.set_replace(true);
  folder.Add("ok-operator-2-replaced", Input("CreateAdmin", admin));
  v1::RemoveAdminRequest remove_admin;
  remove_admin.set_name("bob");
  folder.Add("ok-operator-3-removed", Input("RemoveAdmin", remove_admin));
  admin.set_name("carol");
  admin.set_role(v1::ADMIN);
  folder.Add("refused-admin-by-viewer", Input("CreateAdmin", admin, kByViewer));
  v1::RemoveNodeRequest remove_node;
  remove_node.set_node(kLeavingNode);
  remove_node.set_why("it is gone");
  folder.Add("ok-remove-node", Input("RemoveNode", remove_node));

  v1::PreviewSpecRequest preview;
  *preview.mutable_bundle() = Bundle();
  folder.Add("ok-preview", Input("PreviewSpec", preview));
  preview.set_generation(1);
  folder.Add("ok-preview-of-older", Input("PreviewSpec", preview));
  v1::ApplySpecRequest apply;
  *apply.mutable_bundle() = Bundle();
  apply.set_why("the new version");
  folder.Add("ok-apply", Input("ApplySpec", apply));
  folder.Add("refused-apply-by-viewer", Input("ApplySpec", apply, kByViewer));
  apply.mutable_bundle()->mutable_spec()->set_cluster("another");
  folder.Add("refused-apply-of-another-cluster", Input("ApplySpec", apply));
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  using namespace connect_ha;
  if (argc != 2) return 2;
  const std::string directory = argv[1];
  MakeHeartbeats(Folder(directory + "/heartbeat"));
  MakeEnrolments(Folder(directory + "/enrolment"));
  const Folder admin(directory + "/admin");
  MakeAdminsReads(admin);
  MakeAdminsOrders(admin);
  MakeAdminsWords(admin);
  return 0;
}
