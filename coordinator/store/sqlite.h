// A thin owner of SQLite's connection and statements. Not for use by two threads at once.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

// A prepared statement, lent by its Database; it is reset when this goes out of scope.
// Bind in the order of the question marks. Bound text must live until the last Step().
class Statement {
 public:
  Statement(sqlite3_stmt* statement, absl::Status prepared)
      : statement_(statement), status_(std::move(prepared)) {}
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int64_t value);
  Statement& Bind(std::string_view text);
  Statement& BindBlob(std::string_view bytes);

  // True: a row is there. False: done.
  absl::StatusOr<bool> Step();
  // For a statement that gives no rows.
  absl::Status Run();

  int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }
  // Valid until the next Step().
  std::string_view Blob(int column) const;

 private:
  sqlite3_stmt* statement_;
  absl::Status status_;
  int next_parameter_ = 1;
};

class Database {
 public:
  // Opens or creates. Waits up to `busy_timeout_ms` for another process's lock.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        int busy_timeout_ms);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Prepared once for each text, then kept.
  Statement Prepare(const std::string& sql);
  // Statements without parameters or rows, separated by semicolons.
  absl::Status Execute(const std::string& sql);

  int64_t last_insert_id() const { return sqlite3_last_insert_rowid(connection_); }
  bool in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }
  // What stands under its path is no longer the file that this has open: it was moved, replaced or
  // removed.
  bool moved() const;

 private:
  Database(std::string path, sqlite3* connection)
      : path_(std::move(path)), connection_(connection) {}

  std::string path_;
  sqlite3* connection_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

// What SQLite's latest error on this connection means to an operator, and what to do:
// Unavailable (locked), ResourceExhausted (no room), DataLoss (corrupt), else Internal.
absl::Status SqliteError(sqlite3* connection, int code);

}  // namespace connect_ha
