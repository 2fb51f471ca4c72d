// The small functions that rules about the database are made of.
#include <gtest/gtest.h>

#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

v1::Facts FactsWithUrl(v1::ConfigKey::Source source, const std::string& file, uint32_t line) {
  v1::Facts facts;
  v1::ConfigKey& key = *facts.mutable_configuration()->add_keys();
  key.set_section("postgres");
  key.set_name("Url");
  key.set_source(source);
  key.set_file(file);
  key.set_line(line);
  return facts;
}

TEST(SettingPlace, IsTheFileAndLineThatAPersonEdits) {
  const auto place = [](const v1::Facts& facts) { return SettingPlace(facts, "Postgres", "URL"); };
  EXPECT_EQ(place(FactsWithUrl(v1::ConfigKey::FILE, "/etc/c.gcfg", 11)), "/etc/c.gcfg:11");
  EXPECT_EQ(place(FactsWithUrl(v1::ConfigKey::FILE, "", 0)),
            "/etc/rstudio-connect/rstudio-connect.gcfg");
  EXPECT_EQ(place(FactsWithUrl(v1::ConfigKey::ENVIRONMENT, "/etc/default/rstudio-connect", 3)),
            "/etc/default/rstudio-connect:3 (CONNECT_POSTGRES_URL)");
  EXPECT_EQ(place(FactsWithUrl(v1::ConfigKey::ENVIRONMENT, "", 0)),
            "the unit's environment (CONNECT_POSTGRES_URL)");
  EXPECT_EQ(place(v1::Facts()), "[Postgres] in /etc/rstudio-connect/rstudio-connect.gcfg");
}

TEST(Psql, QuotesWhatAShellWouldRead) {
  v1::DatabaseFacts database;
  database.set_host("db.example.com");
  database.set_port(5433);
  database.set_user("o'neil");
  database.set_database("$(reboot)");
  EXPECT_EQ(Psql(database, "select 1"),
            "psql -h db.example.com -p 5433 -U 'o'\\''neil' -d '$(reboot)' -c 'select 1'");
}

}  // namespace
}  // namespace connect_ha
