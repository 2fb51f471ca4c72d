#include "coordinator/cluster/roster_node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/cluster/roster_text.h"

namespace connect_ha {

v1::Event MakeEvent(v1::Event::Kind kind, const std::string& node, const std::string& text,
                    Time now) {
  v1::Event event;
  *event.mutable_at() = ToProto(now);
  event.set_kind(kind);
  event.set_node(node);
  event.set_actor("coordinator");
  event.set_text(text);
  return event;
}

bool Roster::Node::Holds(const v1::HeartbeatRequest& request) const {
  return facts != nullptr && !digest.empty() && digest == request.facts_digest() &&
         machine_id == request.machine_id() && boot_id == request.boot_id();
}

void Roster::Node::Hold(const v1::HeartbeatRequest& request, std::shared_ptr<const v1::Facts> taken,
                        Time now) {
  facts = std::move(taken);
  digest = request.facts_digest();
  machine_id = request.machine_id();
  boot_id = request.boot_id();
  facts_received_at = now;
  outdated_since.reset();
}

void Roster::Node::WasStillHeard(Time at) {
  if (last_seen && *last_seen < at) last_seen = at;
}

void Roster::Node::Forget() {
  last_seen.reset();
  heard = lost = in_conflict = false;
  claimants = Claimants();
  clock.Clear();
  gathered = reported_generation = 0;
  reported_applied_at.reset();
  allow = v1::ALLOW_UNSPECIFIED;
  facts.reset();
  digest.clear();
  facts_received_at.reset();
  outdated_since.reset();
  convergence.reset();
  convergence_asked_at.reset();
  told_state = v1::Convergence::STATE_UNSPECIFIED;
  told_text.clear();
  assigned = v1::NODE_STATE_UNSPECIFIED;
  ahead = false;
}

std::vector<v1::Event> Roster::Node::Hear(const v1::HeartbeatRequest& request,
                                          const std::string& address,
                                          std::chrono::microseconds stale_after, Time now) {
  std::vector<v1::Event> events;
  if (std::exchange(lost, false)) {
    const auto away = last_seen ? now - *last_seen : std::chrono::microseconds(0);
    events.push_back(
        MakeEvent(v1::Event::NODE_BACK, name, absl::StrCat("back after ", FormatSpan(away)), now));
  }
  claimants.Heard(request.machine_id(), request.boot_id(), address, now);
  claimants.ForgetBefore(now - stale_after);
  NoteConflict(now, events);
  last_seen = now;
  heard = true;
  agent_version = request.agent_version();
  reported_state = request.reported_state();
  reported_generation = request.reported_generation();
  reported_applied_at.reset();
  if (request.has_reported_applied_at()) reported_applied_at = request.reported_applied_at();
  allow = request.allow();
  if (request.has_last_exchange()) clock.Add(request.last_exchange());
  if (request.has_convergence() && !in_conflict) {
    NoteConvergence(request.convergence(), now, events);
  }
  if (Holds(request)) {
    outdated_since.reset();
  } else if (!outdated_since) {
    outdated_since = now;
  }
  return events;
}

void Roster::Node::NoteConflict(Time now, std::vector<v1::Event>& events) {
  if (claimants.conflict() == in_conflict) return;
  in_conflict = !in_conflict;
  clock.Clear();  // of which machine?
  events.push_back(MakeEvent(v1::Event::NODE_CONFLICT, name,
                             (in_conflict ? "two live machines claim this name: "
                                          : "one machine is left under this name: ") +
                                 claimants.Describe(),
                             now));
}

// What is said while it goes on (steps, retries of one trouble) is no event, nor is the first that
// is heard of a node since the coordinator started: it may have been told before.
void Roster::Node::NoteConvergence(const v1::Convergence& said, Time now,
                                   std::vector<v1::Event>& events) {
  const bool first = !convergence.has_value();
  convergence = said;
  const bool retried =
      said.state() == v1::Convergence::CHANGING && told_state == v1::Convergence::WAITING;
  if (said.state() == v1::Convergence::LOOKING || retried) return;
  std::string text = ConvergenceText(said);
  if (said.state() == told_state && text == told_text) return;
  told_state = said.state();
  told_text = text;
  if (first) return;
  events.push_back(MakeEvent(v1::Event::CONVERGENCE_CHANGED, name, text, now));
}

v1::NodeSnapshot Roster::Node::Said() const {
  v1::NodeSnapshot said;
  said.set_name(name);
  said.set_reported_state(reported_state);
  said.set_reported_generation(reported_generation);
  if (reported_applied_at) *said.mutable_reported_applied_at() = *reported_applied_at;
  said.set_allow(allow);
  if (convergence) *said.mutable_convergence() = *convergence;
  for (v1::Claimant& claimant : claimants.Current()) *said.add_claimants() = std::move(claimant);
  return said;
}

}  // namespace connect_ha
