#include "coordinator/cluster/preview_board.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/cluster/node/bounds.h"

namespace connect_ha {
namespace {

// Long enough for a person to read the previews; nodes are asked no longer.
constexpr std::chrono::minutes kKept{5};
constexpr size_t kQuestionsAtOnce = 4;

}  // namespace

uint64_t PreviewBoard::Ask(v1::Desired desired, Time now) {
  std::lock_guard lock(mutex_);
  ForgetOld(now);
  while (questions_.size() >= kQuestionsAtOnce) questions_.erase(questions_.begin());
  // Milliseconds, so that a restarted coordinator does not ask under a number already answered.
  const auto at = static_cast<uint64_t>(now.time_since_epoch().count() / 1000);
  const uint64_t number = questions_.empty() ? at : std::max(at, questions_.rbegin()->first + 1);
  Question& question = questions_[number];
  question.asked_at = now;
  question.request.set_number(number);
  *question.request.mutable_desired() = std::move(desired);
  asking_ = true;
  return number;
}

void PreviewBoard::Exchange(const v1::HeartbeatRequest& request, Time now,
                            v1::HeartbeatResponse* response) {
  if (!asking_) return;
  std::lock_guard lock(mutex_);
  ForgetOld(now);
  if (request.has_preview()) {
    const auto answered = questions_.find(request.preview().number());
    if (answered != questions_.end()) Take(request, answered->second);
  }
  // The newest first: whoever asked before may have given up.
  for (auto question = questions_.rbegin(); question != questions_.rend(); ++question) {
    if (question->second.previews.count(request.node()) > 0) continue;
    *response->mutable_preview() = question->second.request;
    return;
  }
}

// The first that a node says counts: it is not asked again.
void PreviewBoard::Take(const v1::HeartbeatRequest& request, Question& question) {
  const auto [preview, is_new] = question.previews.try_emplace(request.node());
  if (!is_new) return;
  v1::Preview said = Bounded(request.preview());
  const size_t bytes = said.ByteSizeLong();
  if (question.bytes + bytes > kMostBytes) {
    said.Clear();
    said.set_number(request.preview().number());
    v1::Trouble& trouble = *said.add_troubles();
    trouble.set_resource("preview");
    trouble.set_error("the nodes say more than there is room for; this one's is left out");
    trouble.set_fix("connect-ha apply shows it again once fewer nodes differ");
  } else {
    question.bytes += bytes;
  }
  preview->second = std::move(said);
}

// With mutex_ held.
absl::StatusOr<const PreviewBoard::Question*> PreviewBoard::Find(uint64_t number, Time now) {
  ForgetOld(now);
  const auto question = questions_.find(number);
  if (question == questions_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no preview is asked for under number ", number, " any more\nfix: ask again"));
  }
  return &question->second;
}

absl::StatusOr<std::map<std::string, v1::Preview>> PreviewBoard::Previews(uint64_t number,
                                                                          Time now) {
  std::lock_guard lock(mutex_);
  const auto question = Find(number, now);
  if (!question.ok()) return question.status();
  return (*question)->previews;
}

absl::StatusOr<v1::Desired> PreviewBoard::Draft(uint64_t number, Time now) {
  std::lock_guard lock(mutex_);
  const auto question = Find(number, now);
  if (!question.ok()) return question.status();
  return (*question)->request.desired();
}

void PreviewBoard::ForgetOld(Time now) {
  for (auto question = questions_.begin(); question != questions_.end();) {
    const bool old = now - question->second.asked_at > kKept;
    question = old ? questions_.erase(question) : std::next(question);
  }
  asking_ = !questions_.empty();
}

}  // namespace connect_ha
