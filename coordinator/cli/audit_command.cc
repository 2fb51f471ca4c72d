#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/audit_chain.h"
#include "common/command/json.h"
#include "common/command/text_table.h"
#include "common/tls/crypto.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/duration.h"
#include "coordinator/cli/text/number.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Prints what people did, oldest first: who, from where, to what, and why where they said so (--why, --reason); and which changes of the cluster began and ended, by whose approval. Nothing that a node sends adds to it or takes from it; connect-ha events shows what nodes did.

Each entry holds the digest of the one before. --verify goes through all that are kept and says whether none was changed, left out or added in between, and the digest of the newest: written down elsewhere, it shows later that nothing before it was changed since. Entries older than two years are let go of, from the oldest on.

Exit status: 1 when an entry does not hold, else 0.)";

constexpr uint32_t kByDefault = 100;

std::string What(const v1::AuditEntry& entry) {
  std::string what = absl::StrReplaceAll(
      absl::AsciiStrToLower(v1::AuditEntry::Action_Name(entry.action())), {{"_", " "}});
  if (!entry.subject().empty()) absl::StrAppend(&what, " ", entry.subject());
  if (!entry.text().empty()) absl::StrAppend(&what, ": ", entry.text());
  if (!entry.why().empty()) absl::StrAppend(&what, "; why: ", entry.why());
  return what;
}

std::string Who(const v1::AuditEntry& entry) {
  return entry.address().empty() ? entry.actor()
                                 : absl::StrCat(entry.actor(), " ", entry.address());
}

// What is kept, as far as it is asked for.
struct Kept {
  std::vector<v1::AuditEntry> entries;  // oldest first
  std::optional<v1::AuditAnchor> anchor;
  uint64_t newest_id = 0;  // of the latest that was ever written
};

// All with a greater id.
absl::StatusOr<Kept> Read(AdminLink& admin, uint64_t after_id) {
  Kept kept;
  v1::ListAuditRequest request;
  request.set_after_id(after_id);
  for (;;) {
    const auto page = admin.ListAudit(request);
    if (!page.ok()) return page.status();
    // Of the first page: later ones know of what was let go of meanwhile.
    if (kept.entries.empty() && page->has_anchor()) kept.anchor = page->anchor();
    kept.newest_id = page->newest_id();
    kept.entries.insert(kept.entries.end(), page->entries().begin(), page->entries().end());
    if (page->entries().empty() || kept.entries.back().id() >= page->newest_id()) return kept;
    request.set_after_id(kept.entries.back().id());
  }
}

// The newest so many.
absl::StatusOr<Kept> ReadNewest(AdminLink& admin, uint64_t limit) {
  v1::ListAuditRequest request;
  request.set_limit(1);
  const auto first = admin.ListAudit(request);
  if (!first.ok()) return first.status();
  return Read(admin, first->newest_id() > limit ? first->newest_id() - limit : 0);
}

absl::StatusOr<Kept> ReadWhatIsAsked(const Environment& environment, const Arguments& arguments,
                                     AdminLink& admin) {
  const auto limit = LimitOf(arguments, kByDefault, "connect-ha audit");
  if (!limit.ok()) return limit.status();
  if (!arguments.Has("--since")) return ReadNewest(admin, *limit);
  const auto span = ParseDuration(arguments.Get("--since"));
  if (!span.ok()) return span.status();
  auto kept = Read(admin, 0);
  if (!kept.ok()) return kept;
  const Time since = environment.now() - *span;
  std::vector<v1::AuditEntry>& entries = kept->entries;
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const v1::AuditEntry& e) { return FromProto(e.at()) < since; }),
                entries.end());
  if (arguments.Has("--limit") && entries.size() > *limit) {
    entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(*limit));
  }
  return kept;
}

void Print(Terminal& terminal, const std::vector<v1::AuditEntry>& entries) {
  if (entries.empty()) {
    terminal.out << "nothing of that time is written down\n";
    return;
  }
  std::vector<TableRow> rows;
  rows.reserve(entries.size());
  for (const v1::AuditEntry& entry : entries) {
    rows.push_back({{absl::StrCat(entry.id())},
                    {FormatUtc(FromProto(entry.at()))},
                    {Who(entry)},
                    {What(entry)}});
  }
  PrintTable(terminal, {"ENTRY", "AT", "WHO", "WHAT"}, rows);
}

void PrintJson(Terminal& terminal, const std::vector<v1::AuditEntry>& entries) {
  v1::ListAuditResponse response;
  for (const v1::AuditEntry& entry : entries) *response.add_entries() = entry;
  if (!entries.empty()) response.set_newest_id(entries.back().id());
  terminal.out << ToJson(response);
}

// The chain, and that it goes on to its end.
absl::Status Holds(const Kept& kept) {
  const absl::Status chain = AuditHolds(kept.entries, kept.anchor);
  if (!chain.ok()) return chain;
  const uint64_t let_go_of = kept.anchor ? kept.anchor->id() : 0;
  const uint64_t last = kept.entries.empty() ? let_go_of : kept.entries.back().id();
  if (last >= kept.newest_id) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the audit log ends with entry ", last,
                                          ", the newest is ", kept.newest_id,
                                          ": entries were taken off its end"));
}

// Once more where it does not hold: old entries may be let go of between the look for where that
// ended and the look at those that follow.
absl::StatusOr<Kept> ReadWhole(AdminLink& admin) {
  auto kept = Read(admin, 0);
  if (!kept.ok() || Holds(*kept).ok()) return kept;
  return Read(admin, 0);
}

int Verify(AdminLink& admin, Terminal& terminal) {
  const auto kept = ReadWhole(admin);
  if (!kept.ok()) return Fail(terminal, kept.status());
  const absl::Status holds = Holds(*kept);
  if (!holds.ok()) {
    PrintError(terminal, absl::DataLossError(absl::StrCat(
                             std::string(holds.message()),
                             "; fix: the store was changed by hand, or is damaged: keep a copy of "
                             "it, and compare with connect-ha audit --output json of a backup")));
    return kFails;
  }
  const size_t count = kept->entries.size();
  terminal.out << count << (count == 1 ? " entry holds" : " entries hold");
  if (kept->anchor) {
    terminal.out << ", after " << kept->anchor->id() << " that were let go of by "
                 << FormatUtc(FromProto(kept->anchor->at()));
  }
  terminal.out << "\n";
  if (count == 0) return kHolds;
  const v1::AuditEntry& newest = kept->entries.back();
  terminal.out << "newest: " << newest.id() << " sha256:" << Hex(newest.digest()) << "\n";
  return kHolds;
}

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  if (arguments.Has("--verify")) return Verify(**admin, terminal);
  const auto kept = ReadWhatIsAsked(environment, arguments, **admin);
  if (!kept.ok()) return Fail(terminal, kept.status());
  if (arguments.Get("--output") == "json") {
    PrintJson(terminal, kept->entries);
  } else {
    Print(terminal, kept->entries);
  }
  return kHolds;
}

}  // namespace

Command AuditCommand(const Environment& environment) {
  Command command = {"audit", "", "Show what people did", kDescription};
  command.options = ClientOptions(
      {{"--verify", nullptr, "Only check that no entry was changed, left out or added"},
       {"--since", "TIME", "Only of the last 30m, 12h, 2d"},
       {"--limit", "NUMBER", "At most this many, the newest (default 100, with --since all)"},
       {"--output", "FORMAT", "How to print it", "table|json"}});
  command.examples = {"connect-ha audit --since 7d", "connect-ha audit --verify"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
