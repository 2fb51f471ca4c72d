// Messages as they lie in the rows of a SQLite store: whole, in a column of their own.
#pragma once

#include <google/protobuf/message_lite.h>

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

}  // namespace connect_ha
