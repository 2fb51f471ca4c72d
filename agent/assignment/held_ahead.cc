// What a node is to get ready for: held in memory alone, since it is in effect nowhere.
#include <spdlog/spdlog.h>

#include <utility>

#include "agent/assignment/held.h"
#include "common/log.h"

namespace connect_ha {
namespace {

// Of one that is refused, which it was is kept, and nothing of what it says.
AheadHeld ToHeld(const v1::Desired& offered, absl::StatusOr<v1::Desired> checked) {
  AheadHeld ahead;
  if (checked.ok()) {
    ahead.desired = *std::move(checked);
    return ahead;
  }
  ahead.desired = IdentityOf(offered);
  ahead.why = checked.status();
  spdlog::error("event=specification-ahead-refused generation={} reason={}", offered.generation(),
                LogValue(std::string(ahead.why.message())));
  return ahead;
}

}  // namespace

void Held::OnAhead(std::function<void()> changed) { ahead_changed_ = std::move(changed); }

std::shared_ptr<const AheadHeld> Held::Ahead() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ahead_;
}

std::shared_ptr<const AheadHeld> Held::NextAhead(const v1::HeartbeatResponse& answer) const {
  const std::shared_ptr<const AheadHeld> present = Ahead();
  const bool is_ahead =
      answer.ahead_generation() > kept_.desired().generation() && !kept_.removed();
  if (!is_ahead) return nullptr;
  const v1::Desired& offered = answer.ahead();
  const bool is_of_ours = LineageOf(kept_).empty() || offered.lineage() == LineageOf(kept_);
  if (answer.has_ahead() && offered.generation() == answer.ahead_generation() && is_of_ours) {
    if (present != nullptr && IsOneSpecification(present->desired, offered)) return present;
    return std::make_shared<const AheadHeld>(ToHeld(offered, CheckDesired(offered, demands_)));
  }
  const bool is_present =
      present != nullptr && present->desired.generation() == answer.ahead_generation();
  return is_present ? present : nullptr;
}

void Held::TakeAhead(const v1::HeartbeatResponse& answer) { SetAhead(NextAhead(answer)); }

void Held::SetAhead(std::shared_ptr<const AheadHeld> next) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ahead_ == next) return;
    ahead_ = std::move(next);
  }
  if (ahead_changed_) ahead_changed_();
}

}  // namespace connect_ha
