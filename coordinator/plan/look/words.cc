#include "coordinator/plan/look/words.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "coordinator/plan/look/action.h"

namespace connect_ha {
namespace {

bool Permits(const v1::Word& word) {
  return word.kind() == v1::Word::WAIVE || word.kind() == v1::Word::UNFENCE;
}

bool NeedsAdmin(const v1::ClusterSpec& spec, const v1::Word& word) {
  return word.kind() == v1::Word::UNFENCE || FindRule(word.rule()) == nullptr ||
         ActionBySpec(spec, word.rule()) == v1::FENCE;
}

bool Counts(const v1::ClusterSpec& spec, const v1::Word& word) {
  if (!Permits(word)) return true;
  return word.has_until() && (!NeedsAdmin(spec, word) || word.role() == v1::ADMIN);
}

// The clock was set back, and it would hold for longer than was meant: others may do what they may
// not without it.
bool OutlivesItsTime(const v1::Word& word, Time now, bool ran_back) {
  const bool early = now + kClockSetBack < FromProto(word.at());
  return (Permits(word) && (ran_back || early)) || (word.kind() == v1::Word::GONE && early);
}

// Of one that was declared gone: it was heard since.
bool Returned(const v1::Word& word, const v1::PlanNode* node) {
  return word.kind() == v1::Word::GONE && node != nullptr && node->brief().has_last_seen() &&
         FromProto(node->brief().last_seen()) > FromProto(word.at());
}

const v1::Word** SlotOf(NodeWords& words, v1::Word::Kind kind) {
  switch (kind) {
    case v1::Word::CORDON:
      return &words.cordon;
    case v1::Word::DRAIN:
      return &words.drain;
    case v1::Word::STOP:
      return &words.stop;
    case v1::Word::FENCE:
      return &words.fence;
    case v1::Word::UNFENCE:
      return &words.unfence;
    case v1::Word::START:
      return &words.start;
    case v1::Word::RELEASE:
      return &words.release;
    case v1::Word::GONE:
      return &words.gone;
    default:
      return nullptr;
  }
}

const char* VerbOf(v1::Word::Kind kind) {
  switch (kind) {
    case v1::Word::CORDON:
      return "cordoned";
    case v1::Word::DRAIN:
      return "drained";
    case v1::Word::STOP:
      return "stopped";
    case v1::Word::FENCE:
      return "fenced";
    case v1::Word::UNFENCE:
      return "unfenced";
    case v1::Word::START:
      return "started";
    case v1::Word::WAIVE:
      return "waived";
    case v1::Word::RELEASE:
      return "released";
    case v1::Word::GONE:
      return "declared gone";
    default:
      return "said";
  }
}

}  // namespace

Words WordsInForce(const v1::PlanInput& input, Moments& moments) {
  std::map<std::string, const v1::PlanNode*> nodes;
  for (const v1::PlanNode& node : input.nodes()) nodes[node.brief().name()] = &node;
  const bool ran_back = input.memory().has_clock() &&
                        moments.now() + kClockSetBack < FromProto(input.memory().clock());
  Words words;
  std::set<uint64_t> ended;
  for (const v1::Word& word : input.words()) {
    const auto found = nodes.find(word.node());
    const v1::PlanNode* node = found == nodes.end() ? nullptr : found->second;
    const bool of_nobody = !word.node().empty() && node == nullptr;
    const bool over = word.has_until() && moments.Reached(FromProto(word.until()));
    if (of_nobody || over || Returned(word, node) ||
        OutlivesItsTime(word, moments.now(), ran_back)) {
      ended.insert(word.number());
      continue;
    }
    if (!Counts(input.spec(), word)) {
      words.idle.push_back(&word);
      continue;
    }
    if (word.kind() == v1::Word::WAIVE) words.waivers.push_back(&word);
    const v1::Word** slot = SlotOf(words.of[word.node()], word.kind());
    if (slot != nullptr && (*slot == nullptr || (*slot)->number() < word.number())) *slot = &word;
    if (!Permits(word)) continue;
    words.clock = input.memory().has_clock() ? FromProto(input.memory().clock()) : moments.now();
  }
  // Written no more than once in a while.
  if (words.clock && moments.now() >= *words.clock + kClockSetBack) words.clock = moments.now();
  if (ran_back) words.clock.reset();
  words.ended.assign(ended.begin(), ended.end());
  return words;
}

bool MayBeDowntime(const NodeWords& words) {
  return (words.stop != nullptr && words.stop->downtime()) ||
         (words.drain != nullptr && words.drain->downtime());
}

bool IsWaived(const std::vector<const v1::Word*>& waivers, const std::string& rule,
              const std::string& node) {
  for (const v1::Word* word : waivers) {
    if (word->rule() == rule && (word->node().empty() || word->node() == node)) return true;
  }
  return false;
}

std::string SaidBy(const v1::Word& word) {
  return absl::StrCat(VerbOf(word.kind()), " by ", word.by(), ": ", word.reason());
}

}  // namespace connect_ha
