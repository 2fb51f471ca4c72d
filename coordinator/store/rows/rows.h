// Messages as they lie in the rows of a SQLite store: whole, in a column of their own.
#pragma once

#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "coordinator/store/sqlite.h"

namespace connect_ha {

inline std::string Bytes(const google::protobuf::MessageLite& message) {
  return message.SerializeAsString();
}

// SQLite's integers have a sign: what is beyond them is the greatest.
inline int64_t AsInteger(uint64_t number) {
  return static_cast<int64_t>(
      std::min(number, static_cast<uint64_t>(std::numeric_limits<int64_t>::max())));
}

template <typename Message>
absl::StatusOr<Message> Parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(absl::StrCat("store: a ", message.GetTypeName(),
                                            " in it is damaged\nfix: restore a copy of the store"));
  }
  return message;
}

// Every row of the statement's first column.
template <typename Message>
absl::StatusOr<std::vector<Message>> ReadAll(Statement& statement) {
  std::vector<Message> messages;
  while (true) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return messages;
    auto message = Parse<Message>(statement.Blob(0));
    if (!message.ok()) return message.status();
    messages.push_back(*std::move(message));
  }
}

template <typename Message>
absl::StatusOr<Message> ReadOne(Statement& statement, const std::string& what) {
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) return absl::NotFoundError("no " + what);
  return Parse<Message>(statement.Blob(0));
}

// A table (name TEXT PRIMARY KEY, record BLOB) of messages that have a name.
struct NamedTable {
  const char* name;
  const char* one;  // of its messages, in words
};
inline constexpr NamedTable kNodes{"nodes", "node"};
inline constexpr NamedTable kAdmins{"admins", "admin"};

template <typename Message>
absl::StatusOr<Message> GetNamed(Database& database, const NamedTable& table,
                                 const std::string& name) {
  Statement statement =
      database.Prepare(absl::StrCat("SELECT record FROM ", table.name, " WHERE name = ?"));
  statement.Bind(name);
  return ReadOne<Message>(statement, absl::StrCat(table.one, " ", name));
}

template <typename Message>
absl::StatusOr<Message> GetNamedOrNew(Database& database, const NamedTable& table,
                                      const std::string& name) {
  auto stored = GetNamed<Message>(database, table, name);
  if (!absl::IsNotFound(stored.status())) return stored;
  Message made;
  made.set_name(name);
  return made;
}

template <typename Message>
absl::StatusOr<std::vector<Message>> ListNamed(Database& database, const NamedTable& table) {
  Statement statement =
      database.Prepare(absl::StrCat("SELECT record FROM ", table.name, " ORDER BY name"));
  return ReadAll<Message>(statement);
}

// Under its own name.
template <typename Message>
absl::Status PutNamed(Database& database, const NamedTable& table, const Message& message) {
  const std::string bytes = Bytes(message);
  return database
      .Prepare(absl::StrCat("INSERT OR REPLACE INTO ", table.name, " (name, record) VALUES (?, ?)"))
      .Bind(message.name())
      .BindBlob(bytes)
      .Run();
}

}  // namespace connect_ha
