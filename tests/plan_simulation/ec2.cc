// What EC2 says of machines, and does with them when the time comes; and that a node which was
// heard to have such a word, while others serve, is out of service and stopped by then.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

constexpr std::chrono::minutes kInterrupts{2};
// Before it reboots a machine, or Auto Scaling ends one.
constexpr std::chrono::seconds kWarns[] = {std::chrono::minutes(20), std::chrono::minutes(6),
                                           std::chrono::minutes(61), std::chrono::hours(4)};

// In so many rounds a node is told, does as it is told, and says so.
constexpr uint32_t kRoundsItTakes = 3;
constexpr std::chrono::minutes kDrainTimeout{5};
constexpr std::chrono::seconds kStopping{30};
constexpr std::chrono::seconds kAskedEvery{10};
constexpr int kMostWakes = 8;

bool TakesUsers(v1::NodeState state) { return state == v1::SERVING || state == v1::OBSERVED; }

// What it was let do until now counts for nothing.
void BeginAnew(Departure& departure) {
  const std::optional<Time> at = departure.at;
  departure = {};
  departure.at = at;
}

}  // namespace

void World::Warn(size_t slot, Notice notice, Time::duration in, bool says_when) {
  Host& host = hosts_[slot];
  const bool goes = host.departure.at && IsCertain(host.notice);
  if (!host.exists || !host.power || goes) return;
  const Time at = now_ + in;
  host.notice = notice;
  host.notice_at.reset();
  if (says_when) host.notice_at = at;
  host.departure = {};
  host.departure.at = at;
}

bool World::DoByEc2(const Event& event, size_t slot) {
  Host& host = hosts_[slot];
  const auto span = kWarns[event.how % std::size(kWarns)];
  switch (event.kind) {
    case Kind::kNotice:
      if (host.departure.at) return true;
      host.notice = event.how % 2 == 0 ? Notice::kInterruption : Notice::kRebalance;
      break;
    case Kind::kInterruption:
      Warn(slot, Notice::kInterruption, kInterrupts, true);
      break;
    case Kind::kMaintenance:
      Warn(slot, Notice::kMaintenance, span, true);
      break;
    case Kind::kTerminating:
      Warn(slot, Notice::kTerminating, span, false);
      break;
    default:
      return false;
  }
  const std::optional<Time>& at = host.departure.at;
  Note(absl::StrCat(host.name, ": ", simulation::NameOf(event.kind),
                    at ? absl::StrCat(", at ", FormatUtc(*at).substr(11, 8)) : ""));
  return true;
}

// kMostNodes: none goes by then.
size_t World::NextToGo(Time end) const {
  size_t next = kMostNodes;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const std::optional<Time>& at = hosts_[i].departure.at;
    if (!at || *at > end) continue;
    if (next == kMostNodes || *at < *hosts_[next].departure.at) next = i;
  }
  return next;
}

void World::PassTo(Time end, bool lives) {
  for (size_t slot = NextToGo(end); slot < kMostNodes && !failure_; slot = NextToGo(end)) {
    const Time at = *hosts_[slot].departure.at;
    if (lives) LiveUntil(at);
    if (hosts_[slot].departure.at != at) continue;
    now_ = std::max(now_, at);
    Depart(slot);
  }
  now_ = std::max(now_, end);
}

// At once, when the plan wants to be asked, and shortly before `end`: each time nodes do as they
// are told for a few rounds.
void World::LiveUntil(Time end) {
  const Time last = end - (kRoundsItTakes + 1) * kRoundTakes;
  for (int i = 0; i < kMostWakes && now_ <= last; ++i) {
    for (uint32_t round = 0; round < kRoundsItTakes && !failure_; ++round) Round();
    const int leader = Leader();
    if (leader < 0) return;
    const auto index = static_cast<size_t>(leader);
    const std::optional<Time>& wake = coordinators_[index].wake_at();
    const Time next = wake ? Time(*wake - offsets_[index]) : last;
    now_ = std::clamp(next, now_, std::max(now_, last));
  }
}

// A machine that is taken does not come back; after a maintenance it boots again.
void World::Depart(size_t slot) {
  CheckOutInTime(slot);
  Host& host = hosts_[slot];
  const bool goes = IsCertain(host.notice);
  const bool lives = host.exists && host.power;
  host.notice = Notice::kNone;
  host.notice_at.reset();
  host.departure = {};
  host.taken = host.taken || goes;
  if (!lives) return;
  harmed_ = true;
  if (goes && Serves(host, Around())) Count(Sometimes::kGoesWhileItServes);
  PowerOff(slot);
  if (goes) return Note(absl::StrCat("EC2 takes the machine of ", host.name));
  Boot(host, Around(), subject_.agent);
  Note(absl::StrCat("EC2 boots ", host.name, " again", host.running ? ", and Connect starts" : ""));
  CheckStarted(slot, false);
}

// By what was known then nothing keeps it in service, nor from being stopped: enough others serve
// when all have left that were to leave.
bool World::IsToLeave(size_t slot, size_t knowledge) const {
  const Knowledge& known = knowledge_[knowledge];
  const NodeView& view = known.views[slot];
  const Report& report = view.report;
  const Notice notice = NoticeDue(known, slot);
  if (notice == Notice::kNone || notice == Notice::kRebalance) return false;
  const bool moves = view.member && view.fresh && !view.cloned && report.can_serve &&
                     report.allow == v1::ALLOW_SERVE && report.state != v1::OBSERVED &&
                     report.enforces && report.generation == known.generation &&
                     known.spec->enforcement() == v1::ENFORCE && !clock_jumped_ && !was_restored_;
  if (!moves) return false;
  size_t others = 0;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const NodeView& other = known.views[i];
    const Given* told = ToldBy(i, knowledge);
    const bool is_awaited = other.member && other.has_report && !other.heard && !other.lost;
    if (is_awaited) return false;
    const bool stays = told == nullptr || (told->state == other.report.state && !told->closed &&
                                           TakesUsers(told->state));
    if (i != slot && stays && ServedAsKnown(known, i)) ++others;
  }
  const bool is_out = IsCertain(notice) || report.state != v1::SERVING;
  return others >= (is_out ? 1 : known.spec->nodes().minimum_serving());
}

// After each decision that is told.
void World::NoteWhoStays(size_t knowledge) {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    Departure& departure = hosts_[i].departure;
    if (departure.at && !IsToLeave(i, knowledge)) BeginAnew(departure);
  }
}

// After a round, in which every node has said how it is, and was told.
void World::NoteRound() {
  const int leader = Leader();
  if (leader < 0) return;
  const size_t decided = pending_[static_cast<size_t>(leader)];
  const Knowledge& known = knowledge_[decided];
  const bool is_new = known.stored && now_ - known.at <= kAskedEvery;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Host& host = hosts_[i];
    Departure& departure = hosts_[i].departure;
    if (!departure.at) continue;
    if (!is_new || !Reaches(i) || !IsToLeave(i, decided)) {
      BeginAnew(departure);
      continue;
    }
    ++departure.rounds;
    const bool drains = known.views[i].report.state == v1::DRAINING;
    if (drains && !departure.closed_since) departure.closed_since = known.at;
    if (!departure.closed_since) continue;
    Time over = *departure.closed_since + kDrainTimeout;
    if (host.notice_at) over = std::min(over, Time(*host.notice_at - kStopping));
    if (known.at >= over) ++departure.rounds_after;
  }
}

void World::CheckOutInTime(size_t slot) {
  const Host& host = hosts_[slot];
  const Departure& departure = host.departure;
  const char* const what = IsCertain(host.notice) ? "takes its machine" : "reboots it";
  const bool is_asked = setup_.health_by_connect == 0;  // the gate
  if (departure.rounds >= kRoundsItTakes && is_asked && Serves(host, Around())) {
    Break("is-out-in-time", absl::StrCat(host.name, " serves as EC2 ", what));
  }
  if (departure.rounds_after < kRoundsItTakes) return;
  if (host.running && !host.by_hand) {
    Break("is-stopped-in-time", absl::StrCat("Connect runs on ", host.name, " as EC2 ", what));
  }
  if (host.running) return;
  Count(IsCertain(host.notice) ? Sometimes::kStoppedBeforeItGoes
                               : Sometimes::kStoppedForMaintenance);
}

}  // namespace connect_ha::simulation
