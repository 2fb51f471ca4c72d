// What the tests of stores put into them, and what they take out.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "coordinator/store/store.h"

namespace connect_ha {

inline constexpr Time kNoon{std::chrono::seconds(1'700'000'000)};

v1::NodeRecord ANode(const std::string& name);
v1::NodeReport AReport(const std::string& node, const std::string& digest);
v1::Event AnEvent(const std::string& node, const std::string& rule, const std::string& text);
// For an hour from noon.
v1::StoredToken AToken(const std::string& id, uint32_t uses);
v1::StoredToken::Use AUse(const std::string& node, const std::string& key);
v1::SpecGeneration ASpec(const std::string& source, uint64_t generation = 1);
v1::FindingMemory AMemory(const std::string& rule, v1::Outcome outcome);
v1::AuditEntry AnEntry(const std::string& subject, Time at = kNoon);
v1::Word AWord(v1::Word::Kind kind, const std::string& node);
v1::NodeMemory AMemoryOf(const std::string& node, v1::NodeState state);
// A change to this generation that began so long after noon and was done an hour later.
v1::Rollout ARollout(uint64_t generation, std::chrono::seconds began = {});
// Of the store's revision, with as many orders as nodes.
Store::PlanChange APlan(Store& store, const std::vector<v1::NodeMemory>& nodes);
// Makes the node's record that of this machine.
Store::ChangeNode OfMachine(const std::string& machine_id);

template <typename Message>
std::vector<std::string> Texts(const std::vector<Message>& messages) {
  std::vector<std::string> texts;
  for (const Message& message : messages) texts.push_back(message.ShortDebugString());
  return texts;
}

std::vector<std::string> EventTexts(const absl::StatusOr<std::vector<v1::Event>>& events);
// All of them; what cannot be read fails the test.
std::vector<v1::Event> Events(Store& store);
std::vector<v1::NodeReport> Reports(Store& store);
std::vector<v1::AuditEntry> Entries(Store& store);
// The entries are unbroken up to the newest.
bool AuditIsWhole(Store& store);
std::string Everything(Store& store);

// Into an empty store: something of each kind.
void Furnish(Store& store);
// Every write that there is, once, by its name. On a store that was furnished each can succeed.
std::vector<std::pair<std::string, absl::Status>> TryEveryWrite(Store& store);

}  // namespace connect_ha
