#include "coordinator/cluster/hold.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/finding_of.h"
#include "common/checklist/verdict.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

struct Row {
  const char* rule;
  seconds hold;
};

// An answer over the network can be late once, and a probe looks every 30 s: one late answer lasts
// as long, two do not get by.
constexpr seconds kNetworkHold{45};
// Connections and bytes that are in use go up and down around a limit.
constexpr seconds kUsageHold{60};
// Users notice it soon, and a probe looks often.
constexpr seconds kServiceHold{10};

constexpr Row kRows[] = {
    {"clocks-are-synchronised", kNetworkHold}, {"database-reachable", kNetworkHold},
    {"database-headroom", kUsageHold},         {"disk-has-room", kUsageHold},
    {"service-is-healthy", kServiceHold},
};

using Lines = std::vector<v1::Evidence>;
using LinesByNode = std::map<std::string, Lines>;

LinesByNode ByNode(const v1::Finding& finding) {
  LinesByNode lines;
  for (const v1::Evidence& line : finding.evidence()) lines[line.node()].push_back(line);
  return lines;
}

// What counts of several lines; the order of Verdict.
v1::Outcome OutcomeOf(const Lines& lines) {
  for (const v1::Outcome outcome : {v1::FAIL, v1::UNKNOWN, v1::FOLLOWS, v1::PASS}) {
    if (std::any_of(lines.begin(), lines.end(),
                    [outcome](const v1::Evidence& line) { return line.outcome() == outcome; })) {
      return outcome;
    }
  }
  return v1::NOT_APPLICABLE;
}

const v1::Evidence& LineWith(const Lines& lines, v1::Outcome outcome) {
  return *std::find_if(lines.begin(), lines.end(),
                       [outcome](const v1::Evidence& line) { return line.outcome() == outcome; });
}

// "db.example.com:5432 answers; but for 10s: ..."
Lines Held(Lines shown, const std::string& otherwise, Time::duration span) {
  if (shown.empty()) return shown;
  v1::Evidence& first = shown.front();
  first.set_text(absl::StrCat(first.text(), "; but for ", FormatSpan(span), ": ", otherwise));
  return shown;
}

// The words of a finding whose lines were put together anew.
std::string SummaryOf(const Lines& lines) {
  Verdict verdict;
  for (const v1::Evidence& line : lines) {
    if (line.outcome() == v1::FAIL) verdict.Fail(line.node(), line.text());
    if (line.outcome() == v1::UNKNOWN) verdict.Unknown(line.node(), line.text());
    if (line.outcome() == v1::PASS) verdict.Pass(line.node(), line.text());
    if (line.outcome() == v1::NOT_APPLICABLE) verdict.NotApplicable(line.node(), line.text());
  }
  return verdict.Finish().summary();
}

// The fixes of both that are for nodes which the finding is still about.
void SetFixes(const v1::Finding& before, const v1::Finding& judged, v1::Finding* finding) {
  finding->clear_fixes();
  if (finding->outcome() != v1::FAIL && finding->outcome() != v1::UNKNOWN) return;
  const v1::Finding& from = judged.outcome() == finding->outcome() ? judged : before;
  std::set<std::string> nodes = {""};
  for (const v1::Evidence& line : finding->evidence()) {
    if (line.outcome() == finding->outcome()) nodes.insert(line.node());
  }
  for (const v1::Fix& fix : from.fixes()) {
    if (nodes.count(fix.on()) > 0) *finding->add_fixes() = fix;
  }
}

// A finding is of one class. Where nothing fails but what is put back, of `kept`, it is of that
// which it had; else what failed under another class is not put back beside it.
void SetClass(const v1::Finding& before, const std::set<std::string>& kept, LinesByNode& lines,
              v1::Finding* finding) {
  const bool fails_now = std::any_of(lines.begin(), lines.end(), [&kept](const auto& of_node) {
    return kept.count(of_node.first) == 0 && OutcomeOf(of_node.second) == v1::FAIL;
  });
  if (!fails_now) return finding->set_rule_class(before.rule_class());
  if (finding->rule_class() == before.rule_class()) return;
  const LinesByNode judged = ByNode(*finding);
  for (const std::string& node : kept) {
    const auto put_back = lines.find(node);
    if (put_back == lines.end() || OutcomeOf(put_back->second) != v1::FAIL) continue;
    const auto now = judged.find(node);
    if (now == judged.end()) {
      lines.erase(put_back);
    } else {
      put_back->second = now->second;
    }
  }
}

// `kept`: the nodes whose lines are those of `before`.
void Rewrite(const v1::Finding& before, const std::set<std::string>& kept, LinesByNode lines,
             v1::Finding* finding) {
  const v1::Finding judged = *finding;
  SetClass(before, kept, lines, finding);
  Lines all;
  for (const auto& [node, of_node] : lines) all.insert(all.end(), of_node.begin(), of_node.end());
  finding->clear_evidence();
  for (const v1::Evidence& line : all) *finding->add_evidence() = line;
  finding->set_outcome(OutcomeOf(all));
  if (finding->outcome() != v1::FOLLOWS) finding->set_summary(SummaryOf(all));
  SetFixes(before, judged, finding);
}

}  // namespace

seconds HoldTime(const std::string& rule) {
  for (const Row& row : kRows) {
    if (rule == row.rule) return row.hold;
  }
  return seconds(0);
}

bool Hold::HoldsBack(const v1::Finding& finding, const std::string& node, const Lines& shown,
                     const Lines& lines, Time now) {
  const v1::Outcome was = shown.empty() ? v1::PASS : OutcomeOf(shown);
  const v1::Outcome is = OutcomeOf(lines);
  // What is known at last waits for nothing: it did not fail before.
  const bool is_found_right = was == v1::UNKNOWN && is == v1::PASS;
  const bool turns = was != is && was != v1::FOLLOWS && is != v1::FOLLOWS && !is_found_right;
  const seconds hold = HoldTime(finding.rule());
  if (!turns || hold == seconds(0)) return false;
  const auto turning = turning_.emplace(Key{finding.rule(), node}, Turning{now, shown}).first;
  Time& since = turning->second.since;
  since = std::min(since, now);  // a clock that ran back
  return now - since < hold;
}

void Hold::HoldTurning(const v1::Finding& earlier, Time now, std::set<Key>& held,
                       v1::Finding* finding) {
  if (HoldTime(finding->rule()) == seconds(0)) return;
  LinesByNode lines = ByNode(*finding);
  const LinesByNode shown = ByNode(earlier);
  std::set<std::string> kept;
  for (auto& [node, of_node] : lines) {
    const auto was = shown.find(node);
    // What no single node says need not be said while all is well; else it is new.
    if (was == shown.end() && (!node.empty() || earlier.outcome() != v1::PASS)) continue;
    const Lines none;
    const Lines& said = was == shown.end() ? none : was->second;
    const v1::Outcome outcome = OutcomeOf(of_node);
    if (!HoldsBack(*finding, node, said, of_node, now)) continue;
    const Turning& turning = turning_.at({finding->rule(), node});
    of_node = Held(turning.shown, LineWith(of_node, outcome).text(), now - turning.since);
    held.insert({finding->rule(), node});
    kept.insert(node);
  }
  if (!kept.empty()) Rewrite(earlier, kept, std::move(lines), finding);
}

void Hold::HoldWhatFollows(const v1::Finding& earlier, const std::set<Key>& held,
                           v1::Finding* finding) {
  LinesByNode lines = ByNode(*finding);
  const LinesByNode shown = ByNode(earlier);
  bool changed = false;
  std::set<std::string> kept;
  for (auto it = lines.begin(); it != lines.end();) {
    const auto& [node, of_node] = *it;
    if (OutcomeOf(of_node) != v1::FOLLOWS ||
        held.count({LineWith(of_node, v1::FOLLOWS).cause(), node}) == 0) {
      ++it;
      continue;
    }
    changed = true;
    const auto was = shown.find(node);
    if (was == shown.end()) {
      it = lines.erase(it);
    } else {
      kept.insert(node);
      (it++)->second = was->second;
    }
  }
  if (!changed) return;
  // What all of them show together was judged without these nodes.
  const auto together = shown.find("");
  if (together != shown.end()) {
    kept.insert("");
    lines[""] = together->second;
  }
  if (lines.empty()) {
    *finding = earlier;
  } else {
    Rewrite(earlier, kept, std::move(lines), finding);
  }
}

void Hold::Apply(const v1::Checklist& before, Time now, v1::Checklist* checklist) {
  std::set<Key> held;
  for (v1::Finding& finding : *checklist->mutable_findings()) {
    const v1::Finding* earlier = FindingOf(before, finding.rule());
    if (earlier != nullptr) HoldTurning(*earlier, now, held, &finding);
  }
  // What turned, or no longer does, begins anew another time.
  std::erase_if(turning_, [&held](const auto& entry) { return held.count(entry.first) == 0; });
  if (held.empty()) return;
  // A rule may follow from one that stands below it.
  for (v1::Finding& finding : *checklist->mutable_findings()) {
    const v1::Finding* earlier = FindingOf(before, finding.rule());
    if (earlier != nullptr) HoldWhatFollows(*earlier, held, &finding);
  }
}

}  // namespace connect_ha
