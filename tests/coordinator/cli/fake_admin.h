// A coordinator in memory for the tests of the command line: it answers with what a test put into
// it, and remembers what it was asked.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "coordinator/cli/link/admin_link.h"

namespace connect_ha {

// What the fake has. Outlives the links that are opened to it.
struct FakeCoordinator {
  absl::Status error;  // not OK: the answer to every call
  v1::Checklist checklist;
  v1::Snapshot snapshot;
  int whole_snapshots = 0;                         // asked for, with the facts of every node
  std::vector<v1::RefreshStatusResponse> refresh;  // one a poll; the last one stays
  std::vector<v1::ListEventsResponse> events;      // one a call; then none
  v1::CreateTokenResponse created;
  v1::ListTokensResponse tokens;
  v1::ListAdminsResponse admins;
  std::vector<v1::AuditEntry> audit;  // given in pages of two
  std::optional<v1::AuditAnchor> audit_anchor;
  std::optional<v1::AuditAnchor> audit_anchor_once;  // instead, in one answer
  uint64_t audit_newest = 0;                         // not 0: what is the newest, if not the last
  std::vector<v1::SpecGeneration> specs;             // oldest first, with their bundles
  absl::Status refusal;                              // not OK: the answer to ApplySpec
  v1::ApplySpecRequest applied;                      // the latest
  std::optional<uint64_t> applied_generation;        // what ApplySpec answers, if anything else
  std::vector<v1::GetPreviewsResponse> previews;     // one a poll; the last one stays
  size_t preview_polls = 0;
  std::vector<v1::Snapshot> snapshots;  // one a call, instead of `snapshot`; the last one stays
  size_t snapshot_polls = 0;

  v1::GetPlanResponse plan;  // with the words, those that are given and taken back too
  std::vector<v1::GetPlanResponse> plans;  // one a call, instead of `plan`; the last one stays
  size_t plan_polls = 0;
  std::vector<v1::Rollout> rollouts;  // newest first

  std::vector<std::string> changes;  // what was asked for: "remove node-1"
  size_t polls = 0;
  size_t listings = 0;
};

class FakeAdmin : public AdminLink {
 public:
  explicit FakeAdmin(FakeCoordinator& coordinator) : coordinator_(coordinator) {}

  absl::StatusOr<v1::Checklist> GetChecklist(const v1::GetChecklistRequest&) override {
    return Answer(coordinator_.checklist);
  }
  absl::StatusOr<v1::Snapshot> GetSnapshot(const v1::GetSnapshotRequest& request) override {
    if (request.node().empty() && !request.without_facts()) ++coordinator_.whole_snapshots;
    const v1::Snapshot whole = NextSnapshot();
    v1::Snapshot snapshot = whole;
    snapshot.clear_nodes();
    for (v1::NodeSnapshot node : whole.nodes()) {
      if (!request.node().empty() && request.node() != node.name()) continue;
      if (request.without_facts()) node.clear_facts();
      *snapshot.add_nodes() = node;
    }
    return Answer(snapshot);
  }
  absl::StatusOr<v1::RefreshResponse> Refresh(const v1::RefreshRequest&) override {
    v1::RefreshResponse response;
    response.set_number(1);
    return Answer(response);
  }
  absl::StatusOr<v1::RefreshStatusResponse> RefreshStatus(
      const v1::RefreshStatusRequest&) override {
    const size_t last = coordinator_.refresh.size() - 1;
    return Answer(coordinator_.refresh[std::min(coordinator_.polls++, last)]);
  }
  absl::StatusOr<v1::ListEventsResponse> ListEvents(const v1::ListEventsRequest&) override {
    if (coordinator_.listings >= coordinator_.events.size()) {
      return Answer(v1::ListEventsResponse());
    }
    return Answer(coordinator_.events[coordinator_.listings++]);
  }
  absl::StatusOr<v1::CreateTokenResponse> CreateToken(
      const v1::CreateTokenRequest& request) override {
    coordinator_.changes.push_back("create " + request.ShortDebugString());
    return Answer(coordinator_.created);
  }
  absl::StatusOr<v1::ListTokensResponse> ListTokens(const v1::ListTokensRequest&) override {
    return Answer(coordinator_.tokens);
  }
  absl::StatusOr<v1::CreateAdminResponse> CreateAdmin(
      const v1::CreateAdminRequest& request) override {
    coordinator_.changes.push_back("create admin " + request.name() + " " +
                                   v1::Role_Name(request.role()) +
                                   (request.replace() ? " replace" : "") + Why(request));
    v1::CreateAdminResponse response;
    response.set_certificate_pem("a certificate\n");
    return Answer(response);
  }
  absl::StatusOr<v1::ListAdminsResponse> ListAdmins(const v1::ListAdminsRequest&) override {
    return Answer(coordinator_.admins);
  }
  absl::StatusOr<v1::RemoveAdminResponse> RemoveAdmin(
      const v1::RemoveAdminRequest& request) override {
    coordinator_.changes.push_back("remove admin " + request.name() + Why(request));
    return Answer(v1::RemoveAdminResponse());
  }
  absl::StatusOr<v1::ListAuditResponse> ListAudit(const v1::ListAuditRequest& request) override {
    constexpr int kPage = 2;
    v1::ListAuditResponse response;
    for (const v1::AuditEntry& entry : coordinator_.audit) {
      response.set_newest_id(entry.id());
      if (entry.id() <= request.after_id() || response.entries_size() == kPage) continue;
      *response.add_entries() = entry;
    }
    if (coordinator_.audit_newest > 0) response.set_newest_id(coordinator_.audit_newest);
    if (coordinator_.audit_anchor) *response.mutable_anchor() = *coordinator_.audit_anchor;
    if (coordinator_.audit_anchor_once)
      *response.mutable_anchor() = *coordinator_.audit_anchor_once;
    coordinator_.audit_anchor_once.reset();
    return Answer(response);
  }
  // What the roster would make of the snapshot.
  absl::StatusOr<v1::ListNodesResponse> ListNodes(const v1::ListNodesRequest&) override {
    const v1::Snapshot snapshot = NextSnapshot();
    v1::ListNodesResponse response;
    *response.mutable_taken_at() = snapshot.taken_at();
    for (const v1::NodeSnapshot& node : snapshot.nodes()) {
      v1::NodeBrief& brief = *response.add_nodes();
      brief.set_name(node.name());
      if (node.has_last_seen()) {
        *brief.mutable_last_seen() = node.last_seen();
        brief.set_lost(snapshot.taken_at().seconds() - node.last_seen().seconds() > 30);
      }
      brief.set_assigned_state(node.assigned_state());
      brief.set_reported_state(node.reported_state());
      brief.set_agent_version(node.agent_version());
      brief.set_allow(node.allow());
      brief.set_claimants(static_cast<uint32_t>(node.claimants_size()));
      brief.set_assigned_reason(node.assigned_reason());
      if (node.has_assigned_since()) *brief.mutable_assigned_since() = node.assigned_since();
      brief.set_waits_for(node.waits_for());
      if (!node.has_facts()) continue;
      v1::FactsBrief& facts = *brief.mutable_facts();
      facts.set_connect_version(node.facts().connect().package().version());
      facts.set_system(node.facts().host().os_name());
      facts.set_zone(node.facts().instance().zone());
    }
    return Answer(response);
  }
  absl::StatusOr<v1::RevokeTokenResponse> RevokeToken(
      const v1::RevokeTokenRequest& request) override {
    coordinator_.changes.push_back("revoke " + request.id() + Why(request));
    return Answer(v1::RevokeTokenResponse());
  }
  absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(const v1::RemoveNodeRequest& request) override {
    coordinator_.changes.push_back((request.force() ? "remove by force " : "remove ") +
                                   request.node() + Why(request));
    return Answer(v1::RemoveNodeResponse());
  }
  absl::StatusOr<v1::PreviewSpecResponse> PreviewSpec(
      const v1::PreviewSpecRequest& request) override {
    coordinator_.changes.push_back(
        request.has_bundle() ? "preview " + request.bundle().spec().cluster()
                             : "preview generation " + std::to_string(request.generation()));
    v1::PreviewSpecResponse response;
    response.set_number(1);
    return Answer(response);
  }
  absl::StatusOr<v1::GetPreviewsResponse> GetPreviews(const v1::GetPreviewsRequest&) override {
    const size_t last = coordinator_.previews.size() - 1;
    return Answer(coordinator_.previews[std::min(coordinator_.preview_polls++, last)]);
  }
  absl::StatusOr<v1::ApplySpecResponse> ApplySpec(const v1::ApplySpecRequest& request) override {
    coordinator_.changes.push_back(
        (request.has_bundle() ? "apply " + request.bundle().spec().cluster()
                              : "apply generation " + std::to_string(request.generation())) +
        " after " + std::to_string(request.newest_generation()) + Why(request));
    if (!coordinator_.refusal.ok()) return coordinator_.refusal;
    coordinator_.applied = request;
    v1::SpecToSign is_signed;
    if (!is_signed.ParseFromString(request.bundle().signed_spec().payload())) {
      return absl::InvalidArgumentError("what is signed is no specification");
    }
    const uint64_t next =
        is_signed.generation() > 0 ? is_signed.generation() : request.newest_generation() + 1;
    v1::ApplySpecResponse response;
    response.set_generation(coordinator_.applied_generation.value_or(next));
    return Answer(response);
  }
  absl::StatusOr<v1::SpecGeneration> GetSpec(const v1::GetSpecRequest& request) override {
    const size_t newest = coordinator_.specs.size();
    if (newest == 0)
      return absl::NotFoundError(
          "no specification was applied\nfix: connect-ha apply cluster.yaml");
    const uint64_t wanted = request.generation() == 0 ? newest : request.generation();
    if (wanted > newest) {
      return absl::NotFoundError("no generation " + std::to_string(wanted) +
                                 " of the specification; the newest is " + std::to_string(newest) +
                                 "\nfix: connect-ha spec history");
    }
    return Answer(coordinator_.specs[wanted - 1]);
  }
  absl::StatusOr<v1::ListSpecsResponse> ListSpecs(const v1::ListSpecsRequest&) override {
    v1::ListSpecsResponse response;
    for (auto spec = coordinator_.specs.rbegin(); spec != coordinator_.specs.rend(); ++spec) {
      *response.add_generations() = *spec;
      response.mutable_generations(response.generations_size() - 1)->clear_bundle();
    }
    return Answer(response);
  }
  absl::StatusOr<v1::GiveWordResponse> GiveWord(const v1::GiveWordRequest& request) override {
    coordinator_.changes.push_back("give " + request.word().ShortDebugString());
    v1::GiveWordResponse response;
    v1::Word& word = *response.mutable_word();
    word = request.word();
    word.set_number(static_cast<uint64_t>(coordinator_.plan.words_size()) + 1);
    word.set_by("admin/alice");
    *coordinator_.plan.add_words() = word;
    Assign(word.node(), response);
    return Answer(response);
  }
  absl::StatusOr<v1::TakeBackResponse> TakeBack(const v1::TakeBackRequest& request) override {
    coordinator_.changes.push_back("take back " + request.ShortDebugString());
    v1::TakeBackResponse response;
    const v1::GetPlanResponse before = coordinator_.plan;
    coordinator_.plan.clear_words();
    for (const v1::Word& word : before.words()) {
      const bool of_kind = std::count(request.kinds().begin(), request.kinds().end(),
                                      static_cast<int>(word.kind())) > 0;
      const bool of_generation =
          request.generation() == 0 || request.generation() == word.generation();
      const bool taken = of_kind && of_generation && word.node() == request.node() &&
                         word.rule() == request.rule();
      *(taken ? response.add_words() : coordinator_.plan.add_words()) = word;
    }
    Assign(request.node(), response);
    if (coordinator_.error.ok() && response.words().empty()) {
      return absl::NotFoundError("nothing of that was said of " + request.node() +
                                 "\nfix: connect-ha plan shows what was");
    }
    return Answer(response);
  }
  absl::StatusOr<v1::GetPlanResponse> GetPlan(const v1::GetPlanRequest&) override {
    if (coordinator_.plans.empty()) return Answer(coordinator_.plan);
    const size_t last = coordinator_.plans.size() - 1;
    return Answer(coordinator_.plans[std::min(coordinator_.plan_polls++, last)]);
  }
  absl::StatusOr<v1::ListRolloutsResponse> ListRollouts(
      const v1::ListRolloutsRequest& request) override {
    v1::ListRolloutsResponse response;
    for (const v1::Rollout& rollout : coordinator_.rollouts) {
      const auto limit = static_cast<int>(request.limit() == 0 ? 20u : request.limit());
      if (response.rollouts_size() < limit) *response.add_rollouts() = rollout;
    }
    return Answer(response);
  }

 private:
  template <typename Response>
  void Assign(const std::string& node, Response& response) const {
    for (const v1::NodeAssignment& assignment : coordinator_.plan.decision().assignments()) {
      if (assignment.node() == node) *response.mutable_assignment() = assignment;
    }
  }

  v1::Snapshot NextSnapshot() {
    if (coordinator_.snapshots.empty()) return coordinator_.snapshot;
    const size_t last = coordinator_.snapshots.size() - 1;
    return coordinator_.snapshots[std::min(coordinator_.snapshot_polls++, last)];
  }

  template <typename Request>
  static std::string Why(const Request& request) {
    return request.why().empty() ? "" : ", why: " + request.why();
  }

  template <typename Message>
  absl::StatusOr<Message> Answer(const Message& message) const {
    if (!coordinator_.error.ok()) return coordinator_.error;
    return message;
  }

  FakeCoordinator& coordinator_;
};

}  // namespace connect_ha
