#include "coordinator/store/sqlite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

absl::string_view FileOf(sqlite3* connection) {
  const char* file = sqlite3_db_filename(connection, "main");
  return file == nullptr || *file == '\0' ? "store" : file;
}

// A full file system is SQLITE_FULL; a quota or a file size limit is only a write that failed.
bool NoRoom(sqlite3* connection, int code) {
  return (code & 0xff) == SQLITE_FULL || sqlite3_extended_errcode(connection) == SQLITE_IOERR_WRITE;
}

}  // namespace

absl::Status SqliteError(sqlite3* connection, int code) {
  const std::string file(FileOf(connection));
  const std::string said = absl::StrCat("store ", file, ": ", sqlite3_errmsg(connection));
  if (NoRoom(connection, code)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        said, "; it cannot be written\nfix: make room (df ", ShellOperand(file),
        "), raise the quota or limit, or check the disk (dmesg); nothing acknowledged is lost"));
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(
          absl::StrCat(said, "; another process holds it\nfix: end that process (fuser ",
                       ShellOperand(file), ")"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat(said,
                       "\nfix: restore a copy of it, or move it away: nodes then report again by "
                       "themselves, while tokens, removals and history are lost"));
    case SQLITE_IOERR:
      return absl::InternalError(absl::StrCat(said, "\nfix: check the disk (dmesg)"));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::PermissionDeniedError(absl::StrCat(
          said, "\nfix: the coordinator's user must own ", file, " and its directory"));
    default:
      return absl::InternalError(said);
  }
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      status_(std::move(other.status_)),
      next_parameter_(other.next_parameter_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::Bind(int64_t value) {
  if (status_.ok()) sqlite3_bind_int64(statement_, next_parameter_++, value);
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  if (status_.ok()) {
    sqlite3_bind_text(statement_, next_parameter_++, text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
  }
  return *this;
}

Statement& Statement::BindBlob(std::string_view bytes) {
  if (status_.ok()) {
    sqlite3_bind_blob(statement_, next_parameter_++, bytes.empty() ? "" : bytes.data(),
                      static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (!status_.ok()) return status_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_), code);
}

absl::Status Statement::Run() { return Step().status(); }

std::string_view Statement::Blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         int busy_timeout_ms) {
  sqlite3* connection = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(path, connection));
  if (code != SQLITE_OK) return SqliteError(connection, code);
  sqlite3_busy_timeout(connection, busy_timeout_ms);
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(connection_);
}

Statement Database::Prepare(const std::string& sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(connection_, sql.c_str(), static_cast<int>(sql.size() + 1),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return Statement(nullptr, SqliteError(connection_, code));
  }
  return Statement(statement, absl::OkStatus());
}

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(connection_, code);
}

bool Database::moved() const {
  int moved = 0;
  sqlite3_file_control(connection_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

}  // namespace connect_ha
