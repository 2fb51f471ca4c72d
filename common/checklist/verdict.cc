#include "common/checklist/verdict.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/checklist/view/facts_view.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kNamesShown = 3;
// Beyond so many nodes that are right, evidence gives their number only. What is not right is
// given for every node: who asks for one node must find it.
constexpr int kGoodEvidenceShown = 100;

// Of a summary that is given in one.
constexpr size_t kTogetherBytes = 4096;

void SayHowManyMore(const std::string& node, v1::Outcome outcome, size_t more,
                    v1::Finding& finding) {
  v1::Evidence& evidence = *finding.add_evidence();
  evidence.set_node(node);
  evidence.set_outcome(outcome);
  evidence.set_text(absl::StrCat("and ", more, " more"));
}

bool IsGood(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

// Nodes that showed the same.
struct Group {
  std::string text;
  std::vector<std::string> nodes;  // sorted, each once, after Settle

  void Settle() {
    if (!std::is_sorted(nodes.begin(), nodes.end())) std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  }
};

void AddToGroup(std::vector<Group>& groups, std::map<std::string, size_t>& index,
                const std::string& text, const std::string& node) {
  const auto [it, is_new] = index.emplace(text, groups.size());
  if (is_new) groups.push_back({text, {}});
  if (!node.empty()) groups[it->second].nodes.push_back(node);
}

// "node-1: this; that; node-2: this", as much as fits.
std::string JoinGroups(const std::vector<Group>& groups) {
  std::string line;
  for (size_t i = 0; i < groups.size(); ++i) {
    std::string part;
    if (!groups[i].nodes.empty() && (i == 0 || groups[i].nodes != groups[i - 1].nodes)) {
      part = absl::StrCat(JoinNames(groups[i].nodes), ": ");
    }
    absl::StrAppend(&part, groups[i].text);
    const size_t left = groups.size() - i;
    const size_t room = left > 1 ? kWidth - 14 : kWidth;  // "; and 123 more"
    if (i > 0 && line.size() + 2 + part.size() > room) {
      return absl::StrCat(line, "; and ", left, " more");
    }
    absl::StrAppend(&line, i > 0 ? "; " : "", part);
  }
  return line;
}

}  // namespace

std::string JoinNames(const std::vector<std::string>& names) {
  if (names.size() <= kNamesShown) return absl::StrJoin(names, ", ");
  const auto shown = names.begin() + (kNamesShown - 1);
  return absl::StrCat(absl::StrJoin(names.begin(), shown, ", "), " and ",
                      names.size() - (kNamesShown - 1), " more");
}

void Verdict::Add(Entry entry) {
  KeepShort(entry.text, kTextBytes);
  KeepShort(entry.why.together, kTogetherBytes);
  entries_.push_back(std::move(entry));
  if (entries_.size() > most_entries_) LeaveOutMany();
}

// A node may be said to lack all that another one made up, and so may ten thousand.
void Verdict::LeaveOutMany() {
  LinesOf lines;
  std::vector<Entry> kept;
  for (Entry& entry : entries_) {
    const LinesOf::key_type of{entry.node, entry.outcome};
    if (++lines[of] <= kLinesOfANode) {
      kept.push_back(std::move(entry));
    } else if (!IsGood(entry.outcome)) {
      ++left_out_[of];
    }
  }
  entries_ = std::move(kept);
  most_entries_ = std::max(most_entries_, 2 * entries_.size());
}

void Verdict::Pass(const std::string& node, const std::string& text) {
  Add({v1::PASS, node, text, {}, {}});
}

void Verdict::Fail(const std::string& node, const std::string& text, const Fixes& fixes,
                   const Why& why) {
  Add({v1::FAIL, node, text, fixes, why});
}

void Verdict::Unknown(const std::string& node, const std::string& text, const Fixes& fixes) {
  Add({v1::UNKNOWN, node, text, fixes, {}});
}

void Verdict::Pending(const std::string& node, const std::string& text) {
  Add({v1::UNKNOWN, node, text, {}, {}, /*pending=*/true});
}

void Verdict::NotApplicable(const std::string& node, const std::string& text) {
  Add({v1::NOT_APPLICABLE, node, text, {}, {}});
}

bool Verdict::Unobserved(const v1::NodeSnapshot& node, absl::string_view path) {
  const auto why = WhyUnobserved(node.facts(), path);
  if (!why) return false;
  if (IsPending(node.facts(), path)) {
    Pending(node.name(), *why);
  } else {
    Unknown(node.name(), *why);
  }
  return true;
}

bool Verdict::Has(v1::Outcome outcome) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [outcome](const Entry& entry) { return entry.outcome == outcome; });
}

v1::Outcome Verdict::Combined() const {
  for (const v1::Outcome outcome : {v1::FAIL, v1::UNKNOWN, v1::PASS}) {
    if (Has(outcome)) return outcome;
  }
  return v1::NOT_APPLICABLE;
}

std::string Verdict::Summary(v1::Outcome outcome) const {
  std::vector<Group> groups;
  std::map<std::string, size_t> index;
  size_t nodes = 0;
  for (const Entry& entry : entries_) {
    if (entry.outcome != outcome) continue;
    if (entry.why.together.empty()) {
      AddToGroup(groups, index, entry.text, entry.node);
    } else {
      AddToGroup(groups, index, entry.why.together, "");
    }
    ++nodes;
  }
  for (Group& group : groups) group.Settle();
  if (IsGood(outcome) && groups.size() == 1 && nodes > 1) {
    return absl::StrCat(nodes == 2 ? "both" : absl::StrCat("all ", nodes),
                        " nodes: ", groups[0].text);
  }
  return JoinGroups(groups);
}

v1::Finding Verdict::Finish() const {
  v1::Finding finding;
  finding.set_outcome(Combined());
  finding.set_summary(Summary(finding.outcome()));
  std::set<std::string> bad;
  for (const Entry& entry : entries_) {
    if (!IsGood(entry.outcome)) bad.insert(entry.node);
  }
  std::map<v1::Outcome, int> good;
  LinesOf given_lines;
  std::set<std::string> given;
  for (const Entry& entry : entries_) {
    if (IsGood(entry.outcome)) {
      if (!entry.node.empty() && bad.count(entry.node) > 0) continue;
      if (++good[entry.outcome] > kGoodEvidenceShown) continue;
    } else if (++given_lines[{entry.node, entry.outcome}] > kLinesOfANode) {
      continue;
    }
    v1::Evidence& evidence = *finding.add_evidence();
    evidence.set_node(entry.node);
    evidence.set_outcome(entry.outcome);
    evidence.set_text(entry.text);
    if (entry.outcome == v1::FAIL) evidence.set_basis(entry.why.basis);
    evidence.set_undecided(entry.why.undecided);
    evidence.set_pending(entry.pending);
    if (entry.outcome != finding.outcome()) continue;
    for (const v1::Fix& fix : entry.fixes) {
      if (given.insert(fix.SerializeAsString()).second) *finding.add_fixes() = fix;
    }
  }
  for (const auto& [outcome, count] : good) {
    if (count <= kGoodEvidenceShown) continue;
    SayHowManyMore("", outcome, static_cast<size_t>(count - kGoodEvidenceShown), finding);
  }
  for (const auto& [of, count] : given_lines) {
    const auto let_go = left_out_.find(of);
    const size_t all = count + (let_go == left_out_.end() ? 0 : let_go->second);
    if (all > kLinesOfANode) SayHowManyMore(of.first, of.second, all - kLinesOfANode, finding);
  }
  return finding;
}

v1::Finding Verdict::Finish(const std::string& when_passed) const {
  v1::Finding finding = Finish();
  if (finding.outcome() == v1::PASS) finding.set_summary(when_passed);
  return finding;
}

}  // namespace connect_ha
