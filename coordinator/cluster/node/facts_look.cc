#include "coordinator/cluster/node/facts_look.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"
#include "common/text/short_text.h"
#include "common/tls/crypto.h"
#include "common/version.h"
#include "coordinator/cluster/node/bounds.h"
#include "coordinator/wire_values.h"

namespace connect_ha {
namespace {

// What is smaller cannot become large.
constexpr size_t kUncountedBytes = 64 * 1024;

bool HasTooManyValues(const std::string& bytes) {
  return bytes.size() > kUncountedBytes &&
         CountValues(bytes, *v1::Facts::descriptor(), kMostFactsValues) > kMostFactsValues;
}

bool HasTooLongLists(const v1::Facts& facts) {
  const v1::AccountsFacts& accounts = facts.accounts();
  const v1::ConfigurationFacts& configuration = facts.configuration();
  const v1::StorageFacts& storage = facts.storage();
  const v1::PresenceFacts& presence = facts.presence();
  int most_seen = std::max(presence.seen_keys_size(), presence.seen_ages_ms_size());
  for (const v1::BeaconDirectory& directory : facts.beacons().directories()) {
    most_seen = std::max(most_seen, directory.seen_size());
  }
  const int in_storage =
      std::max({storage.mounts_size(), storage.directories_size(), storage.answers_size(),
                storage.rounds_size(), storage.spaces_size(), storage.own_mount_units_size(),
                storage.mounting_size()});
  const int longest = std::max(
      {facts.unobserved_size(), facts.runs_size(), accounts.accounts_size(), accounts.groups_size(),
       configuration.keys_size(), configuration.errors_size(), configuration.warnings_size(),
       facts.license().files_size(), in_storage, facts.listeners().tcp_size(),
       facts.disk().file_systems_size(), facts.beacons().directories_size(), most_seen,
       facts.instance().notices_size(), facts.database().pinned_size()});
  return longest > kMostInAList || facts.runtimes().runtimes_size() > kMostRuntimes;
}

std::string Name(const std::string& said) { return ShortText(said, kNameBytes); }

// Nullopt: not known.
std::optional<bool> IsMountVerified(const v1::Facts& facts, const v1::StorageSpec& spec) {
  if (WhyUnobserved(facts, "storage.mounts")) return std::nullopt;
  const std::string point = DataMountPoint(spec, facts);
  if (point.empty()) return std::nullopt;
  const v1::Mount* mount = FindMount(facts, point);
  if (mount == nullptr) return false;
  const bool wanted = WantedPlace(spec).has_value();
  if (wanted && SameAsWanted(spec, *mount) == Sameness::kDifferent) return false;
  for (const v1::MountAnswer& answer : facts.storage().answers()) {
    if (answer.mount_point() != point || !answer.has_answered()) continue;
    if (!answer.answered()) return false;
    if (wanted && SameAsWanted(spec, *mount) == Sameness::kSame) return true;
  }
  return std::nullopt;
}

std::vector<std::string> SeenBeacons(const v1::BeaconsFacts& beacons) {
  std::set<std::string> nodes;
  for (const v1::BeaconDirectory& directory : beacons.directories()) {
    for (const v1::SeenBeacon& seen : directory.seen()) {
      if (nodes.size() < kMostBeaconsKept) nodes.insert(Name(seen.node()));
    }
  }
  return {nodes.begin(), nodes.end()};
}

std::string VersionSeen(const v1::Facts& facts, const char* path, const std::string& version) {
  return WhyUnobserved(facts, path) ? "" : PlainVersion(Name(version));
}

std::vector<v1::InstanceNotice> Notices(const v1::InstanceFacts& instance) {
  std::vector<v1::InstanceNotice> notices;
  for (const v1::InstanceNotice& notice : instance.notices()) {
    if (notices.size() == kMostNoticesKept) break;
    v1::InstanceNotice& kept = notices.emplace_back(notice);
    kept.set_text(Name(notice.text()));
  }
  return notices;
}

// Why it is not known what content is pinned to, or of which runtimes; "": it is.
std::string WhyPinnedUnknown(const v1::Facts& facts) {
  if (const auto why = WhyUnobserved(facts, "database.pinned")) return ShortText(*why, kTextBytes);
  if (!facts.has_database()) return "its Connect names no PostgreSQL database";
  if (!facts.database().has_pinned_unknown()) return "";
  const std::string why = ShortText(facts.database().pinned_unknown(), kTextBytes);
  return why.empty() ? "it does not say why" : why;
}

// Two that differ at their ends are not one: what is too long to be kept is a digest.
std::string MigrationKept(const std::string& said) {
  return said.size() <= kTextBytes ? said : absl::StrCat("sha256:", Hex(Sha256(said)));
}

void LookAtDatabase(const v1::Facts& facts, HeldFacts& held) {
  const v1::DatabaseFacts& database = facts.database();
  if (database.has_migration() && !WhyUnobserved(facts, "database.migration")) {
    held.migration = MigrationKept(database.migration());
  }
  held.pinned_unknown = WhyPinnedUnknown(facts);
  if (held.pinned_unknown.empty() && database.pinned_size() > kMostPinnedKept) {
    held.pinned_unknown = "it is more than there is room for";
  }
  for (const v1::PinnedRuntime& pinned : database.pinned()) {
    if (static_cast<int>(held.pinned.size()) == kMostPinnedKept) break;
    v1::PinnedRuntime& kept = held.pinned.emplace_back();
    kept.set_runtime(Name(pinned.runtime()));
    kept.set_version(Name(pinned.version()));
    kept.set_items(pinned.items());
  }
}

// The start that an override let through last. What the node keeps of it outlasts the next
// preflight and a boot; where it could not be written, and of an older agent, the latest preflight
// tells.
const v1::PreflightResult& Overridden(const v1::GuardFacts& guard) {
  if (!guard.has_overridden()) return guard.last();
  const bool is_later =
      guard.last().has_override() && guard.last().override().SerializeAsString() !=
                                         guard.overridden().override().SerializeAsString();
  return is_later ? guard.last() : guard.overridden();
}

std::string LetThrough(const v1::GuardFacts& guard) {
  const v1::PreflightResult& last = Overridden(guard);
  if (!last.has_override()) return "";
  const std::string found =
      last.reason().empty() ? "" : absl::StrCat("; it would not have started: ", last.reason());
  return ShortText(absl::StrCat("at ", FormatUtc(FromProto(last.at())), " Connect was started by ",
                                "the override of ", last.override().by(), " (",
                                last.override().reason(), ")", found),
                   kTextBytes);
}

// `facts` are the bytes, parsed.
std::shared_ptr<HeldFacts> Look(std::shared_ptr<const std::string> bytes, const v1::Facts& facts,
                                const v1::ClusterSpec& spec, uint64_t generation) {
  auto held = std::make_shared<HeldFacts>();
  held->bytes = std::move(bytes);
  held->unit = LookAtUnit(facts);
  held->unit.unknown = ShortText(held->unit.unknown, kTextBytes);
  held->unit.state = Name(held->unit.state);
  const v1::ConnectFacts& connect = facts.connect();
  held->installed_version = VersionSeen(facts, "connect.package", connect.package().version());
  held->running_version = VersionSeen(facts, "connect.running_version", connect.running_version());
  held->notices = Notices(facts.instance());
  LookAtDatabase(facts, *held);
  held->brief = MakeBrief(facts, spec);
  held->brief_generation = generation;
  held->beacons = SeenBeacons(facts.beacons());
  held->let_through = LetThrough(facts.guard());
  return held;
}

// Null: they cannot be read.
std::shared_ptr<HeldFacts> LookAtBytes(std::string bytes, const v1::ClusterSpec& spec,
                                       uint64_t generation) {
  const auto kept = std::make_shared<const std::string>(std::move(bytes));
  google::protobuf::Arena arena;
  const v1::Facts* facts = ParseFacts(*kept, arena);
  return facts == nullptr ? nullptr : Look(kept, *facts, spec, generation);
}

}  // namespace

const v1::Facts* ParseFacts(const std::string& bytes, google::protobuf::Arena& arena) {
  if (bytes.size() > kMostFactsBytes || HasTooManyValues(bytes)) return nullptr;
  auto* facts = google::protobuf::Arena::CreateMessage<v1::Facts>(&arena);
  return facts->ParseFromString(bytes) && !HasTooLongLists(*facts) ? facts : nullptr;
}

v1::FactsBrief MakeBrief(const v1::Facts& facts, const v1::ClusterSpec& spec) {
  v1::FactsBrief brief;
  const v1::ConnectFacts& connect = facts.connect();
  brief.set_connect_version(Name(connect.package().version()));
  brief.set_unit_state(Name(connect.unit().active_state()));
  if (connect.has_ping() && !WhyUnobserved(facts, "connect.ping")) {
    brief.set_answers(connect.ping().http_status() == 200);
  }
  const auto verified = IsMountVerified(facts, spec.storage());
  if (verified) brief.set_mount_verified(*verified);
  brief.set_address(Name(facts.instance().local_ipv4()));
  brief.set_system(Name(facts.host().os_name()));
  brief.set_zone(Name(facts.instance().zone()));
  return brief;
}

absl::StatusOr<std::shared_ptr<const HeldFacts>> TakeFacts(const v1::HeartbeatRequest& request,
                                                           const v1::ClusterSpec& spec,
                                                           uint64_t generation, Time now) {
  const bool as_bytes = !request.facts_bytes().empty();
  if (!as_bytes && !request.has_facts()) return std::shared_ptr<const HeldFacts>();
  auto held = LookAtBytes(as_bytes ? request.facts_bytes() : request.facts().SerializeAsString(),
                          spec, generation);
  if (held == nullptr) {
    return absl::InvalidArgumentError(
        "the facts cannot be read, or have more parts than a node has\nfix: connect-ha-agent facts "
        "shows what takes so much room; where nothing does, install the coordinator's release of "
        "the agent");
  }
  held->digest = Name(request.facts_digest());
  held->machine_id = Name(request.machine_id());
  held->boot_id = Name(request.boot_id());
  held->digest_key_id = Name(request.digest_key_id());
  held->received_at = now;
  return std::shared_ptr<const HeldFacts>(std::move(held));
}

absl::StatusOr<std::shared_ptr<const HeldFacts>> TakeFacts(const v1::NodeReport& report,
                                                           const v1::ClusterSpec& spec,
                                                           uint64_t generation) {
  auto held = LookAtBytes(report.facts_bytes(), spec, generation);
  if (held == nullptr) {
    return absl::DataLossError(
        absl::StrCat("the stored facts of ", report.node(), " cannot be read"));
  }
  held->digest = report.facts_digest();
  held->machine_id = report.machine_id();
  held->boot_id = report.boot_id();
  held->digest_key_id = report.digest_key_id();
  held->received_at = FromProto(report.received_at());
  return std::shared_ptr<const HeldFacts>(std::move(held));
}

v1::NodeReport MakeReport(const std::string& node, const std::string& agent_version,
                          const HeldFacts& facts) {
  v1::NodeReport report;
  report.set_node(node);
  report.set_machine_id(facts.machine_id);
  report.set_boot_id(facts.boot_id);
  report.set_agent_version(agent_version);
  *report.mutable_received_at() = ToProto(facts.received_at);
  report.set_facts_digest(facts.digest);
  report.set_facts_bytes(*facts.bytes);
  report.set_digest_key_id(facts.digest_key_id);
  return report;
}

}  // namespace connect_ha
