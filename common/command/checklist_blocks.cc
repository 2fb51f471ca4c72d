#include "common/command/checklist_blocks.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/command/checklist_result.h"
#include "common/command/finding_text.h"

namespace connect_ha {
namespace {

bool OnlyPending(const v1::Finding& finding) {
  bool pending = false;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() == v1::UNKNOWN && !evidence.pending()) return false;
    pending |= evidence.pending();
  }
  return pending && finding.outcome() == v1::UNKNOWN;
}

void SayOnceWhatIsPending(v1::Finding& finding) {
  for (v1::Evidence& evidence : *finding.mutable_evidence()) {
    if (evidence.pending()) evidence.set_text("not looked at yet, as it takes longer");
  }
}

// Fails before unknown, but data before all else.
int Urgency(const Block& block) {
  const bool fails = block.shown.outcome() == v1::FAIL;
  switch (block.WorstClass()) {
    case v1::DATA:
      return fails ? 0 : 2;
    case v1::ADVICE:
      return fails ? 4 : 5;
    default:
      return fails ? 1 : 3;
  }
}

size_t Followers(const v1::Checklist& checklist, const std::set<std::string>& causes) {
  return static_cast<size_t>(std::count_if(
      checklist.findings().begin(), checklist.findings().end(), [&](const v1::Finding& finding) {
        return finding.outcome() == v1::FOLLOWS &&
               std::any_of(finding.evidence().begin(), finding.evidence().end(),
                           [&](const v1::Evidence& evidence) {
                             return causes.count(evidence.cause()) > 0;
                           });
      }));
}

}  // namespace

v1::RuleClass Block::WorstClass() const {
  v1::RuleClass worst = v1::ADVICE;
  for (const v1::Finding* finding : findings) worst = std::min(worst, finding->rule_class());
  return worst;
}

std::string KeyOf(const v1::Finding& finding, Time now) {
  std::string key = absl::StrCat(finding.outcome(), "\n");
  for (const Said& said : WhatIsWrong(finding, now)) {
    absl::StrAppend(&key, absl::StrJoin(said.nodes, ","), "\n",
                    OnlyPending(finding) ? "" : said.text, "\n");
  }
  for (const v1::Fix& fix : finding.fixes()) absl::StrAppend(&key, fix.SerializeAsString(), "\n");
  return key;
}

std::vector<Block> MakeBlocks(const v1::Checklist& checklist, Time now) {
  std::vector<Block> blocks;
  std::map<std::string, size_t> index;
  for (const v1::Finding& finding : checklist.findings()) {
    if (IsRight(finding.outcome()) || finding.outcome() == v1::FOLLOWS) continue;
    const auto [it, is_new] = index.emplace(KeyOf(finding, now), blocks.size());
    if (is_new) blocks.emplace_back().shown = finding;
    blocks[it->second].findings.push_back(&finding);
  }
  for (Block& block : blocks) {
    std::set<std::string> causes;
    for (const v1::Finding* finding : block.findings) causes.insert(finding->rule());
    if (block.findings.size() > 1 && OnlyPending(block.shown)) SayOnceWhatIsPending(block.shown);
    block.followers = Followers(checklist, causes);
  }
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const Block& a, const Block& b) { return Urgency(a) < Urgency(b); });
  return blocks;
}

}  // namespace connect_ha
