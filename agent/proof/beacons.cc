#include "agent/proof/beacons.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/probes/storage/storage.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/proof_matrix.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPace{30'000};
constexpr size_t kNonceBytes = 16;
// A beacon counts as renewed for so many looks after the one at which it had grown, and as too new
// to tell for so many after the first.
constexpr uint64_t kRenewedFor = 3;
constexpr char kDataDir[] = "Server.DataDir";

// There is a link on the way from a directory to what is below it. What cannot be looked at is no
// link: the round itself shows what is the matter.
bool HasLinkBelow(Host& host, const std::string& directory, const std::string& path) {
  for (size_t end = directory.size(); end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const absl::StatusOr<FileStatus> status = host.LStat(path.substr(0, end));
    if (status.ok() && status->kind == FileStatus::Kind::kLink) return true;
  }
  return false;
}

// Sorted by key. What is below Server.DataDir, on the same mount, is shared where that is; but for
// what a link on the shared file system leads to, which is each node's own disk perhaps.
absl::StatusOr<std::vector<NetworkDirectory>> FindDirectories(Host& host,
                                                              const ConnectConfig& config) {
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(host);
  if (!mounts.ok()) return mounts.status();
  absl::StatusOr<std::vector<NetworkDirectory>> all = NetworkDirectories(host, config, *mounts);
  if (!all.ok()) return all;
  const auto data = std::find_if(all->begin(), all->end(),
                                 [](const NetworkDirectory& one) { return one.key == kDataDir; });
  std::vector<NetworkDirectory> shared;
  for (const NetworkDirectory& one : *all) {
    const bool is_other = one.key == "Database.Dir" || one.key == "Server.LandingDir";
    const bool is_below = data != all->end() && one.mount.mount_point == data->mount.mount_point &&
                          IsBelow(one.resolved, data->resolved) &&
                          !HasLinkBelow(host, data->resolved, one.resolved);
    if (one.key == kDataDir || (is_other && !is_below)) shared.push_back(one);
  }
  std::sort(shared.begin(), shared.end(),
            [](const NetworkDirectory& a, const NetworkDirectory& b) { return a.key < b.key; });
  return shared;
}

absl::StatusOr<v1::BeaconsFound> Ask(WritableHost& host, const std::string& directory,
                                     const v1::BeaconExchange& exchange) {
  const absl::StatusOr<std::string> answer =
      host.WorkOnStorage(kBeaconOperation, directory, exchange.SerializeAsString());
  if (!answer.ok()) return answer.status();
  v1::BeaconsFound found;
  if (!found.ParseFromString(*answer)) return absl::InternalError("a malformed answer");
  return found;
}

// Without what moves with time.
std::string Steady(const absl::StatusOr<v1::BeaconsFacts>& facts) {
  if (!facts.ok()) return absl::StrCat("not read: ", facts.status().message());
  v1::BeaconsFacts steady = *facts;
  for (v1::BeaconDirectory& directory : *steady.mutable_directories()) {
    for (v1::SeenBeacon& seen : *directory.mutable_seen()) seen.clear_age_ms();
  }
  return absl::StrCat("read: ", steady.SerializeAsString());
}

}  // namespace

milliseconds Beacons::Pace() const { return kPace; }

v1::BeaconExchange Beacons::NextExchange(Place& place, const ProofOrder& order) {
  if (place.nonce.empty() || place.challenge != order.challenge) {
    place.nonce = Hex(RandomBytes(kNonceBytes));
    place.challenge = order.challenge;
    place.rounds = 0;
  }
  v1::BeaconExchange exchange;
  v1::BeaconFile& own = *exchange.mutable_own();
  own.set_cluster(order.cluster);
  own.set_node(order.node);
  own.set_machine_id(order.machine_id);
  own.set_boot_id(order.boot_id);
  own.set_nonce(place.nonce);
  own.set_challenge(place.challenge);
  own.set_counter(++place.counter);
  for (const std::string& node : order.forget) exchange.add_forget(node);
  return exchange;
}

// A look that could not read it takes back nothing of what earlier ones saw.
Beacons::Sighting Beacons::Sight(const v1::FoundBeacon& found, const Place& place) {
  Sighting sighting;
  const auto before = place.sightings.find(found.node());
  if (before != place.sightings.end()) sighting = before->second;
  sighting.seen.Clear();
  sighting.seen.set_node(found.node());
  if (!found.error().empty()) {
    sighting.seen.set_error(found.error());
    return sighting;
  }
  const v1::BeaconFile& beacon = found.beacon();
  sighting.seen.set_machine_id(beacon.machine_id());
  sighting.seen.set_boot_id(beacon.boot_id());
  sighting.seen.set_nonce(beacon.nonce());
  sighting.seen.set_challenge(beacon.challenge());
  if (sighting.nonce.empty()) {
    sighting.first_look = place.looks;
  } else if (sighting.nonce != beacon.nonce() || sighting.counter < beacon.counter()) {
    sighting.grown_look = place.looks;
    sighting.grown_at = steady_clock::now();
  }
  sighting.nonce = beacon.nonce();
  sighting.counter = beacon.counter();
  return sighting;
}

bool Beacons::IsRenewed(const Sighting& sighting, const Place& place) {
  return sighting.grown_look != 0 && place.looks - sighting.grown_look <= kRenewedFor;
}

bool Beacons::IsTooNew(const Sighting& sighting, const Place& place) {
  return sighting.grown_look == 0 && !sighting.nonce.empty() &&
         place.looks - sighting.first_look <= kRenewedFor;
}

void Beacons::Look(const v1::BeaconsFound& found, const std::vector<std::string>& forgotten,
                   Place& place) {
  ++place.looks;
  std::map<std::string, Sighting> sightings;
  for (const v1::FoundBeacon& one : found.found()) sightings[one.node()] = Sight(one, place);
  for (const auto& [node, before] : place.sightings) {
    const bool removed = std::find(forgotten.begin(), forgotten.end(), node) != forgotten.end();
    // A list of names that is read while one is renamed may lack it; and who takes the folder away
    // takes no file system away. It counts as seen until it would be old.
    const bool counts = IsRenewed(before, place) || IsTooNew(before, place);
    if (!removed && counts) sightings.emplace(node, before);
  }
  place.sightings = std::move(sightings);
}

void Beacons::Report(const Place& place, v1::BeaconDirectory& report) {
  const auto now = steady_clock::now();
  for (const auto& [node, sighting] : place.sightings) {
    v1::SeenBeacon& seen = *report.add_seen();
    seen = sighting.seen;
    seen.set_renewed(IsRenewed(sighting, place));
    seen.set_too_new(!seen.has_error() && IsTooNew(sighting, place));
    if (sighting.grown_look == 0) continue;
    seen.set_age_ms(duration_cast<milliseconds>(now - sighting.grown_at).count());
  }
}

v1::BeaconDirectory Beacons::RunIn(const std::string& directory, const MountEntry& mount,
                                   const ProofOrder& order) {
  Place& place = places_[directory];
  v1::BeaconExchange exchange = NextExchange(place, order);
  exchange.set_device(mount.device);
  const absl::StatusOr<v1::BeaconsFound> found = Ask(context_.host, directory, exchange);
  const std::string error = found.ok() ? found->error() : std::string(found.status().message());
  v1::BeaconDirectory report;
  report.set_directory(directory);
  if (error.empty()) {
    place.written_nonce = place.nonce;
    place.written_challenge = place.challenge;
    place.rounds = std::min(place.rounds + 1, kSettledRounds);
  } else {
    // What others did not see meanwhile is no proof against this file system.
    place.rounds = 0;
    report.set_error(error);
  }
  report.set_nonce(place.written_nonce);
  report.set_challenge(place.written_challenge);
  report.set_rounds(place.rounds);
  if (!found.ok()) return report;
  Look(*found, order.forget, place);
  Report(place, report);
  report.set_left_out(found->left_out());
  return report;
}

absl::StatusOr<v1::BeaconsFacts> Beacons::RunAll(const ProofOrder& order) {
  const absl::StatusOr<std::vector<NetworkDirectory>> directories =
      FindDirectories(context_.host, *order.config);
  if (!directories.ok()) return directories.status();
  v1::BeaconsFacts facts;
  std::map<std::string, v1::BeaconDirectory> done;  // two keys may lead to one place
  for (const NetworkDirectory& directory : *directories) {
    auto it = done.find(directory.resolved);
    if (it == done.end()) {
      it =
          done.emplace(directory.resolved, RunIn(directory.resolved, directory.mount, order)).first;
    }
    v1::BeaconDirectory& report = *facts.add_directories();
    report = it->second;
    report.set_key(directory.key);
  }
  for (auto place = places_.begin(); place != places_.end();) {
    place = done.count(place->first) > 0 ? std::next(place) : places_.erase(place);
  }
  return facts;
}

bool Beacons::Keep(absl::StatusOr<v1::BeaconsFacts> facts) {
  std::string steady = Steady(facts);
  const bool changed = steady != kept_;
  kept_ = std::move(steady);
  context_.cache.beacons.Put(std::move(facts));
  return changed;
}

bool Beacons::Run(const ProofOrder& order) {
  absl::StatusOr<v1::BeaconsFacts> facts = RunAll(order);
  // That there is no such thing would be taken as: nobody asks for it.
  if (absl::IsNotFound(facts.status())) {
    facts = absl::UnavailableError(facts.status().message());
  }
  return Keep(std::move(facts));
}

void Beacons::Stop() {
  places_.clear();
  kept_.clear();
  context_.cache.beacons.Put(absl::NotFoundError("nobody asks for beacons"));
}

std::unique_ptr<ProofRounds> MakeBeacons(ProofContext context) {
  return std::make_unique<Beacons>(context);
}

}  // namespace connect_ha
