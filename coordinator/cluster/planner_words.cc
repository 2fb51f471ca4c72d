// What people say: stored with its line of the audit log, and in force before the call returns.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/log.h"
#include "common/text/short_text.h"
#include "common/version.h"
#include "coordinator/cluster/node/node_events.h"
#include "coordinator/cluster/planner.h"
#include "coordinator/cluster/planning/words.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

// What it is of: a node, a rule, or the cluster.
std::string SubjectOf(const std::string& node, const std::string& rule) {
  if (!node.empty()) return node;
  return rule.empty() ? "the cluster" : rule;
}

std::string SubjectOf(const v1::Word& word) {
  if (word.generation() != 0) return absl::StrCat("generation ", word.generation());
  return SubjectOf(word.node(), word.rule());
}

std::string SubjectOf(const v1::TakeBackRequest& request) {
  if (request.generation() != 0) return absl::StrCat("generation ", request.generation());
  return SubjectOf(request.node(), request.rule());
}

// Its reason is the line's why.
std::string WithoutReason(v1::Word word) {
  word.clear_reason();
  return DescribeWord(word);
}

v1::Event WordEvent(v1::Event::Kind kind, const v1::Word& word, const std::string& actor,
                    const std::string& before, Time now) {
  v1::Event event = MakeEvent(kind, word.node(), absl::StrCat(before, DescribeWord(word)), now);
  event.set_actor(actor);
  return event;
}

absl::Status NothingSaid(const v1::TakeBackRequest& request) {
  std::vector<std::string> kinds;
  for (const int kind : request.kinds()) {
    kinds.push_back(KindName(static_cast<v1::Word::Kind>(kind)));
  }
  return absl::NotFoundError(absl::StrCat("nobody said ", absl::StrJoin(kinds, " or "), " of ",
                                          SubjectOf(request),
                                          "\nfix: connect-ha plan shows what is in force"));
}

// It is not heard, and nobody has said that it is no more: it may run what it ran last.
bool MayRunUnheard(const v1::PlanInput& input, const v1::PlanNode& node) {
  return !node.fresh() && node.heard() && !node.odd() &&
         WordOn(input, node.brief().name(), v1::Word::GONE) == nullptr;
}

// While a newer one runs, or may, the database is of that, whatever was put back before; the word
// would end without effect (coordinator/plan/change/database.h).
absl::Status CheckPutBack(const v1::PlanInput& input, const v1::Word& word) {
  for (const v1::PlanNode& node : input.nodes()) {
    const std::string& runs = node.running_version();
    if (runs.empty() || CompareVersions(runs, word.version()) <= 0) continue;
    if (MayRunUnheard(input, node)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "Connect ", runs, " may run on ", node.brief().name(), ", which is not heard, and is ",
          "newer than ", word.version(), ": with that the database is not what it was\nfix: look ",
          "whether that machine is switched off; where it is: connect-ha node gone ",
          node.brief().name(), " --reason TEXT; then this again"));
    }
    if (!node.fresh()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "Connect ", runs, " runs on ", node.brief().name(), ", which is newer than ",
        word.version(), ": with that the database is not what it was\nfix: connect-ha node stop ",
        node.brief().name(),
        " --now --allow-downtime --reason TEXT; put the database back; then this again"));
  }
  return absl::OkStatus();
}

}  // namespace

// What is said of a generation that is neither in force nor to come would hold for nothing; nor
// would that a database was put back that a newer Connect has. An abort of what is done would lead
// nowhere back, and keep nodes from being put right until the next generation.
absl::Status Planner::CheckGeneration(const v1::Word& word) const {
  if (word.kind() == v1::Word::RESTORED) {
    std::lock_guard lock(shown_mutex_);
    return looked_at_ == nullptr ? absl::OkStatus() : CheckPutBack(*looked_at_, word);
  }
  if (word.kind() != v1::Word::APPROVE && word.kind() != v1::Word::ABORT) return absl::OkStatus();
  const Generations specs = roster_.SpecsNow();
  const uint64_t in_force = specs.in_force->generation();
  const uint64_t newest = specs.newest->generation();
  if (word.kind() == v1::Word::ABORT && word.generation() == in_force &&
      CurrentRollout().generation() != in_force) {
    return absl::FailedPreconditionError(
        absl::StrCat("generation ", in_force, " is in force, and no change to it is under way: ",
                     "nothing of it is left to be given up\nfix: connect-ha spec history, then, to "
                     "go back: connect-ha spec rollback GENERATION"));
  }
  if (word.generation() == in_force || word.generation() == newest) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("generation ", word.generation(), " is neither in force, which is ", in_force,
                   ", nor the newest, which is ", newest,
                   "\nfix: connect-ha rollout status says which one is to come"));
}

absl::StatusOr<v1::GiveWordResponse> Planner::GiveWord(v1::Word word, v1::AuditEntry entry,
                                                       Time now) {
  const absl::Status right = CheckWord(word, now);
  if (!right.ok()) return right;
  word.clear_number();
  word.set_by(entry.actor());
  word.set_reason(ShortText(word.reason(), kTextBytes));
  *word.mutable_at() = ToProto(now);
  *entry.mutable_at() = ToProto(now);
  entry.set_action(v1::AuditEntry::WORD_GIVEN);
  entry.set_subject(SubjectOf(word));
  entry.set_text(WithoutReason(word));
  entry.set_why(word.reason());
  std::lock_guard lock(deciding_);
  const absl::Status known = CheckGeneration(word);
  if (!known.ok()) return known;
  if (word.kind() == v1::Word::GONE) {
    const absl::Status gone = roster_.CheckGone(word.node(), now);
    if (!gone.ok()) return gone;
  }
  const auto given =
      store_.AddWord(word, WordEvent(v1::Event::WORD_GIVEN, word, entry.actor(), "", now), entry);
  if (absl::IsNotFound(given.status())) {
    return absl::NotFoundError(
        absl::StrCat(given.status().message(), "\nfix: connect-ha nodes names those there are"));
  }
  if (!given.ok()) return given.status();
  spdlog::info("event=WORD_GIVEN by={} node={} text={}", given->by(), given->node(),
               LogValue(DescribeWord(word)));
  DecideNow(now);
  v1::GiveWordResponse response;
  *response.mutable_word() = *given;
  if (!word.node().empty()) *response.mutable_assignment() = AssignmentOf(word.node());
  return response;
}

std::vector<v1::Word> Planner::WordsLike(const v1::TakeBackRequest& request) const {
  std::vector<v1::Word> words;
  for (const v1::Word& word : plan_->words) {
    const bool of_kind = std::find(request.kinds().begin(), request.kinds().end(),
                                   static_cast<int>(word.kind())) != request.kinds().end();
    const bool of_rule = request.rule().empty() || request.rule() == word.rule();
    const bool of_generation =
        request.generation() == 0 || request.generation() == word.generation();
    if (of_kind && of_rule && of_generation && word.node() == request.node()) {
      words.push_back(word);
    }
  }
  return words;
}

absl::StatusOr<v1::TakeBackResponse> Planner::TakeBack(const v1::TakeBackRequest& request,
                                                       v1::AuditEntry entry, Time now) {
  if (const absl::Status reason = CheckReason(request.why()); !reason.ok()) return reason;
  std::lock_guard lock(deciding_);
  const absl::Status read = Read();
  if (!read.ok()) return read;
  std::vector<uint64_t> numbers;
  std::vector<v1::Event> events;
  std::vector<std::string> texts;
  for (const v1::Word& word : WordsLike(request)) {
    numbers.push_back(word.number());
    texts.push_back(DescribeWord(word));
    events.push_back(WordEvent(v1::Event::WORD_ENDED, word, entry.actor(), "taken back: ", now));
  }
  if (numbers.empty()) return NothingSaid(request);
  *entry.mutable_at() = ToProto(now);
  entry.set_action(v1::AuditEntry::WORD_TAKEN_BACK);
  entry.set_subject(SubjectOf(request));
  entry.set_text(ShortText(absl::StrJoin(texts, "; "), kTextBytes));
  entry.set_why(ShortText(request.why(), kTextBytes));
  const auto removed = store_.RemoveWords(numbers, events, entry);
  if (!removed.ok()) return removed.status();
  spdlog::info("event=WORD_TAKEN_BACK by={} node={} text={}", entry.actor(), request.node(),
               LogValue(entry.text()));
  DecideNow(now);
  v1::TakeBackResponse response;
  for (const v1::Word& word : *removed) *response.add_words() = word;
  if (!request.node().empty()) *response.mutable_assignment() = AssignmentOf(request.node());
  return response;
}

}  // namespace connect_ha
