// What every rule about the database says where there is none, or none that answered.
#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <string>

#include "common/checklist/fix.h"
#include "common/checklist/verdict.h"

namespace connect_ha {

// The databases that a node may have.
struct DatabaseNoun {
  const char* path;  // in facts
  // Keys of Connect below [Postgres].
  const char* url;
  const char* password;
  // What a line says first, so that it is told from the other database's.
  const char* prefix;
  // Null where there is none.
  const v1::DatabaseFacts* (*get)(const v1::Facts& facts);
};

// The first is the one that every rule about the database needs; a node need not have the second.
inline constexpr std::array<DatabaseNoun, 2> kDatabases = {{
    {"database", "URL", "Password", "",
     [](const v1::Facts& facts) -> const v1::DatabaseFacts* {
       return facts.has_database() ? &facts.database() : nullptr;
     }},
    {"instrumentation_database", "InstrumentationURL", "InstrumentationPassword",
     "Postgres.InstrumentationURL: ",
     [](const v1::Facts& facts) -> const v1::DatabaseFacts* {
       return facts.has_instrumentation_database() ? &facts.instrumentation_database() : nullptr;
     }},
}};

// Judges one database of a node by facts that are observed.
using JudgeDatabase = std::function<void(const v1::NodeSnapshot& node, const DatabaseNoun& noun,
                                         const v1::DatabaseFacts& database, Verdict& verdict)>;
// For every database of every node; `fields` ("in_recovery") are what the judgement is made of.
v1::Finding JudgeDatabases(const v1::Snapshot& cluster, std::initializer_list<const char*> fields,
                           const JudgeDatabase& judge);

// "Postgres.URL in /etc/rstudio-connect/rstudio-connect.gcfg:11": what a person changes, and where.
std::string UrlSetting(const v1::NodeSnapshot& node, const DatabaseNoun& noun);
// A change of the configuration by hand, which Connect reads once it is started again. Where it
// does not run it is not started for that.
Fixes Reconfigure(const v1::NodeSnapshot& node, const std::string& note);

// The first stage that failed, or took longer than the specification allows; null for none.
const v1::DatabaseStage* StageInTrouble(const v1::ClusterSpec& spec,
                                        const v1::DatabaseFacts& database);
// Every stage up to the query passed in time.
bool Answers(const v1::ClusterSpec& spec, const v1::DatabaseFacts& database);

// A command that asks the database as Connect does, but for the password, which it asks for.
std::string Psql(const v1::DatabaseFacts& database, const std::string& query);

// The rule does not apply to a node whose configuration names no PostgreSQL database.
void SayNoDatabase(const v1::NodeSnapshot& node, Verdict& verdict);
// A fact is missing that only a query gives; why, as far as the stages tell.
void SayUnanswered(const v1::NodeSnapshot& node, const v1::DatabaseFacts& database,
                   Verdict& verdict);

}  // namespace connect_ha
