#include "common/checklist/view/facts_view.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// These may be absent from a node; everything else is on every node.
bool MayBeAbsent(absl::string_view noun) {
  return noun == "instance" || noun == "encryption_key" || noun == "database" ||
         noun == "instrumentation_database" || noun == "beacons" || noun == "presence" ||
         noun == "guard";
}

struct Noun {
  absl::string_view name;
  bool (v1::Facts::*is_there)() const;
};

// As the fields of Facts. Asked for every node in every rule: a descriptor would tell it, too, and
// take ten times as long.
constexpr Noun kNouns[] = {
    {"host", &v1::Facts::has_host},
    {"instance", &v1::Facts::has_instance},
    {"clock", &v1::Facts::has_clock},
    {"accounts", &v1::Facts::has_accounts},
    {"connect", &v1::Facts::has_connect},
    {"runtimes", &v1::Facts::has_runtimes},
    {"configuration", &v1::Facts::has_configuration},
    {"encryption_key", &v1::Facts::has_encryption_key},
    {"license", &v1::Facts::has_license},
    {"storage", &v1::Facts::has_storage},
    {"database", &v1::Facts::has_database},
    {"instrumentation_database", &v1::Facts::has_instrumentation_database},
    {"listeners", &v1::Facts::has_listeners},
    {"disk", &v1::Facts::has_disk},
    {"memory", &v1::Facts::has_memory},
    {"beacons", &v1::Facts::has_beacons},
    {"presence", &v1::Facts::has_presence},
    {"guard", &v1::Facts::has_guard},
};

// True, too, for what is no noun.
bool IsThere(const v1::Facts& facts, absl::string_view name) {
  for (const Noun& noun : kNouns) {
    if (noun.name == name) return (facts.*noun.is_there)();
  }
  return true;
}

bool Covers(absl::string_view entry, absl::string_view path) {
  if (entry.empty() || entry == path) return true;
  return path.size() > entry.size() && path[entry.size()] == '.' && absl::StartsWith(path, entry);
}

const char* StageWords(v1::DatabaseStage::Name stage) {
  switch (stage) {
    case v1::DatabaseStage::RESOLVE:
      return "resolve";
    case v1::DatabaseStage::CONNECT:
      return "connect to";
    case v1::DatabaseStage::TLS:
      return "TLS with";
    case v1::DatabaseStage::AUTHENTICATE:
      return "authenticate to";
    case v1::DatabaseStage::QUERY:
      return "query";
    default:
      return "reach";
  }
}

}  // namespace

std::optional<std::string> WhyUnobserved(const v1::Facts& facts, absl::string_view path) {
  for (const v1::Unobserved& entry : facts.unobserved()) {
    if (!Covers(entry.path(), path)) continue;
    if (entry.path().empty()) return entry.reason();
    return absl::StrCat(entry.path(), " not observed: ", entry.reason());
  }
  const absl::string_view noun = path.substr(0, path.find('.'));
  if (noun.empty() || IsThere(facts, noun) || MayBeAbsent(noun)) return std::nullopt;
  return absl::StrCat(noun, " not reported");
}

bool IsPending(const v1::Facts& facts, absl::string_view path) {
  for (const v1::Unobserved& entry : facts.unobserved()) {
    if (Covers(entry.path(), path)) return entry.pending();
  }
  return false;
}

std::optional<std::string> WhyConfigurationUnknown(const v1::Facts& facts) {
  if (auto why = WhyUnobserved(facts, "configuration.keys")) return why;
  if (auto why = WhyUnobserved(facts, "configuration.errors")) return why;
  if (facts.configuration().errors_size() == 0) return std::nullopt;
  const v1::ConfigError& error = facts.configuration().errors(0);
  return absl::StrCat(ConfigPath(facts), ":", error.line(), ": ", error.message());
}

const v1::ConfigKey* FindKey(const v1::Facts& facts, absl::string_view section,
                             absl::string_view name) {
  for (const v1::ConfigKey& key : facts.configuration().keys()) {
    if (key.subsection().empty() && absl::EqualsIgnoreCase(key.name(), name) &&
        absl::EqualsIgnoreCase(key.section(), section)) {
      return &key;
    }
  }
  return nullptr;
}

std::string ConfigValue(const v1::Facts& facts, absl::string_view section, absl::string_view name,
                        const std::string& otherwise) {
  const v1::ConfigKey* key = FindKey(facts, section, name);
  return key == nullptr || key->values().empty() ? otherwise : *key->values().rbegin();
}

bool ConfigFlag(const v1::Facts& facts, absl::string_view section, absl::string_view name,
                bool otherwise) {
  const std::string value = ConfigValue(facts, section, name, otherwise ? "true" : "false");
  for (const char* no : {"false", "no", "off", "0"}) {
    if (absl::EqualsIgnoreCase(value, no)) return false;
  }
  return true;
}

std::string ConfigPath(const v1::Facts& facts) {
  const std::string& path = facts.configuration().path();
  return path.empty() ? "/etc/rstudio-connect/rstudio-connect.gcfg" : path;
}

std::string SettingPlace(const v1::Facts& facts, absl::string_view section,
                         absl::string_view name) {
  const v1::ConfigKey* key = FindKey(facts, section, name);
  if (key == nullptr) return absl::StrCat("[", section, "] in ", ConfigPath(facts));
  const std::string line = key->line() == 0 ? "" : absl::StrCat(":", key->line());
  if (key->source() != v1::ConfigKey::ENVIRONMENT) {
    return absl::StrCat(key->file().empty() ? ConfigPath(facts) : key->file(), line);
  }
  const std::string variable =
      absl::AsciiStrToUpper(absl::StrCat("CONNECT_", key->section(), "_", key->name()));
  if (key->file().empty()) return absl::StrCat("the unit's environment (", variable, ")");
  return absl::StrCat(key->file(), line, " (", variable, ")");
}

const v1::DataDirectory* FindDirectory(const v1::Facts& facts, absl::string_view key) {
  for (const v1::DataDirectory& directory : facts.storage().directories()) {
    if (directory.key() == key) return &directory;
  }
  return nullptr;
}

const v1::Mount* FindMount(const v1::Facts& facts, absl::string_view mount_point) {
  // Of mounts stacked on one point, the last is the one in use.
  const v1::Mount* found = nullptr;
  for (const v1::Mount& mount : facts.storage().mounts()) {
    if (mount.mount_point() == mount_point) found = &mount;
  }
  return found;
}

bool IsRunning(const v1::Facts& facts) {
  const std::string& state = facts.connect().unit().active_state();
  return state == "active" || state == "reloading";
}

// One that waits for its mount is said to be activating (agent/host/systemd): nothing of it runs.
bool ConnectRests(const v1::Facts& facts) {
  if (WhyUnobserved(facts, "connect.unit")) return false;
  const v1::Unit& unit = facts.connect().unit();
  const std::string& state =
      unit.active_state() == "activating" ? unit.sub_state() : unit.active_state();
  return state == "dead" || state == "inactive" || state == "failed";
}

bool Serves(const v1::Facts& facts) {
  return IsRunning(facts) && facts.connect().ping().http_status() == 200;
}

bool MayServe(const v1::Facts& facts) {
  if (WhyUnobserved(facts, "connect.unit")) return true;
  if (!IsRunning(facts)) return false;
  const bool asked = facts.connect().has_ping() && !WhyUnobserved(facts, "connect.ping");
  return !asked || Serves(facts);
}

bool RequiresMount(const v1::Unit& service, absl::string_view mount_point) {
  return std::any_of(service.requires_mounts_for().begin(), service.requires_mounts_for().end(),
                     [mount_point](const std::string& path) { return IsBelow(path, mount_point); });
}

std::optional<std::string> DatabaseTrouble(const v1::DatabaseFacts& database) {
  for (const v1::DatabaseStage& stage : database.stages()) {
    if (stage.passed()) continue;
    return absl::StrCat(StageWords(stage.name()), " ", database.host(), ":", database.port(), ": ",
                        stage.has_error() ? stage.error() : "failed");
  }
  return std::nullopt;
}

bool IsBelow(absl::string_view path, absl::string_view directory) {
  if (directory == "/") return absl::StartsWith(path, "/");
  return absl::ConsumePrefix(&path, directory) && (path.empty() || path[0] == '/');
}

std::string ShortSpan(int64_t microseconds) {
  // The least of all numbers has no opposite.
  const int64_t span = std::abs(std::max(microseconds, -std::numeric_limits<int64_t>::max()));
  if (span < 1'000) return absl::StrCat(span, "us");
  if (span < 1'000'000) return absl::StrCat(span / 1'000, "ms");
  if (span < 60'000'000) return absl::StrFormat("%.1fs", static_cast<double>(span) / 1e6);
  return FormatSpan(std::chrono::microseconds(span));
}

}  // namespace connect_ha
