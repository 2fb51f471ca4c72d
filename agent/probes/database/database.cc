#include "agent/probes/database/database.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "agent/probes/database/database_session.h"
#include "agent/probes/database/database_target.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

// False: no PostgreSQL is configured.
absl::StatusOr<bool> IsAsked(const ProbeInput& input) {
  if (input.config != nullptr) return UsesPostgres(*input.config);
  if (!input.config_status.ok()) return input.config_status;
  return false;
}

absl::Status Read(const ProbeInput& input, const DatabaseKeys& keys, const std::string& path,
                  bool pinned, v1::Facts& facts, v1::DatabaseFacts* (v1::Facts::*part)()) {
  absl::StatusOr<DatabaseTarget> target =
      FindDatabaseTarget(input.host, input.agent_config, *input.config, keys, input.cache, path);
  if (!target.ok()) return target.status();
  target->pinned = pinned;
  ReadDatabaseServer(
      *target, [&] { return input.host.Now(); },
      [&](const char* field, const std::string& why) {
        MarkUnobserved(facts, absl::StrCat(path, ".", field), why);
      },
      *(facts.*part)());
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadDatabase(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<bool> asked = IsAsked(input);
  if (!asked.ok()) return asked.status();
  if (!*asked) return absl::OkStatus();
  absl::Status read = Read(input, kMainDatabase, "database", input.reads_pinned, facts,
                           &v1::Facts::mutable_database);
  if (read.ok() && !input.reads_pinned) {
    facts.mutable_database()->set_pinned_unknown(
        "it is read where the specification that this node holds names runtimes");
  }
  return read;
}

absl::Status ReadInstrumentationDatabase(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<bool> asked = IsAsked(input);
  if (!asked.ok()) return asked.status();
  if (!*asked || input.config->Get("Postgres", "InstrumentationURL").value_or("").empty()) {
    return absl::OkStatus();
  }
  return Read(input, kInstrumentationDatabase, "instrumentation_database", /*pinned=*/false, facts,
              &v1::Facts::mutable_instrumentation_database);
}

absl::Status ReadPresence(const ProbeInput& input, v1::Facts& facts) {
  const auto kept = input.cache.presence.Get();
  if (!kept || !*kept) return absl::OkStatus();
  v1::PresenceFacts& presence = *facts.mutable_presence();
  presence = **kept;
  const auto now = std::chrono::steady_clock::now();
  const auto since = now - input.cache.presence_looked_at.Get().value_or(now);
  const int64_t since_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  for (uint32_t& age_ms : *presence.mutable_seen_ages_ms()) {
    age_ms = static_cast<uint32_t>(
        std::clamp<int64_t>(age_ms + since_ms, 0, std::numeric_limits<uint32_t>::max()));
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
