#include "coordinator/plan/words/words.h"

#include <algorithm>
#include <set>

#include "common/checklist/rule.h"
#include "coordinator/plan/look/action.h"

namespace connect_ha {
namespace {

// Something that is not done otherwise, for a time.
bool Permits(const v1::Word& word) {
  return word.kind() == v1::Word::WAIVE || word.kind() == v1::Word::UNFENCE ||
         (word.kind() == v1::Word::APPROVE && word.has_until());
}

bool IsOfCluster(v1::Word::Kind kind) {
  return kind == v1::Word::APPROVE || kind == v1::Word::PAUSE || kind == v1::Word::ABORT ||
         kind == v1::Word::RESTORED;
}

bool IsOfGeneration(v1::Word::Kind kind) {
  return kind == v1::Word::APPROVE || kind == v1::Word::ABORT;
}

// Its generation is neither in force nor the newest.
bool IsOfThePast(const v1::PlanInput& input, const v1::Word& word) {
  if (!IsOfGeneration(word.kind()) || word.generation() == input.generation()) return false;
  return !input.has_next() || word.generation() != input.next().generation();
}

// Its generation was given up since: whoever takes that back has it approved anew.
bool IsGivenUp(const v1::PlanInput& input, const v1::Word& word) {
  if (word.kind() != v1::Word::APPROVE) return false;
  const auto& words = input.words();
  return std::any_of(words.begin(), words.end(), [&word](const v1::Word& other) {
    return other.kind() == v1::Word::ABORT && other.generation() == word.generation() &&
           other.number() > word.number();
  });
}

bool NeedsAdmin(const v1::ClusterSpec& spec, const v1::Word& word) {
  return word.kind() == v1::Word::UNFENCE || FindRule(word.rule()) == nullptr ||
         ActionBySpec(spec, word.rule()) == v1::FENCE;
}

bool Counts(const v1::ClusterSpec& spec, const v1::Word& word) {
  switch (word.kind()) {
    case v1::Word::WAIVE:
    case v1::Word::UNFENCE:
      return word.has_until() && (!NeedsAdmin(spec, word) || word.role() == v1::ADMIN);
    case v1::Word::APPROVE:
      return word.role() == v1::OPERATOR || word.role() == v1::ADMIN;
    case v1::Word::RESTORED:
      return word.role() == v1::ADMIN && !word.version().empty();
    default:
      return true;
  }
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
    if (of_nobody || over || IsOfThePast(input, word) || IsGivenUp(input, word) ||
        Returned(word, node) || OutlivesItsTime(word, moments.now(), ran_back)) {
      ended.insert(word.number());
      continue;
    }
    if (!Counts(input.spec(), word)) {
      words.idle.push_back(&word);
      continue;
    }
    if (word.kind() == v1::Word::WAIVE) words.waivers.push_back(&word);
    if (IsOfCluster(word.kind())) words.of_cluster.push_back(&word);
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

const v1::Word* ClusterWord(const Words& words, v1::Word::Kind kind, uint64_t generation) {
  const v1::Word* latest = nullptr;
  for (const v1::Word* word : words.of_cluster) {
    if (word->kind() != kind) continue;
    if (IsOfGeneration(kind) && word->generation() != generation) continue;
    if (latest == nullptr || latest->number() < word->number()) latest = word;
  }
  return latest;
}

}  // namespace connect_ha
