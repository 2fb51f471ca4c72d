#include "coordinator/store/rows/spec_rows.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/store/rows/rows.h"

namespace connect_ha {
namespace {

// 0: there is none.
absl::StatusOr<uint64_t> NewestGeneration(Database& database) {
  Statement statement = database.Prepare("SELECT coalesce(max(generation), 0) FROM specs");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  return static_cast<uint64_t>(statement.Integer(0));
}

}  // namespace

absl::Status AddSpecRow(Database& database, const v1::SpecGeneration& spec, uint64_t newest) {
  const auto stored = NewestGeneration(database);
  if (!stored.ok()) return stored.status();
  if (*stored != newest) {
    return absl::AbortedError(absl::StrCat(
        "generation ", *stored, " of the specification is the newest by now, not ", newest));
  }
  const int64_t generation = AsInteger(spec.generation());
  if (spec.generation() <= newest || static_cast<uint64_t>(generation) != spec.generation()) {
    return absl::FailedPreconditionError(
        absl::StrCat("a specification cannot have generation ", spec.generation(),
                     ": it must be above the newest, ", newest, ", and below 2^63"));
  }
  v1::SpecGeneration header = spec;
  header.clear_bundle();
  const std::string header_bytes = Bytes(header);
  const std::string bundle_bytes = Bytes(spec.bundle());
  return database.Prepare("INSERT INTO specs (generation, header, bundle) VALUES (?, ?, ?)")
      .Bind(generation)
      .BindBlob(header_bytes)
      .BindBlob(bundle_bytes)
      .Run();
}

absl::StatusOr<v1::SpecGeneration> GetSpecRow(Database& database, uint64_t generation) {
  const auto newest = NewestGeneration(database);
  if (!newest.ok()) return newest.status();
  if (*newest == 0)
    return absl::NotFoundError("no specification was applied\nfix: connect-ha apply cluster.yaml");
  Statement statement = database.Prepare("SELECT header, bundle FROM specs WHERE generation = ?");
  statement.Bind(AsInteger(generation == 0 ? *newest : generation));
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return absl::NotFoundError(absl::StrCat("no generation ", generation,
                                            " of the specification; the newest is ", *newest,
                                            "\nfix: connect-ha spec history"));
  }
  auto spec = Parse<v1::SpecGeneration>(statement.Blob(0));
  if (!spec.ok()) return spec;
  auto bundle = Parse<v1::SpecBundle>(statement.Blob(1));
  if (!bundle.ok()) return bundle.status();
  *spec->mutable_bundle() = *std::move(bundle);
  return spec;
}

absl::StatusOr<std::vector<v1::SpecGeneration>> ListSpecRows(Database& database) {
  Statement statement = database.Prepare("SELECT header FROM specs ORDER BY generation DESC");
  return ReadAll<v1::SpecGeneration>(statement);
}

}  // namespace connect_ha
