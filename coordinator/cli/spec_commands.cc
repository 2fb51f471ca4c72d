#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/command/json.h"
#include "common/command/text_table.h"
#include "common/tls/crypto.h"
#include "coordinator/cli/apply/put_into_force.h"
#include "coordinator/cli/apply/sign.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/line_diff.h"
#include "coordinator/cli/text/number.h"

namespace connect_ha {
namespace {

constexpr char kShowDescription[] =
    R"(Prints a specification as it was applied, the newest when no generation is given: cluster.yaml with its history as comments, or, with --part config, Connect's configuration beside it. Redirect it to a file to change it and apply it again.)";

constexpr char kHistoryDescription[] =
    R"(Lists the generations of the specification, newest first: when each was applied, by whom, and which one is in force. The newest is not, while nodes get ready for it, or it waits: connect-ha rollout status.)";

constexpr char kDiffDescription[] =
    R"(Shows the lines in which two generations of the specification differ, in cluster.yaml and in the files that it names.

Exit status: 0 when they are the same, 1 when they differ.)";

constexpr char kRollbackDescription[] =
    R"(Goes back to an older specification. It becomes a new generation, as if it had been applied again: connect-ha shows first what would change, and asks. A version older than the installed one is installed where connect-ha itself had put the newer one in its place, or that specification has allow_downgrade, and refused where a newer one may have migrated the database: where that was put back from a backup, connect-ha rollout restored says so first.

With --sign, all of it is shown before it is signed, and what is signed is what its text says: somebody has to read it, so that --yes is refused.)";

absl::StatusOr<v1::SpecGeneration> GetGeneration(AdminLink& admin, const std::string& text) {
  const auto generation = ParseGeneration(text);
  if (!generation.ok()) return generation.status();
  v1::GetSpecRequest request;
  request.set_generation(*generation);
  return admin.GetSpec(request);
}

std::string What(const v1::SpecGeneration& spec) {
  return spec.has_rollback_of() ? absl::StrCat("back to generation ", spec.rollback_of())
                                : std::string();
}

std::string DescribeLicense(const v1::SpecBundle& bundle) {
  return absl::StrCat(bundle.spec().connect().license().file(), ", ", bundle.license().size(),
                      " bytes, sha256:", Hex(Sha256(bundle.license())));
}

void PrintSpec(Terminal& terminal, const v1::SpecGeneration& spec) {
  const v1::SpecBundle& bundle = spec.bundle();
  terminal.out << "# generation " << spec.generation() << ", applied "
               << FormatUtc(FromProto(spec.applied_at())) << " by " << spec.applied_by()
               << (spec.has_rollback_of() ? ", " + What(spec) : "") << "\n";
  if (bundle.has_connect_config()) {
    terminal.out << "# with " << bundle.spec().connect().config() << ": connect-ha spec show "
                 << spec.generation() << " --part config\n";
  }
  if (bundle.has_license()) terminal.out << "# and " << DescribeLicense(bundle) << "\n";
  terminal.out << bundle.source();
}

int Show(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto spec = arguments.positional.empty() ? (*admin)->GetSpec({})
                                                 : GetGeneration(**admin, arguments.positional[0]);
  if (!spec.ok()) return Fail(terminal, spec.status());
  if (arguments.Get("--part") != "config") {
    PrintSpec(terminal, *spec);
    return kHolds;
  }
  if (!spec->bundle().has_connect_config()) {
    return Fail(terminal, absl::NotFoundError(absl::StrCat(
                              "generation ", spec->generation(),
                              " has no configuration for Connect; fix: name one under connect: "
                              "config: and apply it")));
  }
  terminal.out << spec->bundle().connect_config();
  return kHolds;
}

// 0: not known. The coordinator may be of an older release, or may have decided nothing yet.
uint64_t InForce(AdminLink& admin, const v1::ListSpecsResponse& specs) {
  const auto plan = admin.GetPlan({});
  if (!plan.ok() || !plan->has_decided_at()) return 0;
  const uint64_t in_force = plan->decision().remember().generation();
  const bool newest = in_force == 0 && !specs.generations().empty();
  return newest ? specs.generations(0).generation() : in_force;
}

int History(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto specs = (*admin)->ListSpecs({});
  if (!specs.ok()) return Fail(terminal, specs.status());
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(*specs);
    return kHolds;
  }
  const uint64_t in_force = InForce(**admin, *specs);
  std::vector<TableRow> rows;
  for (const v1::SpecGeneration& spec : specs->generations()) {
    const bool is_in_force = spec.generation() == in_force;
    rows.push_back({{absl::StrCat(spec.generation())},
                    {FormatUtc(FromProto(spec.applied_at()))},
                    {spec.applied_by()},
                    {is_in_force ? "in force" : "", Style::kGood},
                    {What(spec)}});
  }
  PrintTable(terminal, {"GENERATION", "APPLIED", "BY", "", ""}, rows);
  return kHolds;
}

// True when it printed something.
bool PrintDifference(Terminal& terminal, const std::string& name, const std::string& a,
                     const std::string& b) {
  const std::string lines = DiffLines(a, b);
  if (lines.empty()) return false;
  terminal.out << name << ":\n";
  for (const absl::string_view view : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    const std::string line = Printable({view.data(), view.size()});
    const Style style = line[0] == '-'   ? Style::kBad
                        : line[0] == '+' ? Style::kGood
                                         : Style::kPlain;
    terminal.out << "  " << Paint(terminal, style, line) << "\n";
  }
  return true;
}

int Diff(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto a = GetGeneration(**admin, arguments.positional[0]);
  if (!a.ok()) return Fail(terminal, a.status());
  const auto b = GetGeneration(**admin, arguments.positional[1]);
  if (!b.ok()) return Fail(terminal, b.status());
  const v1::SpecBundle& from = a->bundle();
  const v1::SpecBundle& to = b->bundle();
  bool differ = PrintDifference(terminal, "cluster.yaml", from.source(), to.source());
  const std::string config =
      to.has_connect_config() ? to.spec().connect().config() : from.spec().connect().config();
  differ = PrintDifference(terminal, config, from.connect_config(), to.connect_config()) || differ;
  if (from.license() != to.license()) {
    differ = true;
    terminal.out << "licence:\n  - " << (from.has_license() ? DescribeLicense(from) : "none")
                 << "\n  + " << (to.has_license() ? DescribeLicense(to) : "none") << "\n";
  }
  if (!differ) {
    terminal.out << "generations " << a->generation() << " and " << b->generation()
                 << " are the same\n";
  }
  return differ ? kFails : kHolds;
}

// Nothing in it moves the cursor: what is printed is what is there.
void PrintText(Terminal& terminal, const std::string& name, const std::string& text) {
  terminal.out << name << ":\n";
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    terminal.out << "  " << Printable({line.data(), line.size()}) << "\n";
  }
}

// All that would be signed, and how it differs from the newest. Both come from the
// coordinator: what counts is the whole text.
absl::Status Review(AdminLink& admin, const v1::SpecGeneration& spec, Terminal& terminal) {
  const auto newest = admin.GetSpec({});
  if (!newest.ok()) return newest.status();
  const v1::SpecBundle& bundle = spec.bundle();
  terminal.out << "This is what would be signed:\n";
  PrintText(terminal, "cluster.yaml", bundle.source());
  if (bundle.has_connect_config()) PrintText(terminal, "configuration", bundle.connect_config());
  if (bundle.has_license()) terminal.out << "licence: " << DescribeLicense(bundle) << "\n";
  terminal.out << "\nThe newest is generation " << newest->generation() << "; what changes:\n";
  PrintDifference(terminal, "cluster.yaml", newest->bundle().source(), bundle.source());
  PrintDifference(terminal, "configuration", newest->bundle().connect_config(),
                  bundle.connect_config());
  terminal.out << "\n";
  return absl::OkStatus();
}

// What is signed is what its own text says, and somebody has to have read it.
absl::Status PrepareToSign(AdminLink& admin, const Arguments& arguments, Terminal& terminal,
                           v1::SpecGeneration& spec) {
  if (arguments.Has("--yes")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "what is signed has to be looked at; fix: without --yes, or: connect-ha spec show ",
        spec.generation(), " into a file, and connect-ha apply that with --sign"));
  }
  auto written = AsWritten(spec.bundle(), absl::StrCat("generation ", spec.generation()));
  if (!written.ok()) return written.status();
  *spec.mutable_bundle() = *std::move(written);
  return Review(admin, spec, terminal);
}

int Rollback(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  auto spec = GetGeneration(**admin, arguments.positional[0]);
  if (!spec.ok()) return Fail(terminal, spec.status());
  if (arguments.Has("--sign")) {
    const absl::Status seen = PrepareToSign(**admin, arguments, terminal, *spec);
    if (!seen.ok()) return Fail(terminal, seen);
  }
  Proposal proposal;
  proposal.bundle = spec->bundle();
  proposal.generation = spec->generation();
  proposal.command = absl::StrCat("connect-ha spec rollback ", spec->generation());
  return PutIntoForce(environment, arguments, terminal, proposal);
}

}  // namespace

Command SpecShowCommand(const Environment& environment) {
  Command command = {"spec show", "[GENERATION]", "Print a specification as it was applied",
                     kShowDescription};
  command.options = ClientOptions({{"--part", "PART", "Which file of it", "spec|config"}});
  command.examples = {"connect-ha spec show", "connect-ha spec show 3 --part config"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Show(environment, arguments, terminal);
  };
  return command;
}

Command SpecHistoryCommand(const Environment& environment) {
  Command command = {"spec history", "", "List the specifications that were applied",
                     kHistoryDescription};
  command.options = ClientOptions({{"--output", "FORMAT", "How to print it", "table|json"}});
  command.examples = {"connect-ha spec history", "connect-ha spec history --output json"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return History(environment, arguments, terminal);
  };
  return command;
}

Command SpecDiffCommand(const Environment& environment) {
  Command command = {"spec diff", "GENERATION GENERATION", "Show how two specifications differ",
                     kDiffDescription};
  command.options = ClientOptions({});
  command.examples = {"connect-ha spec diff 2 3"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Diff(environment, arguments, terminal);
  };
  return command;
}

Command SpecRollbackCommand(const Environment& environment) {
  Command command = {"spec rollback", "GENERATION", "Go back to an older specification",
                     kRollbackDescription};
  command.options = PutIntoForceOptions();
  command.examples = {"connect-ha spec rollback 2", "connect-ha spec rollback 2 --yes --wait",
                      "connect-ha spec rollback 2 --sign ~/.config/connect-ha-signing.key"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Rollback(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
