#include "coordinator/store/rows/event_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "coordinator/store/rows/rows.h"

namespace connect_ha {
namespace {

constexpr int64_t kEventsKept = 100'000;

// Of rows of (event, id), in their order.
absl::StatusOr<std::vector<v1::Event>> ReadEvents(Statement& statement) {
  std::vector<v1::Event> events;
  while (true) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return events;
    auto event = Parse<v1::Event>(statement.Blob(0));
    if (!event.ok()) return event.status();
    event->set_id(static_cast<uint64_t>(statement.Integer(1)));
    events.push_back(*std::move(event));
  }
}

}  // namespace

absl::StatusOr<uint64_t> AddEventRow(Database& database, const v1::Event& event) {
  v1::Event stored = event;
  stored.clear_id();  // the row's
  const std::string bytes = Bytes(stored);
  const absl::Status added =
      database.Prepare("INSERT INTO events (kind, node, rule, event) VALUES (?, ?, ?, ?)")
          .Bind(int64_t{event.kind()})
          .Bind(event.node())
          .Bind(event.rule())
          .BindBlob(bytes)
          .Run();
  if (!added.ok()) return added;
  const int64_t id = database.last_insert_id();
  if (id % 1000 == 0) {
    const absl::Status dropped =
        database.Prepare("DELETE FROM events WHERE id <= ?").Bind(id - kEventsKept).Run();
    if (!dropped.ok()) return dropped;
  }
  return static_cast<uint64_t>(id);
}

absl::Status AddEventRows(Database& database, const std::vector<v1::Event>& events) {
  for (const v1::Event& event : events) {
    const absl::Status added = AddEventRow(database, event).status();
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Event>> ListEventRows(Database& database, const EventQuery& query) {
  std::string sql = "SELECT event, id FROM events WHERE id > ?";
  if (!query.node.empty()) sql += " AND node = ?";
  if (!query.rule.empty()) sql += " AND rule = ?";
  Statement statement = database.Prepare(sql + " ORDER BY id DESC LIMIT ?");
  statement.Bind(AsInteger(query.after_id));
  if (!query.node.empty()) statement.Bind(query.node);
  if (!query.rule.empty()) statement.Bind(query.rule);
  statement.Bind(int64_t{query.limit});
  auto events = ReadEvents(statement);
  if (events.ok()) std::reverse(events->begin(), events->end());
  return events;
}

absl::StatusOr<std::vector<v1::Event>> ListLossRows(Database& database) {
  Statement statement = database.Prepare(
      "SELECT event, id FROM events WHERE id IN (SELECT max(id) FROM events AS lost "
      "WHERE kind = ? GROUP BY node HAVING max(id) > "
      "(SELECT coalesce(max(id), 0) FROM events WHERE kind = ? AND node = lost.node))"
      " ORDER BY node");
  statement.Bind(int64_t{v1::Event::NODE_LOST}).Bind(int64_t{v1::Event::NODE_BACK});
  return ReadEvents(statement);
}

}  // namespace connect_ha
