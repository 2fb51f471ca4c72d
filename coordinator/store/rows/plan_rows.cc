#include "coordinator/store/rows/plan_rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/store/rows/rows.h"

namespace connect_ha {
namespace {

absl::Status CountUp(Database& database) {
  return database.Prepare("UPDATE plan SET revision = revision + 1").Run();
}

absl::Status RemoveWordRow(Database& database, uint64_t number) {
  return database.Prepare("DELETE FROM words WHERE number = ?").Bind(AsInteger(number)).Run();
}

absl::Status PutNodeRow(Database& database, const v1::NodeMemory& memory) {
  const std::string bytes = Bytes(memory);
  return database.Prepare("INSERT OR REPLACE INTO plan_nodes (node, memory) VALUES (?, ?)")
      .Bind(memory.node())
      .BindBlob(bytes)
      .Run();
}

}  // namespace

absl::StatusOr<uint64_t> PlanRevisionRow(Database& database) {
  Statement statement = database.Prepare("SELECT revision FROM plan");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return absl::DataLossError(
        "store: what its plan remembers is gone\nfix: restore a copy of the store");
  }
  return static_cast<uint64_t>(statement.Integer(0));
}

absl::StatusOr<Store::Plan> GetPlanRows(Database& database) {
  // All are read in one transaction: it lasts as long as this statement.
  Statement statement = database.Prepare("SELECT memory, revision FROM plan");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) return PlanRevisionRow(database).status();
  auto memory = Parse<v1::PlanMemory>(statement.Blob(0));
  if (!memory.ok()) return memory.status();
  Store::Plan plan;
  plan.memory = *std::move(memory);
  plan.revision = static_cast<uint64_t>(statement.Integer(1));
  Statement node_rows = database.Prepare("SELECT memory FROM plan_nodes ORDER BY node");
  auto nodes = ReadAll<v1::NodeMemory>(node_rows);
  if (!nodes.ok()) return nodes.status();
  for (v1::NodeMemory& node : *nodes) *plan.memory.add_nodes() = std::move(node);
  Statement word_rows = database.Prepare("SELECT word FROM words ORDER BY number");
  auto words = ReadAll<v1::Word>(word_rows);
  if (!words.ok()) return words.status();
  plan.words = *std::move(words);
  return plan;
}

absl::Status PutPlanRows(Database& database, const Store::PlanChange& change) {
  const auto revision = PlanRevisionRow(database);
  if (!revision.ok()) return revision.status();
  if (*revision != change.revision) {
    return absl::AbortedError(
        "a node was taken in or out, or somebody said something, since this was decided");
  }
  v1::PlanMemory head = change.memory;
  head.clear_nodes();
  const std::string bytes = Bytes(head);
  absl::Status put = database.Prepare("UPDATE plan SET memory = ?").BindBlob(bytes).Run();
  for (const std::string& node : change.gone) {
    if (!put.ok()) return put;
    put = database.Prepare("DELETE FROM plan_nodes WHERE node = ?").Bind(node).Run();
  }
  for (const v1::NodeMemory& memory : change.changed) {
    if (!put.ok()) return put;
    put = PutNodeRow(database, memory);
  }
  for (const uint64_t number : change.ended_words) {
    if (!put.ok()) return put;
    put = RemoveWordRow(database, number);
  }
  return put;
}

absl::StatusOr<v1::Word> AddWordRow(Database& database, v1::Word word) {
  absl::Status added = database.Prepare("UPDATE plan SET last_word = last_word + 1").Run();
  if (!added.ok()) return added;
  {
    Statement statement = database.Prepare("SELECT last_word FROM plan");
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return PlanRevisionRow(database).status();
    word.set_number(static_cast<uint64_t>(statement.Integer(0)));
  }
  const std::string bytes = Bytes(word);
  added = database.Prepare("INSERT INTO words (number, node, word) VALUES (?, ?, ?)")
              .Bind(AsInteger(word.number()))
              .Bind(word.node())
              .BindBlob(bytes)
              .Run();
  if (added.ok()) added = CountUp(database);
  if (!added.ok()) return added;
  return word;
}

absl::StatusOr<std::vector<v1::Word>> RemoveWordRows(Database& database,
                                                     const std::vector<uint64_t>& numbers) {
  std::vector<v1::Word> removed;
  for (const uint64_t number : numbers) {
    {
      Statement statement = database.Prepare("SELECT word FROM words WHERE number = ?");
      statement.Bind(AsInteger(number));
      auto word = ReadOne<v1::Word>(statement, absl::StrCat("word ", number));
      if (absl::IsNotFound(word.status())) continue;
      if (!word.ok()) return word.status();
      removed.push_back(*std::move(word));
    }
    const absl::Status status = RemoveWordRow(database, number);
    if (!status.ok()) return status;
  }
  if (removed.empty()) return absl::NotFoundError("nothing like that was said");
  const absl::Status counted = CountUp(database);
  if (!counted.ok()) return counted;
  return removed;
}

absl::Status ForgetPlanOf(Database& database, const std::string& node) {
  const absl::Status forgotten =
      database.Prepare("DELETE FROM plan_nodes WHERE node = ?").Bind(node).Run();
  return forgotten.ok() ? CountUp(database) : forgotten;
}

absl::Status RemoveWordsOf(Database& database, const std::string& node) {
  return database.Prepare("DELETE FROM words WHERE node = ?").Bind(node).Run();
}

}  // namespace connect_ha
