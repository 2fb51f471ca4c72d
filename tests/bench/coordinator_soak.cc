// A day of a large cluster in some minutes: roster, evaluator and store as the coordinator has
// them, with no sockets. Memory and the store must stay as large as they are after the first hours.
//
// coordinator_soak [NODES [HOURS]] [--json]
//
// A node calls once a simulated minute, which stands for six calls in ten seconds: nothing is kept
// of an unchanged call but its time. Each minute 1 % of the nodes report other facts, in every
// thirteenth such that rules fail until these nodes' next change. Each hour some nodes are silent
// for longer than they may be, guests enrol and are removed, and what is old of removed nodes and
// of the audit log is let go of.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/bench_cluster.h"
#include "tests/bench/bench_roster.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Steady = std::chrono::steady_clock;

constexpr size_t kGuests = 50;
// No divisor of the hundred minutes after which it is the same nodes' turn.
constexpr int kWrongEvery = 13;
constexpr int kAuditEntriesAMinute = 10;
constexpr hours kAuditKept{6};
// A removed node's record is kept while a certificate of it may be valid. A day has no removal that
// is so old: guests are removed as of then.
constexpr hours kRemovedBefore{32 * 24};
constexpr hours kRecordsKept{31 * 24};
// Of the last quarter's memory to the first's.
constexpr double kMostRatio = 1.05;

void Require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "soak: %s\n", what.c_str());
  std::exit(1);
}

template <typename Value>
Value Must(absl::StatusOr<Value> value) {
  Require(value.ok(), value.status().ToString());
  return *std::move(value);
}

double Mean(const std::vector<double>& values, size_t first, size_t count) {
  const auto begin = values.begin() + static_cast<long>(first);
  return std::accumulate(begin, begin + static_cast<long>(count), 0.0) / static_cast<double>(count);
}

class Soak {
 public:
  Soak(int count, Time now) : nodes_(BenchNames(count)), roster_(count, now), now_(now) {
    for (size_t i = 0; i < kGuests; ++i) guests_.push_back(absl::StrCat("guest-", i));
  }

  void Minute(int minute) {
    now_ += minutes(1);
    roster_.Beat(Calling(minute % 60), now_);
    const bool wrong = minute % kWrongEvery == 0;
    roster_.Change(Changing(minute), minute, now_,
                   wrong ? BenchRoster::Version::kAnother : BenchRoster::Version::kAsSpecified);
    if (minute % 60 < 50 && minute % 60 > 5) roster_.Beat(guests_, now_);
    if (minute % 60 == 5) Arrive();
    if (minute % 60 == 50) Leave();
    if (minute % 60 == 55) LetGo();
    WriteAudit();
    roster_.evaluator().Tick(now_);
    resident_.push_back(ResidentMiBOf(getpid()));
  }

  void PrintHour(int hour) {
    const auto events = Must(roster_.store().ListEvents({/*after_id=*/0, /*limit=*/1, "", ""}));
    const auto anchor = Must(roster_.store().GetAuditAnchor());
    const uint64_t audit =
        Must(roster_.store().NewestAuditId()) - (anchor.has_value() ? anchor->id() : 0);
    std::printf("%4d %8.0f %9.1f %9.1f %10llu %8llu %8zu\n", hour,
                std::chrono::duration<double>(Steady::now() - begun_).count(), resident_.back(),
                roster_.StoreMiB(),
                static_cast<unsigned long long>(events.empty() ? 0 : events.back().id()),
                static_cast<unsigned long long>(audit), Must(roster_.store().ListNodes()).size());
    std::fflush(stdout);
  }

  // Of each minute.
  const std::vector<double>& resident() const { return resident_; }

 private:
  // From minute 20 to 24 of each hour, one in a hundred is silent for longer than it may be.
  std::vector<std::string> Calling(int minute) const {
    if (minute < 20 || minute > 24) return nodes_;
    std::vector<std::string> calling;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (i % 100 != 99) calling.push_back(nodes_[i]);
    }
    return calling;
  }
  std::vector<std::string> Changing(int minute) const {
    const size_t count = std::max<size_t>(1, nodes_.size() / 100);
    std::vector<std::string> changing;
    for (size_t i = 0; i < count; ++i) {
      const size_t at = (static_cast<size_t>(minute) * count + i) % nodes_.size();
      if (at % 100 != 99) changing.push_back(nodes_[at]);
    }
    return changing;
  }
  void Arrive() {
    for (const std::string& guest : guests_) roster_.Enrol(guest, now_);
    roster_.Change(guests_, 0, now_);
  }
  void Leave() {
    for (const std::string& guest : guests_) roster_.Remove(guest, now_ - kRemovedBefore);
  }
  void LetGo() {
    Must(roster_.store().PurgeNodes(now_ - kRecordsKept));
    Require(Must(roster_.store().ListNodes()).size() == nodes_.size(),
            "records of nodes that were removed long ago are kept");
    const absl::Status pruned = roster_.store().PruneAudit(now_ - kAuditKept);
    Require(pruned.ok(), pruned.ToString());
  }
  void WriteAudit() {
    for (int i = 0; i < kAuditEntriesAMinute; ++i) {
      v1::AuditEntry entry;
      *entry.mutable_at() = ToProto(now_);
      entry.set_action(v1::AuditEntry::REFRESHED);
      entry.set_actor("admin/bench");
      const absl::Status added = roster_.store().AddAudit(entry);
      Require(added.ok(), added.ToString());
    }
  }

  const std::vector<std::string> nodes_;
  std::vector<std::string> guests_;
  BenchRoster roster_;
  Time now_;
  const Steady::time_point begun_ = Steady::now();
  std::vector<double> resident_;
};

int Run(int nodes, int length, bool json) {
  std::printf("%d nodes, %d simulated hours, a call of each a minute, 1 %% changing each minute\n",
              nodes, length);
  Soak soak(nodes, BenchNow());
  std::printf("%4s %8s %9s %9s %10s %8s %8s\n", "hour", "real s", "RSS MiB", "store MiB", "events",
              "audit", "records");
  for (int minute = 0; minute < length * 60; ++minute) {
    soak.Minute(minute);
    if (minute % 60 == 59) soak.PrintHour(minute / 60 + 1);
  }
  const auto& resident = soak.resident();
  const size_t quarter = resident.size() / 4;
  const double first = Mean(resident, 0, quarter);
  const double last = Mean(resident, resident.size() - quarter, quarter);
  std::printf("RSS of the last quarter to the first's: %.1f / %.1f MiB = %.3f (aim <= %.2f)\n",
              last, first, last / first, kMostRatio);
  if (json) std::printf("{\"soak_last_of_first\": %.3f}\n", last / first);
  return last / first <= kMostRatio ? 0 : 1;
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);
  std::vector<std::string> args(argv + 1, argv + argc);
  const bool json = std::erase(args, "--json") > 0;
  const int nodes = args.empty() ? 10'000 : std::atoi(args[0].c_str());
  const int hours = args.size() > 1 ? std::atoi(args[1].c_str()) : 24;
  if (nodes < 1 || hours < 1) {
    std::fprintf(stderr, "usage: coordinator_soak [NODES [HOURS]] [--json]\n");
    return 2;
  }
  return connect_ha::Run(nodes, hours, json);
}
