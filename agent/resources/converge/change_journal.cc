#include "agent/resources/converge/change_journal.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace connect_ha {

ChangeJournal::ChangeJournal(WritableHost& host, std::string path)
    : host_(host), path_(std::move(path)) {}

absl::Status ChangeJournal::Load() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::StatusOr<std::string> bytes = host_.ReadFile(path_);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  if (!bytes.ok()) return bytes.status();
  v1::ChangeJournal loaded;
  if (loaded.ParseFromString(*bytes)) {
    kept_ = loaded;
    return absl::OkStatus();
  }
  spdlog::error("event=journal-damaged file={} moved-to={}.damaged", path_, path_);
  absl::Status moved = host_.Remove(path_ + ".damaged");
  return moved.ok() ? host_.Rename(path_, path_ + ".damaged") : moved;
}

absl::Status ChangeJournal::Store(const v1::ChangeJournal& next) {
  absl::Status written = host_.WriteFile(path_, next.SerializeAsString(), FileAttributes());
  if (written.ok()) kept_ = next;
  return written;
}

absl::Status ChangeJournal::Begin(const v1::ChangeMade& change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  v1::ChangeJournal next = kept_;
  *next.mutable_begun() = change;
  return Store(next);
}

absl::Status ChangeJournal::Finish(const v1::ChangeMade& change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  v1::ChangeJournal next = kept_;
  next.clear_begun();
  const auto now = static_cast<uint64_t>(host_.Now().time_since_epoch().count());
  next.set_last_number(std::max(kept_.last_number() + 1, now));
  v1::ChangeMade& made = *next.add_changes();
  made = change;
  made.set_number(next.last_number());
  return Store(next);
}

absl::Status ChangeJournal::Abandon() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!kept_.has_begun()) return absl::OkStatus();
  v1::ChangeJournal next = kept_;
  next.clear_begun();
  return Store(next);
}

absl::Status ChangeJournal::FinishPart(v1::ChangeMade made, const std::optional<v1::Change>& left) {
  if (!left || left->from() == made.change().from()) return Abandon();
  made.mutable_change()->set_to(left->from());
  return Finish(made);
}

v1::ChangeMade ChangeJournal::begun() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return kept_.begun();
}

std::vector<v1::ChangeMade> ChangeJournal::Pending(size_t most) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto first = kept_.changes().begin();
  return {first, first + static_cast<int>(std::min<size_t>(most, kept_.changes_size()))};
}

absl::Status ChangeJournal::Taken(uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool forgets = kept_.changes_size() > 0 && kept_.changes(0).number() <= number;
  // Told by a journal that is no more, or by one whose clock was ahead: what is numbered from now
  // on is above, or it would count as told.
  const bool is_behind = kept_.last_number() < number;
  if (!forgets && !is_behind) return absl::OkStatus();
  v1::ChangeJournal next = kept_;
  next.set_last_number(std::max(kept_.last_number(), number));
  next.clear_changes();
  for (const v1::ChangeMade& change : kept_.changes()) {
    if (change.number() > number) *next.add_changes() = change;
  }
  return Store(next);
}

}  // namespace connect_ha
