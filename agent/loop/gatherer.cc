#include "agent/loop/gatherer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/loop/make_printable.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr struct {
  Pool pool;
  int threads;
} kPools[] = {
    // What the gate goes by is asked whatever else hangs.
    {Pool::kGate, 1},
    {Pool::kPass, 2},
    // A database that does not answer leaves one for the clock and the storage.
    {Pool::kPoll, 2},
    // Two verifications at once would only take each other's disk.
    {Pool::kVerify, 1},
};
// Probes do not wait longer than this for the configuration; they then run without.
constexpr milliseconds kConfigDeadline{5'000};
constexpr milliseconds kFirstReadAgain{1'000};
// What may change Connect's configuration without a change of its file.
constexpr uint32_t kConfigTriggers = kOnConfiguration | kOnUnits | kOnMounts;

int ThreadsOf(Pool pool) {
  for (const auto& row : kPools) {
    if (row.pool == pool) return row.threads;
  }
  return 0;
}

Pool PoolOf(const Probe& probe) {
  if ((probe.triggers & kOnGate) != 0) return Pool::kGate;
  switch (probe.pace) {
    case Pace::kPass:
      return Pool::kPass;
    case Pace::kPoll:
      return Pool::kPoll;
    case Pace::kVerify:
      break;
  }
  return Pool::kVerify;
}

absl::string_view Root(absl::string_view path) { return path.substr(0, path.find('.')); }

bool SameKeys(const LoadedConfig& a, const LoadedConfig& b) {
  if (a.status != b.status) return false;
  if (a.config == nullptr || b.config == nullptr) return a.config == b.config;
  const auto same = [](const ConnectConfig::Key& x, const ConnectConfig::Key& y) {
    return x.section == y.section && x.subsection == y.subsection && x.name == y.name &&
           x.values == y.values && x.from_environment == y.from_environment;
  };
  const auto& x = a.config->keys();
  const auto& y = b.config->keys();
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), same);
}

milliseconds ToMilliseconds(const google::protobuf::Duration& duration) {
  return milliseconds(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
}

}  // namespace

Gatherer::Gatherer(GathererOptions options, Host& host, ProbeCache& cache)
    : options_(std::move(options)), host_(host), cache_(cache) {
  for (const Probe& probe : options_.probes) {
    Slot slot;
    slot.probe = &probe;
    slots_.push_back(std::move(slot));
  }
  for (const auto& row : kPools) {
    for (int i = 0; i < row.threads; ++i) {
      workers_.emplace_back([this, pool = row.pool] { Work(pool); });
    }
  }
}

Gatherer::~Gatherer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

milliseconds Gatherer::Interval(Pace pace) const {
  switch (pace) {
    case Pace::kPass:
      return options_.pass_interval;
    case Pace::kPoll:
      return ToMilliseconds(options_.agent_config.poll_interval());
    default:
      return ToMilliseconds(options_.agent_config.verify_interval());
  }
}

void Gatherer::Request(Slot& slot, uint64_t round, SteadyTime now) {
  slot.wanted_round = std::max(slot.wanted_round, round);
  slot.due = now + Interval(slot.probe->pace);
  if (slot.state == State::kRunning) slot.again = true;
  if (slot.state != State::kIdle) return;
  slot.state = State::kQueued;
  slot.since = now;
  slot.queued_at = host_.Now();
  queue_.push_back(&slot);
}

void Gatherer::ReadAgainSoon(Slot& slot, bool cut_short, SteadyTime now) {
  const auto unsettled = slot.probe->unsettled;
  if (!cut_short && (unsettled == nullptr || !unsettled(slot.facts))) {
    slot.soon = {};
    return;
  }
  // What a busy node did not end would only keep it busy if it was begun again at once.
  const milliseconds first = cut_short ? Interval(Pace::kPoll) : kFirstReadAgain;
  slot.soon = std::min(std::max(slot.soon * 2, first), Interval(slot.probe->pace));
  slot.due = std::min(slot.due, now + slot.soon);
}

// What a kVerify probe found out is reported by the kPass probe of the same noun.
void Gatherer::RequestFollowers(const Slot& verified, SteadyTime now) {
  for (Slot& slot : slots_) {
    if (slot.probe->pace == Pace::kPass && Root(slot.probe->path) == Root(verified.probe->path)) {
      Request(slot, verified.running_round, now);
    }
  }
}

void Gatherer::Start(uint32_t triggers, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Who keeps the gate may be the first to ask, when everything is due.
  if (round_ == 0 && triggers == kOnGate) return RequestForGate(now);
  bool pass = false;
  for (Slot& slot : slots_) {
    const bool verify = slot.probe->pace == Pace::kVerify;
    if (verify && !options_.verify) continue;
    const bool due = slot.due <= now;
    const bool triggered = (slot.probe->triggers & triggers) != 0;
    if (!due && !triggered) continue;
    if (triggered) slot.soon = {};
    if (due && slot.probe->pace == Pace::kPass) pass = true;
    Request(slot, slot.wanted_round, now);
  }
  if (pass || (triggers & kConfigTriggers) != 0) WantConfig();
  if (config_wanted_ || !queue_.empty()) work_.notify_all();
}

void Gatherer::StartForGate(SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  RequestForGate(now);
}

void Gatherer::RequestForGate(SteadyTime now) {
  for (Slot& slot : slots_) {
    if (PoolOf(*slot.probe) != Pool::kGate || slot.state != State::kIdle) continue;
    WantConfig();
    Request(slot, slot.wanted_round, now);
  }
  work_.notify_all();
}

void Gatherer::WantConfig() {
  if (!config_wanted_ && !config_loading_) config_since_ = steady_clock::now();
  config_wanted_ = true;
}

uint64_t Gatherer::StartAll(SteadyTime now) { return StartRound(true, now); }

uint64_t Gatherer::StartPass(SteadyTime now) { return StartRound(false, now); }

uint64_t Gatherer::StartRound(bool verify, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++round_;
  WantConfig();
  for (Slot& slot : slots_) {
    if (verify || slot.probe->pace != Pace::kVerify) Request(slot, round_, now);
  }
  work_.notify_all();
  return round_;
}

bool Gatherer::Busy(bool quick_only) const {
  if (config_wanted_ || config_loading_) return true;
  return std::any_of(slots_.begin(), slots_.end(), [quick_only](const Slot& slot) {
    return slot.state != State::kIdle && !slot.hung &&
           (!quick_only || slot.probe->pace == Pace::kPass);
  });
}

bool Gatherer::Wait(milliseconds patience, bool quick_only) {
  std::unique_lock<std::mutex> lock(mutex_);
  waited_for_ = true;
  waited_for_quick_ = quick_only;
  const bool done =
      done_.wait_until(lock, steady_clock::now() + patience, [&] { return !Busy(quick_only); });
  waited_for_ = false;
  return done;
}

bool Gatherer::WaitForQuick(milliseconds patience) { return Wait(patience, true); }

bool Gatherer::WaitForAll(milliseconds patience) { return Wait(patience, false); }

bool Gatherer::AllThreadsAreHeld(Pool pool, SteadyTime now) const {
  const auto held = std::count_if(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return PoolOf(*slot.probe) == pool && slot.state == State::kRunning && IsLate(slot, now);
  });
  return held >= ThreadsOf(pool);
}

bool Gatherer::IsLate(const Slot& slot, SteadyTime now) const {
  if (slot.state == State::kIdle || now - slot.since <= slot.probe->deadline) return false;
  return slot.state == State::kRunning || AllThreadsAreHeld(PoolOf(*slot.probe), now);
}

bool Gatherer::Done(uint64_t round, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (config_wanted_) return false;
  return std::all_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    if (IsLate(slot, now)) return true;
    if (slot.wanted_round < round) return true;  // it was not asked for
    return slot.done_round >= round && slot.state == State::kIdle;
  });
}

bool Gatherer::Changed(SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Slot& slot : slots_) {
    if (slot.hung || !IsLate(slot, now)) continue;
    slot.hung = true;
    changed_ = true;
  }
  return std::exchange(changed_, false);
}

SteadyTime Gatherer::NextDue() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  SteadyTime next = SteadyTime::max();
  for (const Slot& slot : slots_) {
    const bool paced = options_.verify || slot.probe->pace != Pace::kVerify;
    if (paced) next = std::min(next, slot.due);
    if (slot.hung || slot.state == State::kIdle) continue;
    // One that waits is late at the earliest when those that run are.
    const SteadyTime late = slot.since + slot.probe->deadline + milliseconds(1);
    if (slot.state == State::kRunning || AllThreadsAreHeld(PoolOf(*slot.probe), late)) {
      next = std::min(next, late);
    }
  }
  return next;
}

bool Gatherer::Idle() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !config_wanted_ && !config_loading_ &&
         std::all_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return slot.state == State::kIdle; });
}

// Where all the other threads are held nobody reads it, and the gate's waits no longer, either.
bool Gatherer::ConfigIsReady(SteadyTime now) const {
  if (!config_wanted_ && !config_loading_) return true;
  return now - config_since_ > kConfigDeadline;
}

Gatherer::Slot* Gatherer::TakeNext(Pool pool) {
  if (!ConfigIsReady(steady_clock::now())) return nullptr;
  const auto next = std::find_if(queue_.begin(), queue_.end(),
                                 [pool](const Slot* slot) { return PoolOf(*slot->probe) == pool; });
  if (next == queue_.end()) return nullptr;
  Slot* slot = *next;
  queue_.erase(next);
  return slot;
}

void Gatherer::Work(Pool pool) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    // That may hang, too.
    if (config_wanted_ && !config_loading_ && pool != Pool::kGate) {
      LoadConfig(lock);
    } else if (Slot* slot = TakeNext(pool)) {
      RunProbe(lock, *slot);
    } else if ((config_wanted_ || config_loading_) && !queue_.empty()) {
      work_.wait_for(lock, kConfigDeadline);
    } else {
      work_.wait(lock);
    }
  }
}

void Gatherer::LoadConfig(std::unique_lock<std::mutex>& lock) {
  config_wanted_ = false;
  config_loading_ = true;
  config_since_ = steady_clock::now();
  lock.unlock();
  LoadedConfig loaded = options_.load_config();
  lock.lock();
  const SteadyTime now = steady_clock::now();
  config_loading_ = false;
  const bool changed = !SameKeys(config_, loaded);
  config_ = std::move(loaded);
  for (Slot& slot : slots_) {
    const bool depends = (slot.probe->triggers & kOnConfiguration) != 0;
    const bool is_stale = slot.without_config || (changed && slot.ran);
    if (is_stale && depends && (options_.verify || slot.probe->pace != Pace::kVerify)) {
      Request(slot, slot.wanted_round, now);
    }
  }
  work_.notify_all();
  done_.notify_all();
}

void Gatherer::RunProbe(std::unique_lock<std::mutex>& lock, Slot& slot) {
  const Probe& probe = *slot.probe;
  slot.state = State::kRunning;
  slot.again = false;
  slot.running_round = slot.wanted_round;
  slot.since = steady_clock::now();
  slot.hung = false;  // it may have waited long for a thread; from here on its own time counts
  slot.started_at = host_.Now();
  const Time started_at = slot.started_at;
  LoadedConfig config = config_;
  // Connect is asked where it was asked last.
  const bool keeps_last = PoolOf(probe) == Pool::kGate && config_.config != nullptr;
  slot.without_config = (config_wanted_ || config_loading_) && !keeps_last;
  if (slot.without_config) {
    config = {nullptr,
              absl::DeadlineExceededError("Connect's configuration could not be read in time"),
              {}};
  }
  lock.unlock();

  v1::Facts facts;
  const ProbeInput input{host_,
                         options_.agent_config,
                         config.config,
                         config.status,
                         options_.digest_key,
                         started_at,
                         cache_,
                         config.accounts,
                         config.reads_pinned,
                         options_.state_dir};
  const absl::Status status = probe.read(input, facts);
  if (!status.ok()) {
    facts.Clear();
    if (probe.pace != Pace::kVerify || !OwnsPart(slot)) {
      MarkUnobserved(facts, probe.path, std::string(status.message()));
    }
  }
  MakePrintable(facts);

  lock.lock();
  const SteadyTime now = steady_clock::now();
  slot.facts = std::move(facts);
  slot.failed = !status.ok();
  slot.duration = std::chrono::duration_cast<std::chrono::microseconds>(now - slot.since);
  slot.ran = true;
  slot.hung = false;
  slot.done_round = slot.running_round;
  slot.state = State::kIdle;
  changed_ = true;
  ReadAgainSoon(slot, probe.pace == Pace::kVerify && absl::IsDeadlineExceeded(status), now);
  if (slot.again) Request(slot, slot.wanted_round, now);
  if (probe.pace == Pace::kVerify) RequestFollowers(slot, now);
  // What waited for this pace this thread takes itself; the others look at what was just asked for.
  if (slot.again || probe.pace == Pace::kVerify) work_.notify_all();
  if (waited_for_ && !Busy(waited_for_quick_)) done_.notify_all();
  if (waited_for_ || !options_.on_done) return;
  lock.unlock();
  options_.on_done();
  lock.lock();
}

// Another probe, a kPass one, writes the part at this probe's path.
bool Gatherer::OwnsPart(const Slot& slot) const {
  return std::any_of(slots_.begin(), slots_.end(), [&slot](const Slot& other) {
    return other.probe->pace == Pace::kPass &&
           absl::string_view(other.probe->path) == slot.probe->path;
  });
}

void Gatherer::ReportSlot(const Slot& slot, SteadyTime now, v1::Facts& facts) const {
  const Probe& probe = *slot.probe;
  const bool verify = probe.pace == Pace::kVerify;
  if (slot.hung && !(verify && OwnsPart(slot))) {
    // The moment that was written down, not one that is reckoned from the age: a report is a
    // changed one only when something changed.
    const bool queued = slot.state == State::kQueued;
    MarkUnobserved(facts, probe.path,
                   absl::StrCat("probe ", probe.name,
                                queued ? " has been queued since " : " has not come back since ",
                                FormatUtc(queued ? slot.queued_at : slot.started_at)));
  } else if (slot.ran) {
    facts.MergeFrom(slot.facts);
  } else if (!verify) {
    MarkUnobserved(facts, probe.path, "not read yet");
  }
  const bool has_begun = slot.ran || slot.state == State::kRunning;
  if (!has_begun && !slot.hung) return;
  v1::ProbeRun& run = *facts.add_runs();
  run.set_probe(probe.name);
  // Of one that hangs for want of a thread, since when it waits for one.
  const bool waits = slot.hung && slot.state == State::kQueued;
  *run.mutable_started_at() = ToProto(waits ? slot.queued_at : slot.started_at);
  const bool running = slot.state == State::kRunning;
  const auto span = running
                        ? std::chrono::duration_cast<std::chrono::microseconds>(now - slot.since)
                        : slot.duration;
  run.set_duration_us(span.count());
  run.set_state(slot.hung     ? v1::ProbeRun::HUNG
                : running     ? v1::ProbeRun::RUNNING
                : slot.failed ? v1::ProbeRun::FAILED
                              : v1::ProbeRun::DONE);
}

v1::Facts Gatherer::Collect(SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  v1::Facts facts;
  for (const Slot& slot : slots_) ReportSlot(slot, now, facts);
  return facts;
}

}  // namespace connect_ha
