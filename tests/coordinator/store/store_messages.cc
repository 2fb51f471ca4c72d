#include "tests/coordinator/store/store_messages.h"

#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/audit_chain.h"

namespace connect_ha {
namespace {

absl::Status MakeAdmin(v1::AdminRecord& admin) {
  admin.set_role(v1::ADMIN);
  return absl::OkStatus();
}

template <typename Message>
std::string Lines(const absl::StatusOr<std::vector<Message>>& messages) {
  if (!messages.ok()) return messages.status().ToString() + "\n";
  return absl::StrJoin(Texts(*messages), "\n") + "\n";
}

}  // namespace

v1::NodeRecord ANode(const std::string& name) {
  v1::NodeRecord node;
  node.set_name(name);
  node.set_machine_id("machine-of-" + name);
  *node.mutable_enrolled_at() = ToProto(kNoon);
  return node;
}

v1::NodeReport AReport(const std::string& node, const std::string& digest) {
  v1::Facts facts;
  facts.mutable_host()->set_hostname(node + ".example.com");
  v1::NodeReport report;
  report.set_node(node);
  report.set_facts_digest(digest);
  report.set_facts_bytes(facts.SerializeAsString());
  return report;
}

v1::Event AnEvent(const std::string& node, const std::string& rule, const std::string& text) {
  v1::Event event;
  event.set_kind(v1::Event::FINDING_CHANGED);
  event.set_node(node);
  event.set_rule(rule);
  event.set_text(text);
  return event;
}

v1::StoredToken AToken(const std::string& id, uint32_t uses) {
  v1::StoredToken token;
  token.set_stored_key("hash of a hash");
  token.mutable_token()->set_id(id);
  token.mutable_token()->set_uses_allowed(uses);
  *token.mutable_token()->mutable_created_at() = ToProto(kNoon);
  *token.mutable_token()->mutable_expires_at() = ToProto(kNoon + std::chrono::hours(1));
  return token;
}

v1::StoredToken::Use AUse(const std::string& node, const std::string& key) {
  v1::StoredToken::Use use;
  use.set_node(node);
  use.set_machine_id("machine-of-" + node);
  use.set_public_key_sha256(key);
  return use;
}

v1::SpecGeneration ASpec(const std::string& source, uint64_t generation) {
  v1::SpecGeneration spec;
  spec.set_generation(generation);
  *spec.mutable_applied_at() = ToProto(kNoon);
  spec.set_applied_by("admin/alice");
  spec.mutable_bundle()->mutable_spec()->set_cluster("test");
  spec.mutable_bundle()->set_source(source);
  spec.mutable_bundle()->set_license(std::string("a\0b", 3));
  return spec;
}

v1::FindingMemory AMemory(const std::string& rule, v1::Outcome outcome) {
  v1::FindingMemory memory;
  memory.set_rule(rule);
  memory.add_memories()->set_outcome(outcome);
  v1::FindingMemory::Memory& of_node = *memory.add_memories();
  of_node.set_node("a");
  of_node.set_outcome(v1::UNKNOWN);
  of_node.set_last_known(outcome);
  *of_node.mutable_since() = ToProto(kNoon);
  return memory;
}

v1::AuditEntry AnEntry(const std::string& subject, Time at) {
  v1::AuditEntry entry;
  *entry.mutable_at() = ToProto(at);
  entry.set_action(v1::AuditEntry::REFRESHED);
  entry.set_actor("admin/alice");
  entry.set_address("192.0.2.7");
  entry.set_subject(subject);
  entry.set_why("the disk fails");
  return entry;
}

v1::Word AWord(v1::Word::Kind kind, const std::string& node) {
  v1::Word word;
  word.set_kind(kind);
  word.set_node(node);
  word.set_by("admin/alice");
  word.set_reason("the disk fails");
  *word.mutable_at() = ToProto(kNoon);
  return word;
}

v1::NodeMemory AMemoryOf(const std::string& node, v1::NodeState state) {
  v1::NodeMemory memory;
  memory.set_node(node);
  memory.set_state(state);
  *memory.mutable_since() = ToProto(kNoon);
  return memory;
}

v1::Rollout ARollout(uint64_t generation, std::chrono::seconds began) {
  v1::Rollout rollout;
  rollout.set_generation(generation);
  rollout.set_from(generation - 1);
  rollout.set_kind(v1::Rollout::TOGETHER);
  rollout.set_approved_by("admin/alice");
  *rollout.mutable_began_at() = ToProto(kNoon + began);
  *rollout.mutable_ended_at() = ToProto(kNoon + began + std::chrono::hours(1));
  rollout.set_end(v1::Rollout::DONE);
  rollout.add_nodes()->set_node("node-1");
  return rollout;
}

Store::PlanChange APlan(Store& store, const std::vector<v1::NodeMemory>& nodes) {
  Store::PlanChange change;
  const auto revision = store.PlanRevision();
  EXPECT_TRUE(revision.ok()) << revision.status();
  change.revision = revision.value_or(uint64_t{0});
  change.memory.set_serial(nodes.size());
  change.changed = nodes;
  return change;
}

Store::ChangeNode OfMachine(const std::string& machine_id) {
  return [machine_id](v1::NodeRecord& node) {
    node.set_machine_id(machine_id);
    *node.mutable_enrolled_at() = ToProto(kNoon);
    return absl::OkStatus();
  };
}

std::vector<std::string> EventTexts(const absl::StatusOr<std::vector<v1::Event>>& events) {
  std::vector<std::string> texts;
  if (!events.ok()) return {events.status().ToString()};
  for (const v1::Event& event : *events) texts.push_back(event.text());
  return texts;
}

std::vector<v1::Event> Events(Store& store) {
  EventQuery all;
  all.limit = std::numeric_limits<uint32_t>::max();
  auto events = store.ListEvents(all);
  EXPECT_TRUE(events.ok()) << events.status();
  return events.ok() ? *std::move(events) : std::vector<v1::Event>();
}

std::vector<v1::NodeReport> Reports(Store& store) {
  std::vector<v1::NodeReport> reports;
  const absl::Status visited = store.VisitReports([&](v1::NodeReport report) {
    reports.push_back(std::move(report));
    return absl::OkStatus();
  });
  EXPECT_TRUE(visited.ok()) << visited;
  return reports;
}

std::vector<v1::AuditEntry> Entries(Store& store) {
  auto entries = store.ListAudit(0, std::numeric_limits<uint32_t>::max());
  EXPECT_TRUE(entries.ok()) << entries.status();
  return entries.ok() ? *std::move(entries) : std::vector<v1::AuditEntry>();
}

bool AuditIsWhole(Store& store) {
  const auto entries = Entries(store);
  const auto anchor = store.GetAuditAnchor();
  const auto newest = store.NewestAuditId();
  if (!anchor.ok() || !newest.ok()) return false;
  return AuditHolds(entries, *anchor).ok() &&
         *newest == (entries.empty() ? 0 : entries.back().id());
}

std::string Everything(Store& store) {
  std::string all =
      absl::StrCat(Lines(store.ListNodes()), absl::StrJoin(Texts(Reports(store)), "\n"), "\n",
                   Lines(store.ListTokens()), Lines(store.ListAdmins()));
  const auto memories = store.GetMemories();
  if (!memories.ok()) return memories.status().ToString();
  const Time evaluated_at = memories->evaluated_at.value_or(Time{});
  absl::StrAppend(&all, FormatUtc(evaluated_at), absl::StrJoin(Texts(memories->findings), "\n"));
  const auto plan = store.GetPlan();
  if (!plan.ok()) return plan.status().ToString();
  absl::StrAppend(&all, plan->revision, plan->memory.ShortDebugString(),
                  absl::StrJoin(Texts(plan->words), "\n"), Lines(store.ListRollouts(1000)));
  const auto specs = store.ListSpecs();
  if (!specs.ok()) return specs.status().ToString();
  for (const v1::SpecGeneration& header : *specs) {
    const auto spec = store.GetSpec(header.generation());
    absl::StrAppend(&all, spec.ok() ? spec->ShortDebugString() : spec.status().ToString(), "\n");
  }
  const auto anchor = store.GetAuditAnchor();
  if (!anchor.ok()) return anchor.status().ToString();
  absl::StrAppend(&all, absl::StrJoin(Texts(Events(store)), "\n"), "\n",
                  absl::StrJoin(Texts(Entries(store)), "\n"), "\n",
                  anchor->has_value() ? (*anchor)->ShortDebugString() : "no anchor");
  return all;
}

void Furnish(Store& store) {
  for (const char* name : {"kept", "leaving", "left"}) {
    EXPECT_TRUE(store.AddNode(ANode(name)).ok());
    EXPECT_TRUE(store.PutReport(AReport(name, "1")).ok());
  }
  EXPECT_TRUE(store.RemoveNode("left", AnEntry(""), kNoon).ok());
  EXPECT_TRUE(
      store.PutMemories(kNoon, {AMemory("rule", v1::FAIL)}, {}, {AnEvent("", "rule", "it fails")})
          .ok());
  EXPECT_TRUE(store.AddSpec(ASpec("first"), 0, AnEvent("", "", "applied 1"), AnEntry("1")).ok());
  Store::PlanChange plan = APlan(store, {AMemoryOf("kept", v1::SERVING)});
  plan.ended = {ARollout(1)};
  EXPECT_TRUE(store.PutPlan(plan).ok());
  EXPECT_TRUE(store
                  .AddWord(AWord(v1::Word::CORDON, "kept"), AnEvent("kept", "", "cordoned"),
                           AnEntry("kept"))
                  .ok());
  EXPECT_TRUE(store.AddToken(AToken("token", 5), AnEntry("token")).ok());
  EXPECT_TRUE(store.ChangeAdminRecord("alice", MakeAdmin, AnEntry("alice")).ok());
}

std::vector<std::pair<std::string, absl::Status>> TryEveryWrite(Store& store) {
  const v1::Event event = AnEvent("kept", "", "tried");
  return {
      {"AddNode", store.AddNode(ANode("new"))},
      {"RemoveNode",
       store.RemoveNode("leaving", AnEntry(""), kNoon + std::chrono::hours(2)).status()},
      {"PurgeNodes", store.PurgeNodes(kNoon + std::chrono::hours(1)).status()},
      {"PutReport", store.PutReport(AReport("kept", "2"))},
      {"PutMemories", store.PutMemories(kNoon + std::chrono::seconds(9),
                                        {AMemory("rule", v1::PASS)}, {}, {event})},
      {"AddEvent", store.AddEvent(event).status()},
      {"AddEvents", store.AddEvents({event, event})},
      {"AddNodeChanges", store.AddNodeChanges("kept", {{1, event}}).status()},
      {"AddSpec", store.AddSpec(ASpec("second", 2), 1, event, AnEntry("2"))},
      {"PutPlan", store.PutPlan(APlan(store, {AMemoryOf("kept", v1::DRAINING)}))},
      {"AddWord", store.AddWord(AWord(v1::Word::DRAIN, "kept"), event, AnEntry("kept")).status()},
      {"RemoveWords", store.RemoveWords({1}, {event}, AnEntry("kept")).status()},
      {"AddToken", store.AddToken(AToken("another token", 1), AnEntry("another token"))},
      {"SpendToken",
       store.SpendToken("token", AUse("joins", "key"), OfMachine("m"), AnEntry("joins"), kNoon)
           .status()},
      {"RevokeToken", store.RevokeToken("token", AnEntry("token"))},
      {"ChangeAdminRecord", store.ChangeAdminRecord("bob", MakeAdmin, AnEntry("bob")).status()},
      {"AddAudit", store.AddAudit(AnEntry("audit"))},
      {"PruneAudit", store.PruneAudit(kNoon + std::chrono::hours(1))},
  };
}

}  // namespace connect_ha
