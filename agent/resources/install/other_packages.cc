#include "agent/resources/install/other_packages.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

constexpr char kDowngraded[] = "The following packages will be DOWNGRADED:";
constexpr std::chrono::seconds kDeadline{120};
constexpr size_t kMostOutput = 1u << 20;
constexpr size_t kShown = 5;

// "libpq5:amd64" is libpq5.
std::string WithoutArchitecture(absl::string_view name) {
  return std::string(name.substr(0, name.find(':')));
}

// What stands between the first `open` and the blank or `close` after it.
std::string Between(absl::string_view text, char open, char close) {
  const size_t begin = text.find(open);
  if (begin == absl::string_view::npos) return "";
  const absl::string_view rest = text.substr(begin + 1);
  return std::string(rest.substr(0, std::min(rest.find(close), rest.find(' '))));
}

// The names that are listed, indented, below a line.
std::set<std::string> NamesBelow(const std::vector<absl::string_view>& lines,
                                 absl::string_view title) {
  std::set<std::string> names;
  auto line = std::find(lines.begin(), lines.end(), title);
  if (line == lines.end()) return names;
  for (++line; line != lines.end() && absl::StartsWith(*line, "  "); ++line) {
    for (const absl::string_view name : absl::StrSplit(*line, ' ', absl::SkipEmpty())) {
      names.insert(WithoutArchitecture(name));
    }
  }
  return names;
}

std::string Some(const std::vector<std::string>& packages) {
  const size_t shown = std::min(kShown, packages.size());
  const auto begin = packages.begin();
  std::string text = absl::StrJoin(begin, begin + static_cast<std::ptrdiff_t>(shown), ", ");
  if (packages.size() > shown) absl::StrAppend(&text, " and ", packages.size() - shown, " more");
  return text;
}

// The first words of those, which are the packages' names.
std::string Names(const std::vector<std::string>& packages) {
  return absl::StrJoin(packages, " ", [](std::string* out, const std::string& package) {
    absl::StrAppend(out, ShellWord(package.substr(0, package.find(' '))));
  });
}

absl::Status Refuse(const std::string& package, const std::string& what, const std::string& fix) {
  return absl::FailedPreconditionError(
      absl::StrCat("to install ", package, " apt would ", what,
                   ", which the specification does not say\nfix: ", fix));
}

}  // namespace

// "Inst NAME [OLD] (NEW ORIGIN [ARCH])", without [OLD] for a new one; "Remv NAME [OLD]", "Purg
// ...".
OtherPackages ParseSimulation(absl::string_view output, const std::string& package,
                              const PackageDatabase& database) {
  const std::vector<absl::string_view> lines = absl::StrSplit(output, '\n');
  const std::set<std::string> going_back = NamesBelow(lines, kDowngraded);
  OtherPackages others;
  for (const absl::string_view line : lines) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    if (words.size() < 3) continue;
    const bool installs = words[0] == "Inst";
    if (!installs && words[0] != "Remv" && words[0] != "Purg") continue;
    const std::string name = WithoutArchitecture(words[1]);
    if (name == package && installs) continue;
    const bool is_new = absl::StartsWith(words[2], "(");
    const std::string before = is_new ? "" : Between(words[2], '[', ']');
    const std::string after = Between(words[2], '(', ')');
    const std::string change = absl::StrCat(name, " ", before, " to ", after);
    const auto known = database.packages.find(name);
    if (known != database.packages.end() && IsOnHold(known->second)) {
      others.on_hold.push_back(name);
    } else if (!installs) {
      others.removed.push_back(absl::StrCat(name, " ", before));
    } else if (is_new) {
      others.installed.push_back(absl::StrCat(name, " ", after));
    } else if (going_back.count(name) > 0) {
      others.downgraded.push_back(change);
    } else {
      others.upgraded.push_back(change);
    }
  }
  return others;
}

absl::StatusOr<OtherPackages> SimulateInstall(const ResourceContext& context,
                                              const AptInstall& install) {
  const auto database = ReadPackages(context.host, context.cache);
  if (!database.ok()) return database.status();
  CommandOptions options;
  options.deadline = kDeadline;
  options.output_limit_bytes = kMostOutput;
  const absl::StatusOr<CommandResult> run = context.host.Run(AptSimulation(install), options);
  if (!run.ok()) return run.status();
  if (run->timed_out) return absl::DeadlineExceededError("apt-get -s did not end in time");
  if (run->exit_code != 0) return absl::FailedPreconditionError(run->output);
  return ParseSimulation(run->output, install.package, **database);
}

std::string DescribeOthers(const OtherPackages& others) {
  std::string text;
  if (!others.installed.empty()) absl::StrAppend(&text, ", with ", Some(others.installed));
  if (!others.upgraded.empty()) absl::StrAppend(&text, ", and ", Some(others.upgraded));
  return text;
}

absl::Status CheckOthers(const OtherPackages& others, const std::string& package) {
  const std::string another = ", or give the specification a package that leaves them as they are";
  if (!others.removed.empty()) {
    return Refuse(
        package, "remove " + Some(others.removed),
        absl::StrCat("apt-get remove ", Names(others.removed), ", if they may go", another));
  }
  if (!others.downgraded.empty()) {
    return Refuse(package, "put back " + Some(others.downgraded),
                  absl::StrCat("do that by hand, if it is meant", another));
  }
  if (!others.on_hold.empty()) {
    return Refuse(
        package, absl::StrCat("change ", Some(others.on_hold), ", on hold on this node"),
        absl::StrCat("apt-mark unhold ", Names(others.on_hold), ", if they may change", another));
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
