// Heartbeats, whole or in pieces, and what agents do between them.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/assignment/standing.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

constexpr size_t kMostMessages = 6;
constexpr uint32_t kMostSteps = 12;

std::string StateText(v1::NodeState state) { return v1::NodeState_Name(state); }

bool IsWritten(const Host& host) {
  return host.configuration == WantedBy(host.held.desired()).configuration;
}

}  // namespace

// Not yet: seldom.
Looks LooksBy(uint32_t how) { return how % 16 == 15 ? Looks::kNotYet : Looks::kAnew; }

std::optional<Answer> World::Ask(size_t slot, const Report& report, int coordinator) {
  Coordinator& asked = coordinators_[static_cast<size_t>(coordinator)];
  const bool was_up = asked.up();
  std::optional<Answer> answer = asked.Hear(store_, slot, report, hosts_[slot].cloned,
                                            ClockOf(static_cast<size_t>(coordinator)));
  if (was_up && !asked.up()) {
    Count(Sometimes::kOvertaken);
    Note(absl::StrCat("coordinator ", coordinator, " finds that another has the store, and ends"));
  }
  return answer;
}

void World::Deliver(size_t slot, const Answer& answer) {
  Host& host = hosts_[slot];
  if (answer.removed) {
    host.held.set_removed(true);
    host.held.set_state(v1::OBSERVED);
    host.disk = host.held;
    return;
  }
  if (!answer.response.has_order()) return;  // it is told nothing
  host.told = true;
  const v1::Order held = host.held.order();
  const Before before = {host.held.state(), host.running,
                         host.running && (host.jobs > 0 || !host.jobs_known),
                         Serves(host, Around()) && !host.held.closed(), host.held.closed()};
  const Taken taken = Take(host, answer.response, subject_.agent);
  if (taken != Taken::kNothing) TakeAhead(host, answer.response);
  if (taken == Taken::kNothing) Count(Sometimes::kOlderOrderRefused);
  if (IsBelow(host.held.order(), held)) {
    Break("orders-only-grow", absl::StrCat(host.name, " took an order below the one it held"));
  }
  if (taken != Taken::kMoved) return;
  Note(absl::StrCat(host.name, " is told to be ", StateText(host.held.state()),
                    host.held.closed() ? ", closed" : "", ", was ", StateText(before.state),
                    "; order ", host.held.order().epoch(), ".", host.held.order().serial()));
  CheckObeyed(slot, before);
  CheckGate(slot);
}

Report World::Tell(Host& host, Looks looks) {
  Report report = Say(host, Around(), subject_.agent, looks);
  if (report.connect_runs != host.running) {
    Count(Sometimes::kTellsOfEarlier);
    Note(absl::StrCat(host.name, " tells that Connect ", report.connect_runs ? "runs" : "rests",
                      ", as it was when it looked last"));
  }
  return report;
}

void World::Call(size_t slot, int coordinator, Looks looks) {
  Host& host = hosts_[slot];
  NoteAlive(host, now_);
  if (coordinator < 0 || !Reaches(slot)) return;
  ++host.call;
  const std::optional<Answer> answer = Ask(slot, Tell(host, looks), coordinator);
  if (answer) Deliver(slot, *answer);
}

void World::CallAll() {
  for (size_t i = 0; i < hosts_.size(); ++i) Call(i, Leader());
}

void World::Send(size_t slot, Looks looks) {
  if (!Reaches(slot) || messages_.size() >= kMostMessages) return;
  Host& host = hosts_[slot];
  was_sent_ = true;
  Message& message = messages_.emplace_back();
  message.slot = slot;
  message.machine = host.machine;
  message.call = ++host.call;
  message.report = Tell(host, looks);
  Note(absl::StrCat(host.name, " calls; it is on its way"));
}

void World::TakeRequest(uint32_t which, int coordinator) {
  if (coordinator < 0 || messages_.empty()) return;
  const size_t index = which % messages_.size();
  if (messages_[index].is_answer) return;
  Message message = messages_[index];
  if (!std::exchange(messages_[index].kept, false)) {
    messages_.erase(messages_.begin() + static_cast<ptrdiff_t>(index));
  }
  if (hosts_[message.slot].cut) return;
  std::optional<Answer> answer = Ask(message.slot, message.report, coordinator);
  if (!answer) return;
  message.is_answer = true;
  message.kept = false;
  message.answer = *std::move(answer);
  Note(absl::StrCat("a call of ", NameOf(message.slot), " arrives; the answer is on its way"));
  if (messages_.size() < kMostMessages) messages_.push_back(std::move(message));
}

// A late answer to an earlier call is nobody's any more.
void World::HearAnswer(uint32_t which) {
  if (messages_.empty()) return;
  const size_t index = which % messages_.size();
  if (!messages_[index].is_answer) return;
  const Message message = std::move(messages_[index]);
  messages_.erase(messages_.begin() + static_cast<ptrdiff_t>(index));
  const Host& host = hosts_[message.slot];
  const bool waits = host.machine == message.machine && host.call == message.call;
  if (!Reaches(message.slot) || !waits) return;
  Note(absl::StrCat(host.name, " gets its answer"));
  Deliver(message.slot, message.answer);
}

void World::Lose(uint32_t which) {
  if (messages_.empty()) return;
  messages_.erase(messages_.begin() + static_cast<ptrdiff_t>(which % messages_.size()));
  Note("a message is lost");
}

void World::Repeat(uint32_t which) {
  if (messages_.empty()) return;
  messages_[which % messages_.size()].kept = true;
}

void World::Work(size_t slot, uint32_t steps) {
  Host& host = hosts_[slot];
  for (uint32_t i = 0; i < steps; ++i) {
    const bool was_running = host.running;
    const bool had_failed = StartFailed(host);
    const bool was_as_told = IsWritten(host);
    const bool was_migrating = IsMigrating(host, now_);
    const bool by_hand = host.by_hand;
    const uint32_t had = host.runtimes;
    const std::string did = simulation::Work(host, Around(), subject_.agent);
    if (did.empty()) return;
    Note(absl::StrCat(host.name, " ", did));
    if (StartFailed(host) && !had_failed) Count(Sometimes::kStartFailed);
    if (host.running && did.find("reload") != std::string::npos) Count(Sometimes::kReloads);
    if (was_as_told && !IsWritten(host)) {
      Break("what-is-ahead-has-no-effect",
            absl::StrCat(host.name, " has another configuration than the one in force"));
    }
    if (was_migrating && !host.running) CheckMigrationStopped(slot, by_hand);
    host.mistaken = host.mistaken && (host.running || !was_running);
    CheckRemoved(slot, had);
    CheckStarted(slot, was_running);
    CheckGate(slot);
  }
}

void World::Round(uint32_t how) {
  PassTo(now_ + kRoundTakes, false);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (!hosts_[i].exists) continue;
    Work(i, kMostSteps);
    Call(i, Leader(), LooksBy(how >> i));
  }
  PlanAll(Leader());
  CallAll();
  NoteRound();
}

}  // namespace connect_ha::simulation
