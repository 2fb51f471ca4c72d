// Looking things up in a node's facts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// Why the field at `path` ("connect.running_version") could not be observed; nullopt when it
// was, or was seen to be absent. A noun that every node has and that is missing without a reason
// ("connect" in facts that an older agent sent) counts as not observed.
std::optional<std::string> WhyUnobserved(const v1::Facts& facts, absl::string_view path);

// It could not be observed only because a probe that takes longer has not come to it.
bool IsPending(const v1::Facts& facts, absl::string_view path);

// Why the effective configuration is not known in full: not observed, or the file has errors.
std::optional<std::string> WhyConfigurationUnknown(const v1::Facts& facts);
// Null when the key is left at Connect's default. Section and name are case-insensitive.
const v1::ConfigKey* FindKey(const v1::Facts& facts, absl::string_view section,
                             absl::string_view name);
// The key's last value; `otherwise` when it is not set.
std::string ConfigValue(const v1::Facts& facts, absl::string_view section, absl::string_view name,
                        const std::string& otherwise);
// False for "false", "no", "off" and "0", whatever their case; `otherwise` when it is not set.
bool ConfigFlag(const v1::Facts& facts, absl::string_view section, absl::string_view name,
                bool otherwise);
// The configuration file, for a person to edit.
std::string ConfigPath(const v1::Facts& facts);
// Where a person finds the key's value, to change it:
// "/etc/rstudio-connect/rstudio-connect.gcfg:11", or "/etc/default/rstudio-connect:3
// (CONNECT_POSTGRES_URL)" where the unit's environment gives it. Of a key that is not set: where it
// would be.
std::string SettingPlace(const v1::Facts& facts, absl::string_view section, absl::string_view name);

// Null when the node reports no such directory or mount.
const v1::DataDirectory* FindDirectory(const v1::Facts& facts, absl::string_view key);
const v1::Mount* FindMount(const v1::Facts& facts, absl::string_view mount_point);

// Connect's unit is up, as far as systemd knows.
bool IsRunning(const v1::Facts& facts);
// Nothing of Connect runs, and that is known.
bool ConnectRests(const v1::Facts& facts);

// Connect runs and answers its health check.
bool Serves(const v1::Facts& facts);
// As far as is known: true, too, where it could not be observed.
bool MayServe(const v1::Facts& facts);

// The unit starts only once this is mounted, and has it mounted for that (RequiresMountsFor).
bool RequiresMount(const v1::Unit& service, absl::string_view mount_point);

// "connect to db.example.com:5432: connection refused"; nullopt when every stage passed.
std::optional<std::string> DatabaseTrouble(const v1::DatabaseFacts& database);

// True when `path` is `directory` or below it. Both absolute and clean.
bool IsBelow(absl::string_view path, absl::string_view directory);

// "850us", "12ms", "1.8s", "3m 10s"
std::string ShortSpan(int64_t microseconds);

}  // namespace connect_ha
