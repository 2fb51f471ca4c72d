// What a release of the stand-in does with its database: it migrates it where no node of that
// release has, and does not run with one that a newer release has migrated. What a scenario has it
// do beside that stands in a table, `standin`, so that it holds on every node at once:
//
//   start_seconds      how long a start takes, from the database to the first answer
//   migration_seconds  how long a migration takes, beside that
//   migration_fails    before: it ends before anything was changed; after: half way. A start ends
//                      with it, and the next one tries again
//
// Each start says in `standin_starts` what it did and whom it met there: another version that was
// connected is one that ran against the same database. The real server's tables are others.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// 2024.08 of 2024.08.1: what only mends something does not migrate.
inline std::string ReleaseOf(const std::string& version) {
  const size_t dot = version.find('.');
  return version.substr(0, version.find('.', dot + 1));
}

// The first column of the answer. Throws what the server says.
inline std::vector<std::string> Ask(PGconn* database, const std::string& sql,
                                    const std::vector<std::string>& parameters = {}) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  PGresult* result = PQexecParams(database, sql.c_str(), static_cast<int>(values.size()), nullptr,
                                  values.data(), nullptr, nullptr, 0);
  const ExecStatusType status = PQresultStatus(result);
  const std::string said = PQresultErrorMessage(result);
  std::vector<std::string> column;
  for (int row = 0; row < PQntuples(result); ++row) column.push_back(PQgetvalue(result, row, 0));
  PQclear(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    throw std::runtime_error("the database: " + said);
  return column;
}

class Release {
 public:
  // `stop`: set by a signal, ends what is waited for. `log` takes a line.
  Release(PGconn* database, std::string version, std::string node,
          const volatile std::sig_atomic_t& stop, std::function<void(const std::string&)> log)
      : database_(database),
        version_(std::move(version)),
        name_(ReleaseOf(version_)),
        node_(std::move(node)),
        stop_(stop),
        log_(std::move(log)) {}

  // What another node may be making at this moment, or must not be made here (a standby), is left
  // so.
  void MakeTables() {
    Try("SET client_min_messages = warning");  // that a table is there is no news
    for (const char* table :
         {"connect_schema (version text PRIMARY KEY)",
          "connect_api_keys (sha256 bytea PRIMARY KEY)",
          // By its name a database is known for Connect's, also while no Connect
          // runs with it. Content is pinned to what it was deployed with.
          "apps (guid uuid PRIMARY KEY)", "standin (name text PRIMARY KEY, value text NOT NULL)",
          "standin_starts (at timestamptz DEFAULT clock_timestamp(), node text, "
          "version text, what text)"})
      Try(std::string("CREATE TABLE IF NOT EXISTS ") + table);
    for (const char* column : {"r_version", "py_version", "quarto_version"})
      Try(std::string("ALTER TABLE apps ADD COLUMN IF NOT EXISTS ") + column + " text");
  }

  // To be called once connected, as "rstudio-connect VERSION".
  void Meet() {
    Note("starts");
    for (const std::string& other :
         Ask(database_,
             "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = "
             "current_database() AND application_name LIKE 'rstudio-connect %' AND "
             "application_name <> $1",
             {"rstudio-connect " + version_}))
      Note("met " + other);
  }

  // Throws where it may not run with this database, or where a migration fails.
  void Migrate() {
    if (IsMigrated()) return;
    Ask(database_, "BEGIN");
    // Of several nodes that start one migrates, and the others wait for it.
    Ask(database_, "LOCK TABLE connect_schema IN EXCLUSIVE MODE");
    const bool is_new = Known().empty();
    if (IsMigrated()) {
      Ask(database_, "COMMIT");
      return;
    }
    if (!is_new) ChangeTables();
    if (stop_ != 0) {
      Ask(database_, "ROLLBACK");
      return;
    }
    Ask(database_, "INSERT INTO connect_schema VALUES ($1)", {name_});
    Ask(database_, "COMMIT");
    if (!is_new) Note("has migrated to " + name_);
  }

  void TakeTime() { Wait("start_seconds"); }

  void Note(const std::string& what) {
    Try("INSERT INTO standin_starts (node, version, what) VALUES ($1, $2, $3)",
        {node_, version_, what});
  }

 private:
  std::vector<std::string> Known() { return Ask(database_, "SELECT version FROM connect_schema"); }

  bool IsMigrated() {
    bool migrated = false;
    for (const std::string& known : Known()) {
      if (known.compare(0, name_.size(), name_) > 0)
        throw std::runtime_error("the database was migrated by release " + known +
                                 ", which is newer than this one: it cannot be used with " +
                                 version_);
      migrated = migrated || known == name_;
    }
    return migrated;
  }

  // In a transaction, which is open when it returns.
  void ChangeTables() {
    log_("Migrating the database to " + name_);
    Wait("migration_seconds");
    if (stop_ != 0) return;
    const std::string fails = Setting("migration_fails");
    const std::string half = name_ + " half way";
    if (fails == "before") {
      Ask(database_, "ROLLBACK");
      throw std::runtime_error("the migration to " + name_ + " failed, and nothing was changed");
    }
    if (fails == "after") {
      Ask(database_, "INSERT INTO connect_schema VALUES ($1) ON CONFLICT DO NOTHING", {half});
      Ask(database_, "COMMIT");
      throw std::runtime_error("the migration to " + name_ + " failed half way");
    }
    Ask(database_, "DELETE FROM connect_schema WHERE version = $1", {half});
  }

  std::string Setting(const std::string& name) {
    const std::vector<std::string> values =
        Ask(database_, "SELECT value FROM standin WHERE name = $1", {name});
    return values.empty() ? "" : values.front();
  }

  // So long as the setting says, or until it is to stop.
  void Wait(const std::string& setting) {
    const auto until = std::chrono::steady_clock::now() +
                       std::chrono::seconds(std::atoi(Setting(setting).c_str()));
    while (stop_ == 0 && std::chrono::steady_clock::now() < until) {
      const timespec moment{0, 200'000'000};
      ::nanosleep(&moment, nullptr);
    }
  }

  void Try(const std::string& sql, const std::vector<std::string>& parameters = {}) {
    try {
      Ask(database_, sql, parameters);
    } catch (const std::exception&) {
    }
  }

  PGconn* const database_;
  const std::string version_;
  const std::string name_;
  const std::string node_;
  const volatile std::sig_atomic_t& stop_;
  const std::function<void(const std::string&)> log_;
};
