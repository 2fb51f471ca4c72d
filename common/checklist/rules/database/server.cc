#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

// Releases that some release of Connect supports. Which release supports which range is not
// told here: an operator who wants it exact gives database.major_version.
constexpr uint32_t kOldestMajor = 12;
constexpr uint32_t kNewestMajor = 17;

void JudgeWritable(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                   const v1::DatabaseFacts& database, Verdict& verdict) {
  if (!database.has_in_recovery() || !database.has_read_only()) {
    SayUnanswered(node, database, verdict);
  } else if (database.in_recovery()) {
    verdict.Fail(node.name(),
                 absl::StrCat(noun.prefix, database.host(), " is a standby (pg_is_in_recovery)"),
                 Reconfigure(node, absl::StrCat("set ", UrlSetting(node, noun),
                                                " to the primary's endpoint")));
  } else if (database.read_only()) {
    verdict.Fail(node.name(),
                 absl::StrCat(noun.prefix, "sessions on ", database.host(),
                              " are read-only (transaction_read_only)"),
                 {Type(node.name(),
                       {Psql(database,
                             "select source, sourcefile from pg_settings where name = "
                             "'default_transaction_read_only'")},
                       "it shows where default_transaction_read_only comes from")});
  } else {
    verdict.Pass(node.name(), absl::StrCat(noun.prefix, database.host(), " is the primary"));
  }
}

void JudgeVersion(const v1::DatabaseSpec& spec, const v1::NodeSnapshot& node,
                  const DatabaseNoun& noun, const v1::DatabaseFacts& database, Verdict& verdict) {
  if (!database.has_server_version()) {
    return SayUnanswered(node, database, verdict);
  }
  const uint32_t major = database.server_version() / 10000;
  const uint32_t minor = database.server_version() % 10000;
  const std::string version = absl::StrCat(noun.prefix, "PostgreSQL ", major, ".", minor);
  if (spec.has_major_version() && major != spec.major_version()) {
    verdict.Fail(node.name(), absl::StrCat(version, ", wanted ", spec.major_version()), {},
                 {v1::SPEC});
  } else if (!spec.has_major_version() && major < kOldestMajor) {
    verdict.Fail(node.name(), absl::StrCat(version, ", older than ", kOldestMajor));
  } else if (!spec.has_major_version() && major > kNewestMajor) {
    verdict.Unknown(
        node.name(), absl::StrCat(version, " is newer than what is known here"),
        {ByHand("",
                absl::StrCat(
                    "if Connect supports it, write under database in cluster.yaml: major_version: ",
                    major))});
  } else if (minor < spec.minimum_minor_version()) {
    verdict.Fail(
        node.name(),
        absl::StrCat(version, ", wanted ", major, ".", spec.minimum_minor_version(), " or later"),
        {}, {v1::SPEC});
  } else {
    verdict.Pass(node.name(), version);
  }
}

}  // namespace

v1::Finding DatabaseIsPostgres(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (const auto why = WhyConfigurationUnknown(node.facts())) {
      verdict.Unknown(node.name(), *why);
      continue;
    }
    const std::string provider = ConfigValue(node.facts(), "Database", "Provider", "");
    const Fixes fix =
        Reconfigure(node, absl::StrCat("set Database.Provider to postgres: ",
                                       SettingPlace(node.facts(), "Database", "Provider")));
    if (absl::EqualsIgnoreCase(provider, "postgres")) {
      verdict.Pass(node.name(), "Database.Provider is postgres");
    } else if (provider.empty()) {
      verdict.Fail(node.name(), "Database.Provider is not set: Connect uses SQLite", fix);
    } else {
      verdict.Fail(node.name(), absl::StrCat("Database.Provider is ", provider), fix);
    }
  }
  return verdict.Finish();
}

v1::Finding DatabaseIsWritable(const v1::Snapshot& cluster) {
  return JudgeDatabases(cluster, {"in_recovery", "read_only"}, JudgeWritable);
}

v1::Finding DatabaseVersionSupported(const v1::Snapshot& cluster) {
  return JudgeDatabases(cluster, {"server_version"},
                        [&cluster](const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                                   const v1::DatabaseFacts& database, Verdict& verdict) {
                          JudgeVersion(cluster.spec().database(), node, noun, database, verdict);
                        });
}

}  // namespace connect_ha
